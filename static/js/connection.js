// htmx's socket extension hears no silence and reconnects after four close codes only; the rest is here.
const SILENCE = 35_000; // the server beats every 15 s
const PATIENCE = 2_000; // before the banner speaks
const BY_EXTENSION = [1006, 1011, 1012, 1013];
const SIGNED_OUT = 4401;
const GONE = 4404;

let socket = null;
let wrapper = null;
let heard = 0;
let retries = 0;
let gone = false;

export const isOpen = () => socket?.readyState === WebSocket.OPEN;
export const isGone = () => gone;

export function say(state) {
  const banner = document.querySelector("[data-connection]");
  if (banner && banner.dataset.state !== state) banner.dataset.state = state;
}

const delay = (count) => Math.min(8_000, 500 * 2 ** count) * (0.5 + Math.random() / 2);
htmx.config.wsReconnectDelay = delay;

// One socket at a time, whoever asked for the new one.
htmx.createWebSocket = (url) => {
  if (socket && socket.readyState < WebSocket.CLOSING) {
    socket.onclose = null;
    socket.close();
  }
  socket = new WebSocket(url);
  return socket;
};

function reconnect() {
  if (!gone && wrapper && !isOpen() && socket.readyState !== WebSocket.CONNECTING) wrapper.reconnect();
}

function showState() {
  if (gone) return say("gone");
  if (isOpen()) return say("");
  if (!navigator.onLine) return say("offline");
  if (performance.now() - heard > PATIENCE && !document.body.hasAttribute("data-offline")) say("reconnecting");
}

document.addEventListener("htmx:wsOpen", ({ detail }) => {
  wrapper = detail.socketWrapper;
  heard = performance.now();
  retries = 0;
  showState();
});

document.addEventListener("htmx:wsClose", ({ target, detail }) => {
  wrapper = detail.socketWrapper;
  if (detail.event.target !== socket) return;
  if (detail.event.code === SIGNED_OUT) {
    location.assign(`${target.dataset.signInUrl}?next=${encodeURIComponent(location.pathname)}`);
  } else if (detail.event.code === GONE) {
    gone = true;
  } else if (!BY_EXTENSION.includes(detail.event.code)) {
    setTimeout(reconnect, delay(retries++));
  }
  setTimeout(showState, PATIENCE + 50);
});

document.addEventListener("htmx:wsBeforeMessage", () => (heard = performance.now()));

document.addEventListener("click", (event) => event.target.closest("[data-reconnect]") && reconnect());
addEventListener("online", reconnect);
addEventListener("offline", showState);
setInterval(() => {
  if (isOpen() && performance.now() - heard > SILENCE) wrapper.reconnect();
  showState();
}, 5_000);
