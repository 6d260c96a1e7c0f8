"use strict";
// Forms with data-passkey have the browser ask for a passkey, and send what it says along.
(() => {
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  // An act is signed with its words: the same digest as passkeys.bound.
  async function challenge(form, given) {
    if (!form.dataset.words) return bytes(given);
    const words = form.dataset.words.split(" ").map((name) =>
      name.startsWith("=") ? name.slice(1)
        : form.elements[name].value.replace(/\r\n/g, "\n").trim());
    const told = JSON.stringify(["casemate-act/1", form.elements.nonce.value, ...words]);
    return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(told)));
  }

  async function ask(form) {
    const options = JSON.parse(form.dataset.options);
    options.challenge = await challenge(form, options.challenge);
    for (const each of [...(options.excludeCredentials || []), ...(options.allowCredentials || [])])
      each.id = bytes(each.id);
    if (options.user) options.user.id = bytes(options.user.id);
    const made = form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: options })
      : await navigator.credentials.get({ publicKey: options });
    const said = made.response;
    const response = { clientDataJSON: text(said.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"])
      if (said[name]) response[name] = text(said[name]);
    return JSON.stringify({
      id: made.id, rawId: text(made.rawId), type: made.type, response,
      clientExtensionResults: {},
    });
  }

  // Of the document: a page that renews itself may put another form in its place.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-passkey]")) return;
    event.preventDefault();
    const told = form.querySelector("[role=status]");
    try {
      form.elements.passkey.value = await ask(form);
      form.submit();
    } catch (error) {
      told.textContent = `No passkey was used: ${error.message}`;
    }
  });
})();
