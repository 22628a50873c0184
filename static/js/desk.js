/* Enhancement of the desk: tick all items of a page, and mark a passage by selecting it. */
(() => {
  "use strict";

  document.addEventListener("change", (event) => {
    const all = event.target.closest("[data-tick-all]");
    if (!all) return;
    document.querySelectorAll(`input[type=checkbox][name="${all.dataset.tickAll}"]`).forEach((box) => { box.checked = all.checked; });
  });

  // What is selected within one field goes into the form; the server finds it in the text again.
  const fieldOf = (node) => (node?.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest?.("[data-field]");

  document.addEventListener("selectionchange", () => {
    const form = document.querySelector("[data-passage-form]");
    const selection = document.getSelection();
    if (!form || !selection || selection.isCollapsed) return;
    const field = fieldOf(selection.anchorNode);
    if (!field || field !== fieldOf(selection.focusNode)) return;
    const choice = [...form.elements.field.options].find((option) => option.value === field.dataset.field);
    if (!choice) return;
    form.elements.field.value = choice.value;
    form.elements.passage.value = selection.toString();
  });
})();
