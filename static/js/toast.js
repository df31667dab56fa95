// A way back stays for some seconds, longer while one is on it: CSS cannot remove an element.
const timers = new Map();

function close(toast) {
  clearTimeout(timers.get(toast));
  timers.delete(toast);
  toast.remove();
}
function start(toast) {
  clearTimeout(timers.get(toast));
  timers.set(toast, setTimeout(close, Number(toast.dataset.toast) * 1000, toast));
}

const region = document.getElementById("toasts");
function startAll() {
  for (const toast of region.querySelectorAll("[data-toast]")) if (!timers.has(toast)) start(toast);
}
new MutationObserver(startAll).observe(region, { childList: true, subtree: true });
startAll();

for (const name of ["pointerenter", "focusin"]) {
  document.addEventListener(name, ({ target }) => {
    const toast = target.closest?.("[data-toast]");
    if (toast) clearTimeout(timers.get(toast));
  }, true);
}
for (const name of ["pointerleave", "focusout"]) {
  document.addEventListener(name, ({ target }) => {
    const toast = target.closest?.("[data-toast]");
    if (toast && timers.has(toast)) start(toast);
  }, true);
}
document.addEventListener("click", ({ target }) => {
  const toast = target.closest("[data-toast-close]")?.closest("[data-toast]");
  if (toast) setTimeout(close, 0, toast); // after htmx has read the button
});
