// Where no socket opens (a proxy, a policy), htmx would queue in memory for ever: here forms post themselves and the page asks for news.
import { isGone, isOpen, say } from "./connection.js";

const PATIENCE = 3_000;
const PAUSE = 2_000;
const element = document.querySelector("[data-socket]");
const connects = Boolean(element?.getAttribute("ws-connect"));

function addToken(form) {
  if (!form || form.elements.csrfmiddlewaretoken) return;
  form.append(document.querySelector("#act [name=csrfmiddlewaretoken]").cloneNode());
}

// Before htmx hears of it: what it does not hear, the browser does in its own way.
function keepNative(event) {
  const sender = event.target.closest?.("[ws-send]");
  if (!sender || isOpen()) return;
  if ((event.type === "submit") !== sender.matches("form")) return;
  event.stopPropagation();
  if (navigator.onLine) addToken(sender.form ?? sender);
  else {
    event.preventDefault();
    say("offline");
  }
}
document.addEventListener("submit", keepNative, true);
document.addEventListener("click", keepNative, true);

let closedSince = performance.now();
setInterval(() => {
  if (isOpen() || isGone() || !connects) {
    closedSince = performance.now();
    document.body.removeAttribute("data-offline");
    return;
  }
  if (performance.now() - closedSince < PATIENCE || !navigator.onLine) return;
  document.body.setAttribute("data-offline", "");
  // A menu that is open belongs to lanes that the news would replace.
  if (document.hidden || document.querySelector(":popover-open")) return;
  htmx.ajax("GET", element.dataset.fragmentUrl, { source: element, target: element, swap: "none" }).then(
    () => isOpen() || say("polling"),
    () => isOpen() || say("reconnecting"),
  );
}, PAUSE);
