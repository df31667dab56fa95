// Shortcuts for the whole page: HTML has accesskey only, which differs from browser to browser.
import { closeDrawer, openDrawer } from "./drawer.js";
import { toggleSidebar } from "./sidebar.js";

const typing = (node) => node.matches("input, textarea, select, [contenteditable]");

// The topmost thing that is open closes; only when nothing is, what is being written stops.
function escape(event) {
  if (document.querySelector("dialog[open], :popover-open")) return; // the browser closes these
  const cancel = event.target.closest(".message-edit, .system-prompt[open]")?.querySelector("[data-cancel], [data-close-details]");
  if (cancel) return cancel.click();
  if (document.querySelector("[data-overlay]")) return toggleSidebar();
  if (openDrawer()) return closeDrawer();
  if (event.target.matches("[data-search]") && event.target.value) return;
  if (event.isComposing) return;
  const live = document.querySelector('[data-composer]:not([data-live="0"])');
  live?.querySelector("[data-stop-all]").click();
}

function search() {
  const box = document.querySelector("[data-search]");
  if (!box.checkVisibility({ visibilityProperty: true })) toggleSidebar();
  box.focus();
  box.select();
}

document.addEventListener("keydown", (event) => {
  const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  if (event.key === "Escape") escape(event);
  else if (command && event.key === "b") toggleSidebar();
  else if (command && event.key === "k" && document.querySelector("[data-search]")) search();
  else if (event.key === "?" && !typing(event.target)) document.getElementById("help")?.showModal();
  else return;
  if (event.key !== "Escape") event.preventDefault();
});
