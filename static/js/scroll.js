// Following an answer to its end, and leaving the reader alone who has scrolled away, needs to know where the reader is.
const NEAR = 48;
// Where one has scrolled to, by id: a column that comes anew stays there.
const away = new Map();
const known = new WeakSet();
let frame = 0;

const phone = matchMedia("(max-width: 720px)");
const isScroller = (node) => node.matches?.("[data-scroll]") || (phone.matches && node.matches?.(".lane"));
// By class, which browsers keep an index of: this runs at every frame, whatever the length of the page.
const candidates = ["lanes-scroll", "lane"].map((name) => document.getElementsByClassName(name));
const scrollers = () => candidates.flatMap((found) => [...found]).filter(isScroller);
const below = (node) => node.scrollHeight - node.scrollTop - node.clientHeight;

function current() {
  const middle = innerWidth / 2;
  const onScreen = (node) => node.getBoundingClientRect().left < middle && node.getBoundingClientRect().right > middle;
  return scrollers().find((node) => node.scrollHeight > node.clientHeight && onScreen(node));
}

function showJump() {
  const button = document.querySelector("[data-jump]");
  const node = current();
  if (button) button.hidden = !(node && away.has(node.id) && below(node) > NEAR);
}

function follow() {
  frame = 0;
  for (const node of scrollers()) {
    if (!away.has(node.id)) node.scrollTop = node.scrollHeight;
    else if (!known.has(node)) node.scrollTop = away.get(node.id);
    known.add(node);
  }
  showJump();
}
const followSoon = () => (frame ||= requestAnimationFrame(follow));

function toEnd() {
  away.clear();
  follow();
}

document.addEventListener("scroll", ({ target }) => {
  if (!isScroller(target)) return;
  if (below(target) > NEAR) away.set(target.id, target.scrollTop);
  else away.delete(target.id);
  showJump();
}, { capture: true, passive: true });

document.addEventListener("htmx:wsAfterMessage", followSoon);
document.addEventListener("htmx:afterOnLoad", followSoon);
document.addEventListener("composer:taken", toEnd);
document.addEventListener("click", (event) => event.target.closest("[data-jump]") && toEnd());
phone.addEventListener("change", toEnd);

// Earlier turns come in above: what one reads stays where it is.
let before = null;
document.addEventListener("htmx:beforeOnLoad", ({ target }) => {
  const node = target.closest?.(".earlier") && current();
  before = node ? { node, height: node.scrollHeight, top: node.scrollTop } : null;
});
document.addEventListener("htmx:afterOnLoad", () => {
  if (!before) return;
  before.node.scrollTop = before.top + before.node.scrollHeight - before.height;
  before = null;
});

// An address may name a message: one has come for that, and not for the end.
const named = location.hash.startsWith("#message-") && document.getElementById(location.hash.slice(1));
const show = () => named.scrollIntoView({ block: "center" });
if (named) {
  for (const node of scrollers()) {
    away.set(node.id, 0);
    known.add(node);
  }
  show();
  // Once more when all stands where it will: the browser goes there by itself, too, and puts it at the very top.
  addEventListener("load", () => requestAnimationFrame(show), { once: true });
  showJump();
} else toEnd();
