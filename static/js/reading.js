// Details that a person opened or closed stay so with the next pair: each by the name in its data-remember.
"use strict";
document.addEventListener("toggle", ({ target }) => {
  if (target.dataset?.remember) localStorage.setItem(`open:${target.dataset.remember}`, target.open);
}, true);
document.addEventListener("htmx:load", ({ target }) => {
  for (const details of target.querySelectorAll("[data-remember]"))
    details.open = localStorage.getItem(`open:${details.dataset.remember}`) === "true";
});
