// What every screen at the desk shares: its words, what this person chose, and answers on their way to the server.
// An answer is kept on this device before it leaves and until the server has it, so neither a lost connection, nor a
// closed tab, nor the end of a session loses it. It names the revision it makes, so sending it twice makes one.
"use strict";
const $ = (where, within = document) => within.querySelector(where);
const all = (where, within = document) => [...within.querySelectorAll(where)];
const root = document.documentElement;
const mine = (what) => `${what}:${document.body.dataset.person}`;
const stored = (key) => JSON.parse(localStorage.getItem(key));
const store = (key, value) => localStorage.setItem(key, JSON.stringify(value));
const tell = (name, values = {}) => $("#words").dataset[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
const say = (text) => { $("#say").textContent = text; };
const fieldsOf = (form) => [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");

// --- ways to read: a button sets them, this device remembers them ---------------------------------
function choose(name, value) {
  root.dataset[name] = value;
  for (const button of all(`[data-set="${name}"]`)) button.setAttribute("aria-pressed", button.dataset.to === value);
}
function recall() {
  for (const name of new Set(all("[data-set]").map((button) => button.dataset.set)))
    choose(name, localStorage.getItem(mine(name)) || $(`[data-set="${name}"]`).dataset.to);
}

// --- answers on their way -------------------------------------------------------------------------
const WAITS = [2, 5, 15, 30]; // seconds until it is sent again
const LONGEST_COPY = 14 * 24 * 3600 * 1000; // milliseconds that a copy of a draft is kept
const outbox = () => mine(`answer:${$("#words").dataset.queue}`);
let tries = 0, again, slow;

function wait(text) {
  $("#waiting").hidden = !text;
  $("#waiting span").textContent = text;
  if (text) say(text);
}

function send() {
  clearTimeout(again);
  const answer = stored(outbox());
  if (!answer) return;
  const values = new FormData();
  for (const [name, value] of answer.fields) values.append(name, value);
  const how = { source: "#desk", target: "#work", swap: "outerHTML show:window:top", values };
  htmx.ajax("POST", answer.path, how).catch(() => {}); // what went wrong is told by events
}

function later() {
  const waiting = stored(outbox());
  wait(tell(waiting ? "offline" : "trouble"));
  if (waiting) again = setTimeout(send, WAITS[Math.min(tries++, WAITS.length - 1)] * 1000);
}

document.addEventListener("htmx:beforeRequest", ({ detail: { elt, target, requestConfig } }) => {
  if (target.id !== "work") return;
  clearTimeout(slow);
  slow = setTimeout(() => { $("#loading").hidden = false; say(tell("loading")); }, 300);
  if (elt.id !== "answers") return;
  const fields = [...requestConfig.formData].filter(([name]) => name !== "csrfmiddlewaretoken");
  store(outbox(), { path: requestConfig.path, copy: elt.dataset.copy, fields });
});
document.addEventListener("htmx:afterRequest", ({ detail: { elt, xhr, requestConfig } }) => {
  if (requestConfig.target.id !== "work") return;
  const { status } = xhr;
  clearTimeout(slow);
  $("#loading").hidden = true;
  if (elt.id !== "answers" && elt.id !== "desk") return wait(status ? "" : tell("trouble"));
  if (xhr.getResponseHeader("HX-Retarget")) return wait(tell("signedOut"));
  if (!status || status === 403 || status === 429 || status >= 500) return later();
  const answer = stored(outbox());
  localStorage.removeItem(outbox());
  tries = 0;
  wait(status < 400 || status === 409 || status === 422 ? "" : tell("refused"));
  if (answer && status < 400) localStorage.removeItem(mine(`draft:${answer.copy}`));
});
addEventListener("online", send);

// --- signed out: the sign-in comes in a dialog, and the answer then goes on ------------------------
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id === "sign-in" && !target.open) target.showModal();
});
document.addEventListener("signedIn", ({ detail: { person, token } }) => {
  if (String(person) !== document.body.dataset.person) return location.assign($("#words").dataset.home);
  for (const field of all("[name=csrfmiddlewaretoken]")) field.value = token;
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
  $("#sign-in").close();
  if (tries < 2) setTimeout(send); // after the request that brought this has ended
});

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button, a");
  if (!button) return;
  const { set, to } = button.dataset;
  if (set) { localStorage.setItem(mine(set), to); choose(set, to); }
  if (button.matches("[data-send]")) send();
  if (button.matches("[data-close]")) button.closest("dialog").close();
});
document.addEventListener("htmx:load", recall);
for (const key of Object.keys(localStorage)) {
  if (key.startsWith("draft:") && Date.now() - stored(key).at > LONGEST_COPY) localStorage.removeItem(key);
}
addEventListener("load", send); // what an earlier visit could not
