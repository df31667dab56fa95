// Arrow keys between the search box and what it found, Enter for the best of it: a form has no such order of its own.
const hits = () => [...document.querySelectorAll("#chat-hits [data-hit]")];

document.addEventListener("keydown", (event) => {
  const box = document.querySelector("[data-search]");
  const all = hits();
  const at = all.indexOf(event.target);
  if (!all.length || (at === -1 && event.target !== box)) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    if (at + step < 0) box.focus();
    else all[Math.min(at + step, all.length - 1)].focus();
  } else if (event.key === "Escape" && at !== -1) {
    event.stopImmediatePropagation(); // what else Escape ends goes on
    box.focus();
  } else if (event.key === "Enter" && at === -1 && !event.isComposing) {
    // Only what was found for the words as they stand now.
    if (document.getElementById("chat-hits").dataset.hits !== box.value.trim()) return;
    event.preventDefault();
    all[0].click();
  }
});
