// A slider and a number that are one value, and "not sent", which a range input cannot be.
const part = (node, name) => node.closest("[data-knob]").querySelector(`[data-knob-${name}]`);

function fill(slider) {
  const share = (slider.value - slider.min) / (slider.max - slider.min);
  slider.style.setProperty("--fill", `${Math.round(share * 100)}%`);
}

function changed(field) {
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("input", ({ target }) => {
  if (target.matches("[data-knob-slider]")) {
    part(target, "value").value = target.value;
    fill(target);
  } else if (target.matches("[data-knob-value]")) {
    const slider = part(target, "slider");
    if (!slider) return;
    slider.value = target.value === "" ? slider.min : target.value;
    fill(slider);
  }
});

document.addEventListener("click", ({ target }) => {
  const reset = target.closest("[data-knob-reset]");
  if (!reset) return;
  const field = part(reset, "value");
  field.value = "";
  changed(field);
  field.focus();
});

const fillAll = (root) => root.querySelectorAll("[data-knob-slider]").forEach(fill);
document.addEventListener("htmx:load", ({ detail }) => fillAll(detail.elt));
fillAll(document);
