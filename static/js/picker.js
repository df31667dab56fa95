// Arrow keys between the search box and the list of models: a form has no such order of its own.
document.addEventListener("keydown", (event) => {
  const picker = event.target.closest("[data-picker]");
  if (!picker || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  const rows = [...picker.querySelectorAll("[data-picker-choice]")].filter((row) => row.checkVisibility());
  const at = rows.indexOf(event.target);
  if (at === -1 && !event.target.matches("[data-picker-box]")) return;
  event.preventDefault();
  const next = at + (event.key === "ArrowDown" ? 1 : -1);
  if (next < 0) picker.querySelector("[data-picker-box]").focus();
  else rows[Math.min(next, rows.length - 1)]?.focus();
});

// Right opens the providers of a model, left closes them.
document.addEventListener("keydown", (event) => {
  const row = event.target.matches("[data-picker-choice]") && event.target.closest(".picker-row");
  const offers = row && row.querySelector(".picker-offers");
  if (!offers || !["ArrowRight", "ArrowLeft"].includes(event.key)) return;
  event.preventDefault();
  offers.open = event.key === "ArrowRight";
  if (!offers.open) row.querySelector("[data-picker-choice]").focus();
});

// Typing goes on in the box wherever one is in the list.
document.addEventListener("keypress", (event) => {
  const picker = event.target.closest("[data-picker]");
  if (picker && event.target.matches("[data-picker-choice]") && event.key.length === 1 && event.key !== " ") {
    picker.querySelector("[data-picker-box]").focus();
  }
});

document.addEventListener("input", ({ target }) => target.matches("[data-picker-box]") && document.querySelector("#picker-error")?.replaceChildren());
