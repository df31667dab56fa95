// Code that is on show follows the settings of its column: those come anew by swaps that know nothing of the drawer.
document.addEventListener("htmx:oobAfterSwap", ({ target }) => {
  const shown = document.querySelector("[data-code-of]");
  if (shown && ["lanes", `lane-${shown.dataset.codeOf}-head`].includes(target.id)) window.htmx.trigger("#code-form", "refresh");
});
