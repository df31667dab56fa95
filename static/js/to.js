// The button says how many columns it sends to, which is a count of boxes.
function count() {
  const boxes = [...document.querySelectorAll("[data-to]")];
  const button = document.querySelector("[data-send]");
  if (!button) return;
  const chosen = boxes.filter((box) => box.checked).length;
  button.querySelector("[data-send-text]").textContent = boxes.length > 1 ? `Send to ${chosen}` : "Send";
  button.disabled = boxes.length > 1 && chosen === 0;
  document.querySelector("[data-stop-text]").textContent = boxes.length > 1 ? "Stop all" : "Stop";
}

document.addEventListener("change", ({ target }) => target.matches("[data-to]") && count());
document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-to-all]")) return;
  document.querySelectorAll("[data-to]").forEach((box) => (box.checked = true));
  count();
});
document.addEventListener("htmx:wsAfterMessage", ({ detail }) => detail.message.includes("composer-to") && count());
document.addEventListener("htmx:afterOnLoad", count);
