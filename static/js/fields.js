// Small manners of form fields that HTML does not have: sending with a key, taking back with Esc.
import { sendsOn } from "./composer.js";

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (field.matches("[data-submit-on-enter]")) {
    const enterSends = document.querySelector("[data-composer]")?.dataset.enterSends !== "false";
    if (sendsOn(event, enterSends)) submit(event);
  } else if (field.matches("[data-submit-on-ctrl-enter]") && sendsOn(event, false)) submit(event);
  if (field.matches("[data-reset-on-escape]") && event.key === "Escape") {
    event.stopPropagation();
    field.value = field.defaultValue;
    field.blur();
  }
  // A link that is a button answers to Space as buttons do.
  if (event.key === " " && field.matches("a[role=button]")) {
    event.preventDefault();
    field.click();
  }
});

function submit(event) {
  event.preventDefault();
  event.target.form.requestSubmit();
}

document.addEventListener("click", (event) => {
  const details = event.target.closest("[data-close-details]")?.closest("details");
  if (details) details.open = false;
});

// autofocus counts only while a page loads, not for what is swapped in.
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const field = detail.elt.querySelector?.("[data-focus]");
  if (!field) return;
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
});
