// Whether turns start on one row is a taste of the reader, kept in this browser.
const KEY = "turns";

function apply() {
  const free = localStorage.getItem(KEY) === "free";
  const lanes = document.getElementById("lanes");
  if (lanes) lanes.dataset.align = free ? "free" : "rows";
  document.querySelector("[data-align-turns]")?.setAttribute("aria-checked", String(!free));
}

document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-align-turns]")) return;
  localStorage.setItem(KEY, localStorage.getItem(KEY) === "free" ? "rows" : "free");
  apply();
});
document.addEventListener("htmx:wsAfterMessage", ({ detail }) => detail.message.includes('id="lanes"') && apply());
apply();
