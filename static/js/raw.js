// Showing either the text or its rendering of one answer is a state of the page; htmx has fetched the text when first asked.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-raw-toggle]");
  if (!button) return;
  const article = document.getElementById(`message-${button.dataset.rawToggle}`);
  const raw = article.dataset.view !== "raw";
  article.dataset.view = raw ? "raw" : "";
  article.querySelector("[data-raw-toggle]").setAttribute("aria-pressed", String(raw));
});
