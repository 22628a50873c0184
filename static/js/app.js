/* Progressive enhancement. Every page works without this file.
 *
 * One listener per concern, on the document, so that what htmx swaps in works at once. Sentences come from
 * components/ui_text.html and so from the translations. Nothing is written into the page as markup.
 */
(() => {
  "use strict";

  const root = document.documentElement;
  root.classList.add("js");

  const text = (name) => document.getElementById("ui-text")?.dataset[name] ?? "";
  const isTyping = (element) =>
    element.isContentEditable || element.matches("input:not([type=checkbox], [type=radio]), textarea, select");
  const remember = {
    read: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    write: (key, value) => { try { localStorage.setItem(key, value); } catch { /* A private window forgets; so be it. */ } },
  };

  /* ---- Announcements and toasts ---- */

  const announce = (sentence) => {
    const region = document.getElementById("announcer");
    if (!region || !sentence) return;
    // Emptied first, so that the same sentence twice is heard twice.
    region.textContent = "";
    setTimeout(() => { region.textContent = sentence; }, 60);
  };

  const SHOWN_FOR_MS = 8000;

  const dismissible = (toast) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text("close");
    button.addEventListener("click", () => toast.remove());
    return button;
  };

  const keepUntilRead = (toast) => {
    const leave = () => setTimeout(() => toast.matches(":hover, :focus-within") ? leave() : toast.remove(), SHOWN_FOR_MS);
    leave();
  };

  const showToast = (sentence, tone = "info") => {
    if (!sentence) return;
    const toast = document.createElement("div");
    toast.className = `toast toast--${tone}`;
    const words = document.createElement("span");
    words.className = "toast__text";
    words.textContent = sentence;
    toast.append(words, dismissible(toast));
    document.getElementById("toasts")?.append(toast);
    // Bad news stays until it is dismissed.
    if (tone !== "danger") keepUntilRead(toast);
  };

  document.addEventListener("toast", (event) => showToast(event.detail?.text, event.detail?.tone));

  /* ---- htmx ---- */

  document.addEventListener("htmx:afterSettle", (event) => {
    prepare(event.target);
    const said = event.target.closest?.("[data-announce]") ?? event.target.querySelector?.("[data-announce]");
    if (said) announce(said.dataset.announce || text("loaded"));
  });
  document.addEventListener("htmx:responseError", (event) => {
    const refused = event.detail.xhr.status === 403 || event.detail.xhr.status === 404 || event.detail.xhr.status === 409;
    showToast(text(refused ? "requestRefused" : "requestFailed"), "danger");
  });
  document.addEventListener("htmx:sendError", () => showToast(text("offline"), "danger"));
  document.addEventListener("htmx:timeout", () => showToast(text("offline"), "danger"));
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest?.("form");
    // A look-up while typing is no sending of the form.
    if (!form || event.detail.requestConfig?.verb === "get" || event.target.closest("[data-lookup]")) return;
    release(form);
    if (event.detail.successful) delete form.dataset.dirty;
  });

  /* ---- Sending once ---- */

  const release = (form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[data-held]").forEach((button) => {
      button.removeAttribute("aria-disabled");
      delete button.dataset.held;
    });
  };

  // A form that is still there after this was answered with a file or not at all; it must not stay dead.
  const HELD_FOR_MS = 15000;

  const hold = (form, button) => {
    form.dataset.sent = "yes";
    setTimeout(() => release(form), HELD_FOR_MS);
    if (!button) return;
    button.setAttribute("aria-disabled", "true");
    button.dataset.held = "yes";
    announce(text("sending"));
  };

  // In the capture phase: a second press is stopped before htmx hears of it.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if ((event.submitter?.formMethod || form.method) !== "post" || "repeatable" in form.dataset) return;
    if (form.dataset.sent) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    hold(form, event.submitter);
  }, true);

  // The browser's back button may bring the page back as it was left.
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(release));

  /* ---- Leaving with something unsaved ---- */

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && "guardUnsaved" in form.dataset) form.dataset.dirty = "yes";
  });
  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector("form[data-dirty]:not([data-sent])")) event.preventDefault();
  });

  /* ---- Copying, dialogs, menus ---- */

  const copy = async (button) => {
    const source = button.dataset.copyFrom ? document.querySelector(button.dataset.copyFrom) : null;
    try {
      await navigator.clipboard.writeText(source ? source.textContent.trim() : button.dataset.copy);
      showToast(text("copied"), "success");
    } catch {
      showToast(text("copyFailed"), "danger");
    }
  };

  const openDialog = (event, opener) => {
    const dialog = document.getElementById(opener.dataset.opens);
    if (!dialog?.showModal) return;
    event.preventDefault();
    dialog.showModal();
    dialog.querySelector("[autofocus], input:not([type=hidden]), textarea, select")?.focus();
  };

  document.addEventListener("click", (event) => {
    // A click with a modifier means "in a new tab": the link is left to the browser.
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const copier = event.target.closest("[data-copy], [data-copy-from]");
    const opener = event.target.closest("[data-opens]");
    const closer = event.target.closest("[data-closes]");
    if (copier) copy(copier);
    if (opener) openDialog(event, opener);
    if (closer?.closest("dialog")) { event.preventDefault(); closer.closest("dialog").close(); }
    if (event.target.matches("dialog") && !event.target.querySelector("[data-dirty]")) closeWhenOutside(event);
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });

  const closeWhenOutside = (event) => {
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside && !event.target.querySelector("form:not([method=dialog])")) event.target.close();
  };

  /* ---- Keyboard shortcuts ---- */

  const SWITCH = "single-key-shortcuts";
  const SEQUENCE_MS = 1200;
  let typed = "";
  let typedAt = 0;

  const shortcutsOn = () => remember.read(SWITCH) !== "off";
  const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;
  const shortcutsOf = (keys) =>
    [...document.querySelectorAll("[data-shortcut]")].filter((element) => element.dataset.shortcut === keys && visible(element));
  const beginsShortcut = (keys) =>
    [...document.querySelectorAll("[data-shortcut]")].some((element) => element.dataset.shortcut.startsWith(`${keys} `));

  const activate = (element) => {
    if (element.matches("input, textarea, select")) {
      element.focus();
      element.select?.();
    } else {
      element.focus();
      element.click();
    }
  };

  const moveRow = (step) => {
    const links = [...document.querySelectorAll("[data-row-link]")].filter(visible);
    const next = links.indexOf(document.activeElement) + (document.activeElement.matches("[data-row-link]") ? step : step > 0 ? 1 : 0);
    links[Math.max(0, Math.min(links.length - 1, next))]?.focus();
    return links.length > 0;
  };

  const pressed = (key) => {
    const now = Date.now();
    const keys = typed && now - typedAt < SEQUENCE_MS ? `${typed} ${key}` : key;
    const [target] = [...shortcutsOf(keys), ...shortcutsOf(key)];
    if (target) { typed = ""; activate(target); return true; }
    typed = beginsShortcut(keys) ? keys : "";
    typedAt = now;
    if (key === "j") return moveRow(1);
    if (key === "k") return moveRow(-1);
    return typed !== "";
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.key.length !== 1) return;
    if (!shortcutsOn() || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (pressed(event.key)) event.preventDefault();
  });

  const nameOf = (element) =>
    element.dataset.shortcutLabel || element.getAttribute("aria-label") ||
    (element.querySelector("[data-shortcut-label]") ?? element.querySelector("span:not(.keys)") ?? element).textContent.trim();

  const describeShortcut = (element) => {
    const row = document.createElement("div");
    const name = document.createElement("dt");
    const keys = document.createElement("dd");
    name.textContent = nameOf(element);
    element.dataset.shortcut.split(" ").forEach((key) => {
      const cap = document.createElement("kbd");
      cap.textContent = key;
      keys.append(cap, " ");
    });
    row.dataset.found = "yes";
    row.append(name, keys);
    return row;
  };

  const listShortcuts = () => {
    const list = document.querySelector("[data-shortcut-list]");
    if (!list) return;
    list.querySelectorAll("[data-found]").forEach((row) => row.remove());
    const all = [...document.querySelectorAll("[data-shortcut]")];
    // The same keys twice do the same; the first is listed, as it is the first that is pressed.
    const once = all.filter((element, at) => all.findIndex((other) => other.dataset.shortcut === element.dataset.shortcut) === at);
    list.prepend(...once.map(describeShortcut));
  };

  const markShortcuts = () => {
    const on = shortcutsOn();
    root.classList.toggle("no-shortcuts", !on);
    document.querySelectorAll("[data-shortcut]").forEach((element) => {
      // A sequence cannot be said in aria-keyshortcuts, only a single key.
      if (on && element.dataset.shortcut.length === 1) element.setAttribute("aria-keyshortcuts", element.dataset.shortcut);
      else element.removeAttribute("aria-keyshortcuts");
    });
    listShortcuts();
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-shortcuts-switch]")) {
      remember.write(SWITCH, event.target.checked ? "on" : "off");
      markShortcuts();
    }
    if (event.target.matches("[data-upload] input[type=file]")) listFiles(event.target);
  });

  /* ---- Chosen files ---- */

  const sizeOf = (bytes) => {
    const [unit, divisor, digits] = bytes < 1e6 ? ["kilobyte", 1e3, 0] : ["megabyte", 1e6, 1];
    const format = new Intl.NumberFormat(root.lang, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits });
    return format.format(Math.max(bytes / divisor, digits ? 0 : 1));
  };

  const listFiles = (input) => {
    const upload = input.closest("[data-upload]");
    const limit = Number(upload.dataset.maxBytes || Infinity);
    const tooLarge = [...input.files].some((file) => file.size > limit);
    input.setCustomValidity(tooLarge ? text("fileTooLarge") : "");
    upload.querySelector("[data-upload-files]").replaceChildren(...[...input.files].map((file) => {
      const row = document.createElement("li");
      const name = document.createElement("span");
      const size = document.createElement("span");
      name.textContent = file.name;
      size.textContent = file.size > limit ? `${sizeOf(file.size)} · ${text("fileTooLarge")}` : sizeOf(file.size);
      size.classList.toggle("too-large", file.size > limit);
      row.append(name, size);
      return row;
    }));
  };

  /* ---- Times as a person says them ---- */

  const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

  const relative = (moment, now) => {
    const seconds = (moment - now) / 1000;
    const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["minute", 60];
    return new Intl.RelativeTimeFormat(root.lang, { numeric: "auto" }).format(Math.trunc(seconds / size), unit);
  };

  // Beyond a week a date says more than "23 days ago".
  const WEEK_MS = 7 * 86400 * 1000;

  const sayTimes = (within) => within.querySelectorAll?.("time[data-relative]").forEach((element) => {
    element.dataset.exact ??= element.textContent.trim();
    const moment = Date.parse(element.dateTime);
    const near = Math.abs(moment - Date.now()) < WEEK_MS;
    element.title = near ? element.dataset.exact : "";
    element.textContent = near ? relative(moment, Date.now()) : element.dataset.exact;
  });

  /* ---- Text areas that grow, where CSS cannot ---- */

  const grow = (area) => {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  };
  if (!CSS.supports("field-sizing", "content")) {
    document.addEventListener("input", (event) => { if (event.target.matches("textarea")) grow(event.target); });
  }

  /* ---- When a page or a fragment arrives ---- */

  const prepare = (within) => {
    sayTimes(within);
    markShortcuts();
  };

  const start = () => {
    prepare(document);
    const box = document.querySelector("[data-shortcuts-switch]");
    if (box) box.checked = shortcutsOn();
    document.querySelector("[data-focus]")?.focus();
    setInterval(() => sayTimes(document), 60000);
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
