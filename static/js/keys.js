// The markup is the map: a control with data-key is pressed by that key, and shows it. This script only obeys.
"use strict";
const typing = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])";
// What is chosen needs no second press: so one key on both sides of a switch turns it over. A chip is taken back.
const ready = (control) => control.checkVisibility() && !control.matches(':disabled, [type=radio]:checked, [aria-pressed="true"]:not([data-toggle])');

document.addEventListener("keydown", (event) => {
  const mode = localStorage.getItem(`keys:${document.body.dataset.person}`) || "on"; // on, alt or off: one may switch single keys away
  const composed = event.getModifierState("AltGraph"); // how some keyboards type [ and ]
  const alt = event.altKey && !composed;
  if (event.isComposing || event.defaultPrevented || event.metaKey || (event.ctrlKey && !composed)) return;
  if (event.target.closest(typing) || document.querySelector(":popover-open, dialog[open]")) return;
  if (event.key === "Enter" ? alt || event.target.closest("a, button, summary") : mode === "off" || alt !== (mode === "alt")) return;
  const key = alt && /^(Key|Digit)/.test(event.code) ? event.code.slice(-1) : event.key;
  const name = CSS.escape(key.length === 1 ? key.toLowerCase() : key);
  const control = [`[data-active] [data-key="${name}"]`, `[data-key="${name}"]:not(.q *)`]
    .map((where) => [...document.querySelectorAll(where)].findLast(ready)).find(Boolean);
  if (!control) return;
  event.preventDefault();
  control.click();
});

// What is wider than its place is scrolled by keys too.
document.addEventListener("htmx:load", () => {
  for (const wide of document.querySelectorAll(".prose :is(table, pre, .md-table, .md-math)"))
    if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
});
