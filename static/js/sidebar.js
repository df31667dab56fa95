// Folding the sidebar and keeping it so over page loads: a cookie, so that the server sends the page in its final shape.
const narrow = matchMedia("(max-width: 960px)");
const shell = () => document.querySelector("[data-shell]");
const panel = () => document.querySelector("[data-sidebar-panel]");

export function toggleSidebar() {
  if (!shell()) return;
  if (narrow.matches) {
    const open = shell().toggleAttribute("data-overlay");
    if (open) panel().querySelector("[data-search]").focus({ preventScroll: true });
    else document.querySelector(".sidebar-button")?.focus();
    return;
  }
  const state = getComputedStyle(panel()).visibility === "visible" ? "folded" : "open";
  shell().dataset.sidebar = state;
  document.cookie = `sidebar=${state}; path=/; max-age=31536000; samesite=lax`;
}

document.addEventListener("click", (event) => event.target.closest("[data-sidebar-toggle]") && toggleSidebar());
narrow.addEventListener("change", () => shell()?.removeAttribute("data-overlay"));
