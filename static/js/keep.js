// A swap brings all lanes anew while somebody edits or reads in one of them; htmx keeps only what the server marks, which cannot know.
let focus = null;
let button = "";

// How to find a button again that comes anew: where it leads.
export const finder = (node) => (node.matches("button[formaction]") ? `button[formaction="${CSS.escape(node.getAttribute("formaction"))}"]` : "");

// What is typed in and what was unfolded moves over into the new lanes, wherever they still have a place for it.
function keep(fragment) {
  for (const edit of document.querySelectorAll(".message-edit")) {
    fragment.querySelector(`#${edit.id}`)?.replaceWith(edit);
  }
  for (const details of document.querySelectorAll("#lanes details[id][open]")) {
    const next = fragment.querySelector(`#${details.id}`);
    const typed = [...details.querySelectorAll("textarea")].some((box) => box.value !== box.defaultValue);
    if (next && typed) next.replaceWith(details);
    else if (next) next.open = true;
  }
}

document.addEventListener("htmx:oobBeforeSwap", ({ target, detail }) => {
  if (target.contains(document.activeElement)) button = finder(document.activeElement);
  if (target.id !== "lanes") return;
  const field = document.activeElement?.closest("#lanes textarea");
  if (field) focus = { field, start: field.selectionStart, end: field.selectionEnd };
  keep(detail.fragment);
});

document.addEventListener("htmx:oobAfterSwap", () => {
  if (button && document.activeElement === document.body) document.querySelector(button)?.focus({ preventScroll: true });
  button = "";
  if (!focus?.field.isConnected) return;
  focus.field.focus({ preventScroll: true });
  focus.field.setSelectionRange(focus.start, focus.end);
  focus = null;
});
