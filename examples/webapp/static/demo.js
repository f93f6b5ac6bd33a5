// The phone of the demonstration shows its next code in time, and types it.
"use strict";
for (const shown of document.querySelectorAll("[data-codes]")) {
  const codes = JSON.parse(shown.dataset.codes);
  const show = () => {
    const now = Date.now();
    const present = codes.filter((c) => c.from <= now).pop() || codes[0];
    shown.textContent = present.code;
    const next = codes.find((c) => c.from > now);
    if (next) setTimeout(show, next.from - now + 50);
  };
  show();
  const field = document.querySelector("main input.code:not([value])");
  const button = shown.parentElement.querySelector("[data-type]");
  if (!field || !button) continue;
  button.hidden = false;
  button.addEventListener("click", () => {
    field.value = shown.textContent;
    field.form.requestSubmit();
  });
}
