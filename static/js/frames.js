// What a page says on its socket without being asked: htmx's extension greets nobody and acknowledges nothing.
import { isOpen } from "./connection.js";

const stamp = () => document.querySelector("[data-stamp]")?.dataset.stamp ?? "";

// The server sends no more than the page has taken in; it need not hear of each small frame at once.
const FRAMES = 4;
const CHARACTERS = 32_000;
const MILLISECONDS = 150;
let taken = 0;
let acknowledged = 0;
let timer = 0;

function acknowledge(wrapper) {
  clearTimeout(timer);
  timer = 0;
  if (!isOpen()) return;
  acknowledged = taken;
  wrapper.sendImmediately(JSON.stringify({ action: "ack", frame: taken }));
}

// A socket knows only its URL: the page says as of when it shows the chat, and the server sends what is missing.
document.addEventListener("htmx:wsOpen", ({ detail }) => {
  clearTimeout(timer);
  timer = taken = acknowledged = 0;
  detail.socketWrapper.sendImmediately(JSON.stringify({ action: "hello", stamp: stamp() }));
});

document.addEventListener("htmx:wsAfterMessage", ({ detail }) => {
  const frame = /^<!--f:(\d+)-->/.exec(detail.message);
  if (!frame) return;
  taken = Number(frame[1]);
  const due = taken - acknowledged >= FRAMES || detail.message.length > CHARACTERS;
  if (due) acknowledge(detail.socketWrapper);
  else timer ||= setTimeout(acknowledge, MILLISECONDS, detail.socketWrapper);
});

// Neither the token of a form nor htmx's headers belong in a frame: the handshake proved who speaks.
document.addEventListener("htmx:wsConfigSend", ({ detail }) => {
  delete detail.parameters.csrfmiddlewaretoken;
  detail.headers = null;
});
