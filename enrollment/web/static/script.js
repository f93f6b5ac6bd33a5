// Comfort only: every page works without this script.
"use strict";
(() => {
  const forms = document.querySelectorAll("form");

  // A form is sent once. Coming back to the page makes it new.
  let sending = false;
  for (const form of forms) {
    form.addEventListener("submit", (event) => {
      if (sending) { event.preventDefault(); return; }
      sending = true;
    });
  }
  addEventListener("pageshow", () => { sending = false; });

  // The last digit of a code sends the form. Typing on within a moment does not.
  for (const field of document.querySelectorAll("[data-submit]")) {
    let timer;
    field.addEventListener("input", () => {
      clearTimeout(timer);
      const text = field.value.replace(/[\s-]/g, "");
      if (/^\d+$/.test(text) && text.length === Number(field.dataset.submit)) {
        timer = setTimeout(() => field.form.requestSubmit(), 250);
      }
    });
  }

  // Of several codes, each but the last leads to the field of the next.
  for (const field of document.querySelectorAll("[data-next]")) {
    field.addEventListener("input", () => {
      if (field.value.replace(/\D/g, "").length === Number(field.dataset.next)) {
        field.closest(".field").nextElementSibling.querySelector("input").focus();
      }
    });
  }

  for (const label of document.querySelectorAll("[data-wait]")) {
    const end = Date.now() + Number(label.dataset.wait) * 1000;
    const show = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left <= 0) {
        label.removeAttribute("aria-hidden"); // the alert is read again
        label.textContent = label.dataset.over;
        return;
      }
      const part = (n) => String(n).padStart(2, "0");
      label.textContent = (left >= 3600 ? Math.floor(left / 3600) + ":" + part(Math.floor(left / 60) % 60) : Math.floor(left / 60)) + ":" + part(left % 60);
      setTimeout(show, 250);
    };
    show();
  }

  const copies = (button, text) => {
    if (!navigator.clipboard) return;
    button.hidden = false;
    const before = button.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text());
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = before; }, 2000);
    });
  };
  for (const button of document.querySelectorAll("[data-copy]")) {
    copies(button, () => document.getElementById(button.dataset.copy).textContent);
  }
  for (const button of document.querySelectorAll("[data-copy-codes]")) {
    copies(button, () => Array.from(document.querySelectorAll(".recovery-codes ol code"), (code) => code.textContent).join("\n"));
  }
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }

  // Times in the zone of the reader.
  const zone = new Intl.DateTimeFormat(document.documentElement.lang || undefined, { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
  for (const time of document.querySelectorAll("time[datetime]")) {
    time.textContent = zone.format(new Date(time.dateTime));
  }
})();
