// What a page says on its socket without being asked: htmx's extension greets nobody and acknowledges nothing.
const stamp = () => document.querySelector("[data-stamp]")?.dataset.stamp ?? "";

// A socket knows only its URL: the page says as of when it shows the chat, and the server sends what is missing.
document.addEventListener("htmx:wsOpen", ({ detail }) => {
  detail.socketWrapper.sendImmediately(JSON.stringify({ action: "hello", stamp: stamp() }));
});

// The server sends no more than the page has taken in.
document.addEventListener("htmx:wsAfterMessage", ({ detail }) => {
  const frame = /^<!--f:(\d+)-->/.exec(detail.message);
  if (frame) detail.socketWrapper.sendImmediately(JSON.stringify({ action: "ack", frame: Number(frame[1]) }));
});

// Neither the token of a form nor htmx's headers belong in a frame: the handshake proved who speaks.
document.addEventListener("htmx:wsConfigSend", ({ detail }) => {
  delete detail.parameters.csrfmiddlewaretoken;
  detail.headers = null;
});
