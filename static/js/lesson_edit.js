// What a manager answers is known: its tick comes by itself, and can be taken away.
"use strict";
document.addEventListener("input", (event) => {
  const key = (event.target.name || "").split(".")[0];
  const tick = event.target.closest(".tell") && document.querySelector(`[name=known][value="${CSS.escape(key)}"]`);
  if (tick) tick.checked = true;
});
