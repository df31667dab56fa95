// A file dropped on the composer is text the person wants to send; HTML has no way to read it.
const LIMIT = 190_000;
const TICK = "`", TICKS = /`+/g;

function fenced(name, content) {
  const longest = Math.max(2, ...[...content.matchAll(TICKS)].map((run) => run[0].length));
  const fence = TICK.repeat(longest + 1);
  const language = /\.(\w{1,10})$/.exec(name)?.[1] ?? "";
  return `${name}\n${fence}${language}\n${content.replace(/\n?$/, "\n")}${fence}\n`;
}

function complain(sentence) {
  const line = document.createElement("p");
  line.className = "composer-error";
  line.textContent = sentence;
  document.querySelector("#composer-errors").replaceChildren(line);
}

async function insert(box, file) {
  const content = file.size > LIMIT ? null : await file.text();
  if (content === null) return complain(`${file.name} is too large: at most ${LIMIT.toLocaleString("en")} characters fit.`);
  if (content.includes("\0")) return complain(`${file.name} is not a text file.`);
  const gap = box.value && !box.value.endsWith("\n") ? "\n" : "";
  box.value += gap + fenced(file.name, content);
  box.dispatchEvent(new Event("input", { bubbles: true }));
  box.focus();
}

const composerOf = (event) => event.dataTransfer?.types.includes("Files") && event.target.closest?.("[data-composer]");

document.addEventListener("dragover", (event) => {
  const composer = composerOf(event);
  if (!composer) return;
  event.preventDefault();
  composer.setAttribute("data-dropping", "");
});
document.addEventListener("dragleave", (event) => {
  const composer = composerOf(event);
  if (composer && !composer.contains(event.relatedTarget)) composer.removeAttribute("data-dropping");
});
document.addEventListener("drop", async (event) => {
  const composer = composerOf(event);
  if (!composer) return;
  event.preventDefault();
  composer.removeAttribute("data-dropping");
  for (const file of [...event.dataTransfer.files]) await insert(composer.querySelector(".composer-text"), file);
});
