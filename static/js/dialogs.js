// A dialog opens as a modal, with focus kept in it and given back, only by script.
import { finder } from "./keep.js";

let opened = "";

function open(dialog) {
  if (!dialog.open) dialog.showModal();
}

// The browser gives focus back to what had it; that may have come anew since.
document.addEventListener("close", () => opened && document.activeElement === document.body && document.querySelector(opened)?.focus(), true);

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) {
    opened = finder(opener);
    opener.closest("[popover]")?.hidePopover();
    open(document.getElementById(opener.dataset.dialogOpen));
  }
  event.target.closest("[data-dialog-close]")?.closest("dialog").close();
  // A click on the dialog itself, not on anything in it, is one beside its box; the second of two may be meant for what opened it.
  if (event.target.matches("dialog[data-light-dismiss]") && event.detail < 2) {
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) event.target.close();
  }
});

document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.matches("dialog")) target.querySelector("[autofocus]")?.focus();
});

// What a dialog's form was for is done: out of the way. What asked may be gone by now, so where it stood counts too.
document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  const asked = detail.requestConfig.triggeringEvent?.target ?? target;
  const stays = [target, asked].some((node) => node.closest?.("[data-keeps-dialog]"));
  if (detail.successful && detail.xhr.status < 400 && detail.requestConfig.verb === "post" && !stays) target.closest("dialog")?.close();
});
