/* Passkeys: asks the browser for one, and sends its answer with the form. Without this the page offers its other ways. */
(() => {
  "use strict";

  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const known = (credentials) => (credentials || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const make = async (options) => {
    const publicKey = {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: known(options.excludeCredentials),
    };
    const made = await navigator.credentials.create({ publicKey });
    return {
      ...named(made),
      clientExtensionResults: made.getClientExtensionResults(),
      response: {
        attestationObject: text(made.response.attestationObject),
        clientDataJSON: text(made.response.clientDataJSON),
        transports: made.response.getTransports?.() || [],
      },
    };
  };

  const use = async (options) => {
    const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: known(options.allowCredentials) };
    const used = await navigator.credentials.get({ publicKey });
    const { authenticatorData, clientDataJSON, signature, userHandle } = used.response;
    return {
      ...named(used),
      response: {
        authenticatorData: text(authenticatorData),
        clientDataJSON: text(clientDataJSON),
        signature: text(signature),
        userHandle: userHandle && userHandle.byteLength ? text(userHandle) : null,
      },
    };
  };

  const named = (credential) => ({ id: credential.id, rawId: text(credential.rawId), type: credential.type });

  const say = (form, sentence) => {
    const place = form.querySelector("[data-passkey-trouble]");
    place.textContent = sentence;
    place.hidden = false;
  };

  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    const { passkey, passkeyOptions, passkeyMissing, passkeyCancelled } = form.dataset;
    if (!window.PublicKeyCredential) return say(form, passkeyMissing);
    form.querySelector("[data-passkey-ask]").addEventListener("click", async (event) => {
      if (!form.reportValidity()) return;
      const button = event.currentTarget;
      button.disabled = true;
      try {
        const answer = await (passkey === "make" ? make : use)(JSON.parse(passkeyOptions));
        form.querySelector("[data-passkey-answer]").value = JSON.stringify(answer);
        form.requestSubmit();
      } catch {
        say(form, passkeyCancelled);
      } finally {
        button.disabled = false;
      }
    });
  });
})();
