// An answer arrives letter by letter; a live region on it would read every change, so whole sentences are put into one beside it.
const PAUSE = 1_000;
const KEPT = 6;
const places = new WeakMap();

export function announce(sentence) {
  const region = document.querySelector("[data-announcer]");
  if (!region || !sentence.trim()) return;
  const line = document.createElement("p");
  line.textContent = sentence.trim();
  region.append(line);
  while (region.childElementCount > KEPT) region.firstElementChild.remove();
}

const sentenceEnd = (text) => Math.max(...[". ", "! ", "? ", ": ", "\n"].map((end) => text.lastIndexOf(end) + 1));

// Only blocks not yet read are looked at, so a long answer costs no more than a short one.
function readOn(body) {
  const place = places.get(body) ?? { block: null, offset: 0 };
  let block = place.block?.isConnected ? place.block : body.firstElementChild;
  if (block !== place.block) place.offset = 0;
  for (; block; block = block.nextElementSibling) {
    const text = block.textContent;
    const end = block.nextElementSibling ? text.length : sentenceEnd(text);
    if (end > place.offset) announce(text.slice(place.offset, end));
    place.block = block;
    place.offset = block.nextElementSibling ? 0 : Math.max(place.offset, end);
  }
  places.set(body, place);
}

// Two answers at once would be read through each other: then only their ends are told.
setInterval(() => {
  const bodies = document.querySelectorAll('.answer[data-status="streaming"] > .answer-body');
  if (bodies.length === 1) readOn(bodies[0]);
}, PAUSE);

const OUTCOMES = { done: "has answered", stopped: "was stopped", failed: "failed", interrupted: "was interrupted" };
document.addEventListener("answer:status", ({ detail }) => {
  const outcome = OUTCOMES[detail.status];
  if (outcome) announce(`${detail.article.getAttribute("aria-label")} ${outcome}.`);
});
