// Boxes that grow with their text: CSS does it with field-sizing; this is for browsers that do not have it yet.
function fit(box) {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
}
const fitAll = (root) => root.querySelectorAll("textarea[data-autosize]").forEach(fit);

if (!CSS.supports("field-sizing", "content")) {
  document.addEventListener("input", (event) => event.target.matches("textarea[data-autosize]") && fit(event.target));
  document.addEventListener("toggle", (event) => fitAll(event.target), true);
  document.addEventListener("htmx:load", (event) => fitAll(event.detail.elt));
  fitAll(document);
}
