// HTML cannot tell Enter from Shift+Enter, nor empty a box only once its message was taken.
const form = () => document.querySelector("[data-composer]");
const text = () => form()?.querySelector(".composer-text");
const clientId = () => form().querySelector("[data-client-id]");
let sent = null;
let patience = 0;

// randomUUID exists on https and localhost only; a plain http server in a local network has getRandomValues.
export const freshId = () =>
  crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

export function sendsOn(event, enterSends) {
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return false;
  if (event.ctrlKey || event.metaKey) return true;
  return enterSends && !event.shiftKey && !event.altKey;
}

function settle() {
  sent = null;
  clearTimeout(patience);
  form().removeAttribute("data-sending");
}

function take() {
  const box = text();
  box.value = box.value.startsWith(sent) ? box.value.slice(sent.length).trimStart() : box.value;
  clientId().value = freshId();
  settle();
  box.dispatchEvent(new Event("input", { bubbles: true }));
  document.dispatchEvent(new CustomEvent("composer:taken"));
}

function takeBack() {
  const back = document.querySelector("[data-text-back]");
  if (!back?.textContent) return;
  text().value = [back.textContent, text().value].filter(Boolean).join("\n\n");
  back.textContent = "";
  text().dispatchEvent(new Event("input", { bubbles: true }));
  text().focus();
}

document.addEventListener("keydown", (event) => {
  if (event.target !== text()) return;
  if (sendsOn(event, form().dataset.enterSends === "true")) {
    event.preventDefault();
    form().requestSubmit(form().querySelector("[data-send]"));
  } else if (event.key === "ArrowUp" && !event.target.value) {
    const lane = document.querySelector(".lane");
    const last = [...(lane?.querySelectorAll("[data-edit-message]") ?? [])].at(-1);
    if (last) event.preventDefault();
    last?.click();
  }
});

// Sending twice with one client_id is harmless, but a second text under the first id would be lost.
document.addEventListener("submit", (event) => {
  if (event.target !== form() || sent === null) return;
  event.preventDefault();
  event.stopPropagation();
}, true);

document.addEventListener("htmx:wsAfterSend", (event) => {
  if (event.target !== form()) return;
  sent = text().value;
  form().setAttribute("data-sending", "");
  patience = setTimeout(settle, 6_000);
});

document.addEventListener("htmx:wsAfterMessage", () => {
  takeBack();
  if (!form() || sent === null) return;
  if (document.querySelector("[data-receipt]")?.dataset.receipt === clientId().value) take();
  else if (document.querySelector("#composer-errors")?.childElementCount) settle();
});

document.addEventListener("input", (event) => {
  if (event.target === text()) document.querySelector("#composer-errors").replaceChildren();
});
