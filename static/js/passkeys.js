// Passkeys: only script reaches the device that holds them.

const REFUSED = "The device did not confirm. Try again, or use another way.";
const UNABLE = "This browser cannot use passkeys here. They need https, or localhost, and a current browser.";

async function optionsOf(button) {
  if (button.dataset.options) return JSON.parse(button.dataset.options);
  const response = await fetch(button.dataset.optionsUrl, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${response.status} for ${button.dataset.optionsUrl}`);
  return (await response.json()).request_options;
}

function create(publicKey, alone) {
  // Signing in with it alone needs a key that the device finds by itself, and proof of whose finger it is.
  const selection = alone
    ? { residentKey: "required", requireResidentKey: true, userVerification: "required" }
    : { residentKey: "discouraged", requireResidentKey: false };
  const wanted = { ...publicKey, authenticatorSelection: { ...publicKey.authenticatorSelection, ...selection } };
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(wanted) });
}

function show(form, text) {
  const problem = form.querySelector("[data-passkey-problem]");
  problem.textContent = text;
  problem.hidden = !text;
}

async function confirm(button) {
  const { form } = button;
  show(form, "");
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) return show(form, UNABLE);
  button.disabled = true;
  try {
    const { publicKey } = await optionsOf(button);
    const credential = button.dataset.passkey === "create"
      ? await create(publicKey, form.elements.passwordless?.checked)
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  } catch (error) {
    show(form, error.name === "SecurityError" ? UNABLE : REFUSED);
  } finally {
    button.disabled = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-passkey]");
  if (!button) return;
  event.preventDefault();
  confirm(button);
});
