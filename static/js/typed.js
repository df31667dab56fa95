// The server has what is typed after a moment; what HTML cannot do is to keep it over a reload within that moment.
const form = () => document.querySelector("[data-composer]");
const text = () => form()?.querySelector(".composer-text");

document.addEventListener("input", ({ target }) => {
  if (target === text()) sessionStorage.setItem(form().action, target.value);
});

document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  if (target !== text() || !detail.successful) return;
  if (detail.requestConfig.parameters.get("text") === target.value) sessionStorage.removeItem(form().action);
});

// What is sent is typed no more.
document.addEventListener("submit", ({ target }) => {
  if (target === form()) sessionStorage.removeItem(target.action);
}, true);

const typed = form() && sessionStorage.getItem(form().action);
if (typed !== null && typed !== text()?.value) {
  text().value = typed;
  text().dispatchEvent(new Event("input", { bubbles: true }));
}
