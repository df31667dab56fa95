// The server sends no more than the page has taken in: htmx's socket extension acknowledges nothing by itself.
document.addEventListener("htmx:wsAfterMessage", ({ detail }) => {
  const frame = /^<!--f:(\d+)-->/.exec(detail.message);
  if (frame) detail.socketWrapper.sendImmediately(JSON.stringify({ action: "ack", frame: Number(frame[1]) }));
});

// Neither the token of a form nor htmx's headers belong in a frame: the handshake proved who speaks.
document.addEventListener("htmx:wsConfigSend", ({ detail }) => {
  delete detail.parameters.csrfmiddlewaretoken;
  detail.headers = null;
});
