// Extras. Every page works without them.
"use strict";

for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  time.textContent = at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const said = document.getElementById("copied");
      const codes = [...document.querySelectorAll("#" + button.dataset.copy + " code")];
      try {
        await navigator.clipboard.writeText(codes.map((c) => c.textContent).join("\n") + "\n");
        said.textContent = "Copied.";
      } catch {
        said.textContent = "Your browser did not allow this. Select the codes and copy them.";
      }
    });
  }
}
