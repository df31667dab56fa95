// Popovers open and close by themselves; closing after a choice, arrow keys, and a place beside the button where CSS has no anchors, are here.
const GAP = 4;
let opener = null;

function place(menu) {
  const box = opener.getBoundingClientRect();
  const above = box.bottom + GAP + menu.offsetHeight > innerHeight && box.top > menu.offsetHeight;
  menu.style.top = `${above ? box.top - GAP - menu.offsetHeight : box.bottom + GAP}px`;
  menu.style.left = `${Math.max(8, Math.min(box.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8))}px`;
}

document.addEventListener("toggle", ({ target, newState }) => {
  if (!target.matches?.("[data-menu]")) return;
  opener?.setAttribute("aria-expanded", String(newState === "open"));
  if (newState === "open" && !CSS.supports("position-area", "bottom")) place(target);
}, true);

// Emptied when it opens and not when it closes: what was pressed in it may still wait for its answer, which htmx drops for an element that is gone.
document.addEventListener("beforetoggle", ({ target, newState }) => {
  if (newState === "open" && target.matches?.("[data-menu-loaded]")) target.replaceChildren();
}, true);

document.addEventListener("click", ({ target }) => (opener = target.closest("[popovertarget]") ?? opener), true);
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.matches?.("[data-menu-loaded]") && !CSS.supports("position-area", "bottom")) place(target);
});

// Afterwards, because closing moves the focus, and htmx forgets which button submits a form once the focus leaves it.
document.addEventListener("click", ({ target }) => {
  const menu = target.closest(".menu-item, .menu-chip")?.closest("[data-menu]");
  if (menu) setTimeout(() => menu.hidePopover());
});

document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("[data-menu]:popover-open");
  if (!menu || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  const items = [...menu.querySelectorAll(".menu-item, .menu-chip")];
  const step = event.key === "ArrowDown" ? 1 : -1;
  const at = items.indexOf(document.activeElement);
  items[(at === -1 && step === -1 ? items.length - 1 : at + step + items.length) % items.length].focus();
});
