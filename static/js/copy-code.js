// Only script reaches the clipboard; the button carries no data- attribute, since nothing in model text may carry one.
import { announce } from "./announce.js";
import { toClipboard } from "./copy.js";

document.addEventListener("click", async ({ target }) => {
  const button = target.closest(".code-copy");
  const code = button?.closest(".code")?.querySelector("code");
  if (!code) return;
  try {
    await toClipboard(code.textContent.replace(/\n$/, ""));
  } catch {
    announce("The browser did not allow copying.");
    return;
  }
  announce("Copied.");
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1_600);
});
