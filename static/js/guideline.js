// The guideline beside the work: citing. That the time in the panel is no judging time, compare.js sees to.
"use strict";
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-cite]");
  const choice = document.getElementById("principle");
  if (!button || !choice) return;
  choice.value = choice.value === button.dataset.cite ? "" : button.dataset.cite; // again: taken back
  choice.dispatchEvent(new Event("input", { bubbles: true }));
  document.getElementById("say").textContent = choice.selectedOptions[0].textContent;
  button.closest("[popover]").hidePopover();
});
const showCited = () => { // beside the key that opens the guideline, also when the rail is out of sight
  const cited = document.getElementById("cited");
  if (cited) cited.textContent = document.getElementById("principle")?.value ?? "";
};
document.addEventListener("input", showCited);
document.addEventListener("htmx:load", showCited);
document.addEventListener("keydown", (event) => { // a chosen principle gives the keys back to the questions
  if (event.target.id !== "principle" || event.ctrlKey || !/^(Enter|Escape)$/.test(event.key)) return;
  event.preventDefault();
  event.target.blur();
});
