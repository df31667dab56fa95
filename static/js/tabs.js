// Columns that do not all fit are scrolled sideways; the tabs show which one is in view, and bring another there.
const reduced = matchMedia("(prefers-reduced-motion: reduce)");
const tabs = () => [...document.querySelectorAll("[data-lane-tab]")];
let frame = 0;

function mark() {
  frame = 0;
  const middle = innerWidth / 2;
  const distance = (tab) => {
    const box = document.querySelector(tab.hash)?.getBoundingClientRect();
    return box ? Math.abs((box.left + box.right) / 2 - middle) : Infinity;
  };
  const all = tabs();
  const nearest = all.reduce((best, tab) => (distance(tab) < distance(best) ? tab : best), all[0]);
  for (const tab of all) {
    if (tab === nearest) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-lane-tab]");
  if (!tab) return;
  event.preventDefault();
  const lane = document.querySelector(tab.hash);
  lane.scrollIntoView({ behavior: reduced.matches ? "instant" : "smooth", inline: "center", block: "nearest" });
});
document.addEventListener("scroll", ({ target }) => {
  if (target.matches?.("#lanes, [data-scroll]") && tabs().length > 1) frame ||= requestAnimationFrame(mark);
}, { capture: true, passive: true });
