// Only script reaches the clipboard.
import { announce } from "./announce.js";

// The clipboard API is there on https and localhost only; a plain http server in a local network needs the old way.
export async function toClipboard(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const box = document.createElement("textarea");
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}

async function textOf(button) {
  if (button.dataset.copyText) return document.querySelector(button.dataset.copyText).textContent;
  const response = await fetch(button.dataset.copyUrl, { headers: { "HX-Request": "true" } });
  if (!response.ok) throw new Error(`${response.status} for ${button.dataset.copyUrl}`);
  return response.text();
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy-url], [data-copy-text]");
  if (!button) return;
  await toClipboard(await textOf(button));
  announce("Copied.");
  button.setAttribute("data-copied", "");
  setTimeout(() => button.removeAttribute("data-copied"), 1_600);
});
