// A swapped foot cannot change its article, the composer or the title of the tab; this carries the news there.
let unread = false;

function mirror() {
  for (const foot of document.querySelectorAll("[data-status-of]")) {
    const article = document.getElementById(foot.dataset.statusOf);
    if (!article || article.dataset.status === foot.dataset.status) continue;
    article.dataset.status = foot.dataset.status;
    document.dispatchEvent(new CustomEvent("answer:status", { detail: { article, status: foot.dataset.status } }));
    if (document.hidden && isOver(article)) unread = true;
  }
}

const isOver = (article) => !["queued", "streaming"].includes(article.dataset.status);

function count() {
  const live = [...document.querySelectorAll(".answer")].filter((answer) => !isOver(answer)).length;
  const composer = document.querySelector("[data-composer]");
  if (composer) composer.dataset.live = live;
  for (const tab of document.querySelectorAll("[data-lane-tab]")) {
    const last = [...document.querySelectorAll(`${tab.hash} .answer`)].at(-1);
    tab.toggleAttribute("data-done", Boolean(live && last && isOver(last)));
  }
  return live;
}

function title(live) {
  const name = document.querySelector("[data-page-title]")?.textContent.trim();
  if (!name) return;
  document.title = `${unread ? "• " : live ? "◉ " : ""}${name} · Playground`;
  const field = document.querySelector("[data-title-input]");
  if (field && field !== document.activeElement) field.value = field.defaultValue = name;
}

export function refresh() {
  mirror();
  title(count());
}

document.addEventListener("htmx:wsAfterMessage", ({ detail }) => {
  if (/data-status|data-page-title|"lanes?"/.test(detail.message)) refresh();
});
document.addEventListener("htmx:afterOnLoad", refresh);
document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-title-input]")) return;
  document.querySelector("[data-page-title]").textContent = target.value;
  refresh();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = false;
  refresh();
});
refresh();
