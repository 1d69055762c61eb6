// A button that copies a text the page shows anyway, and says so. Without a safe connection it can only be selected.
"use strict";
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  getSelection().selectAllChildren(source);
  if (!navigator.clipboard) return;
  await navigator.clipboard.writeText(source.textContent.trim());
  button.textContent = button.dataset.copied;
  document.getElementById("say").textContent = button.dataset.copied;
});
