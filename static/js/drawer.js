// The drawer comes by htmx; outlining the column it speaks of, and giving focus back, reach outside what is swapped.
let opener = null;

export const openDrawer = () => document.querySelector("[data-drawer]");

function outline() {
  const pk = openDrawer()?.dataset.drawer;
  for (const lane of document.querySelectorAll(".lane")) {
    lane.toggleAttribute("data-outlined", Boolean(pk) && lane.dataset.lane === pk && document.querySelectorAll(".lane").length > 1);
  }
}

export function closeDrawer() {
  const drawer = openDrawer();
  if (!drawer) return;
  drawer.hidden = true;
  drawer.removeAttribute("data-drawer");
  drawer.replaceChildren();
  outline();
  opener?.isConnected && opener.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-drawer-for]");
  if (button) opener = button;
  if (!event.target.closest("[data-drawer-close]")) return;
  event.preventDefault();
  closeDrawer();
});

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  outline();
  if (detail.elt.matches?.("[data-drawer]")) detail.elt.querySelector(".drawer-head [data-drawer-close]")?.focus({ focusVisible: false });
});
document.addEventListener("htmx:wsAfterMessage", outline);
