// A socket knows only its URL: the page says as of when it shows the chat, and the server sends what is missing.
const stamp = () => document.querySelector("[data-stamp]")?.dataset.stamp ?? "";

document.addEventListener("htmx:wsOpen", ({ detail }) => {
  detail.socketWrapper.sendImmediately(JSON.stringify({ action: "hello", stamp: stamp() }));
});
