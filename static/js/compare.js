// What the comparison screen cannot say in markup: which question is next, what is missing, how long it took.
"use strict";
const $ = (where, within = document) => within.querySelector(where);
const all = (where, within = document) => [...within.querySelectorAll(where)];
const root = document.documentElement;
const sheet = matchMedia("(max-width: 1080px)");
let pair, seen, since, warn, end;

const questions = () => all(".q:not(:disabled)");
const filled = (field) => (/radio|checkbox/.test(field.type) ? field.checked : field.value.trim());
const fields = (need) => (need.matches("input, textarea") ? [need] : all("input", need));
const gaps = (within = document) =>
  all("[data-needed]", within).filter((need) => !need.closest("fieldset:disabled") && !fields(need).some(filled));
const say = (text) => { $("#say").textContent = text; };

function refresh() {
  const leans = new Set(all('[data-asked="always"] [data-leans]:checked').map((step) => step.dataset.leans));
  for (const q of all('.q[data-asked="on_conflict"]')) q.disabled = leans.size < 2;
  for (const harm of all(".harm")) harm.disabled = !$(`[data-unsafe="${harm.dataset.harm}"]`).checked;
  for (const q of all(".q")) {
    const word = $(":checked", q)?.dataset.word || "";
    const answer = $(".answer", q);
    if (answer && answer.value !== word) answer.value = word;
    const dot = $(`[data-for="${q.id}"]`);
    if (dot) {
      dot.hidden = q.disabled;
      dot.toggleAttribute("data-done", !gaps(q).length);
    }
  }
  const missing = gaps();
  $("#submit").setAttribute("aria-disabled", missing.length > 0);
  $("#need").textContent = missing.length ? `Answer “${missing[0].dataset.needed}” to submit` : "";
  $("#judge").toggleAttribute("data-complete", !missing.length);
  if (!$(".q[data-active]:not(:disabled)")) mark(questions().find((q) => gaps(q).length) || questions()[0]);
  place();
}

function mark(q) {
  if (!q) return;
  for (const other of all(".q[data-active]")) if (other !== q) other.removeAttribute("data-active");
  q.setAttribute("data-active", "");
  if (!sheet.matches) q.scrollIntoView({ block: "nearest" });
  place();
}

function place() {
  const list = questions();
  const at = list.findIndex((q) => q.matches("[data-active]"));
  $("#place").textContent = list.length ? `Question ${at + 1} of ${list.length}` : "";
  $("#next-question").setAttribute("aria-disabled", at >= 0 && gaps(list[at]).length > 0);
}

function move(step) {
  const list = questions();
  const at = list.findIndex((q) => q.matches("[data-active]"));
  if (!list.length) return;
  const missing = gaps(list[at]).concat(at + step < list.length ? [] : gaps());
  if (sheet.matches && step > 0 && missing.length) complain(missing[0]);
  else mark(list[Math.min(Math.max(at + step, 0), list.length - 1)]);
}

function complain(need) {
  const error = $(".place-of-error", need.closest(".q, .harm, .resp"));
  error.textContent = need.dataset.remedy;
  const side = need.closest(".resp")?.dataset.side;
  const tab = side && $(`.switch [value="${side}"]`);
  if (tab) tab.checked = true;
  mark(need.closest(".q"));
  fields(need)[0].focus();
  say(need.dataset.remedy);
}

function layout(name) {
  root.dataset.layout = name;
  for (const button of all("button[data-layout]")) button.setAttribute("aria-pressed", button.dataset.layout === name);
}

// --- time: how long the pair was in view, and how long it stays this rater's --------------------
function clock() {
  const now = performance.now();
  if (since !== null) seen += now - since;
  since = document.visibilityState === "visible" && !$("#guideline:popover-open") ? now : null;
  const field = $("[name=active_ms]");
  if (field) field.value = Math.round(seen);
}

function lease() {
  const note = $("#lease");
  clearTimeout(warn);
  clearTimeout(end);
  if (!note || !$("#lease-text")) return;
  const left = Number(note.dataset.seconds);
  const tell = (text) => { note.hidden = false; $("#lease-text").textContent = text; say(text); };
  const minutes = Math.max(1, Math.min(2, Math.round(left / 60)));
  const over = "The time for this pair is over. If it is still open when you submit, your answers count.";
  warn = setTimeout(tell, Math.max(0, left - 120) * 1000, `This pair is yours for ${minutes} more minute${minutes > 1 ? "s" : ""}.`);
  end = setTimeout(tell, Math.max(0, left) * 1000, over);
}

// --- a new pair, the first one included ----------------------------------------------------------
function arm() {
  const form = $("#answers");
  if (!form) return;
  if (pair !== form) {
    pair = form;
    seen = Number($("[name=active_ms]").value);
    since = document.visibilityState === "visible" ? performance.now() : null;
  }
  for (const time of all("time[data-clock]"))
    time.textContent = new Date(time.dateTime).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  for (const table of all(".prose :is(table, pre, .md-table, .md-math)")) if (table.scrollWidth > table.clientWidth) table.tabIndex = 0; // to scroll it by keys
  layout(localStorage.getItem("layout") || "side");
  refresh();
  lease();
}

document.addEventListener("htmx:load", arm);
document.addEventListener("visibilitychange", clock);
document.addEventListener("toggle", clock, true); // the guideline, opened or closed: reading it is no judging time
document.addEventListener("input", (event) => {
  const field = event.target;
  if (field.name === "single-keys") localStorage.setItem("keys", field.value);
  if (!field.closest("#answers")) return;
  clock();
  const q = field.closest(".q");
  const error = $(".place-of-error", field.closest(".q, .harm, .resp") || document);
  if (error) error.textContent = "";
  refresh();
  // A finger or a mouse keeps its question in the sheet; a key goes on to the next one.
  const byKey = document.activeElement !== field;
  if (q && field.type === "radio" && (byKey || !sheet.matches)) mark(questions().find((next) => gaps(next).length) || q);
  if (!$("#lease")?.hidden) $("#renew")?.click();
});
document.addEventListener("focusin", (event) => {
  const q = event.target.closest(".q");
  if (q && !q.matches("[data-active]") && event.target.matches(":focus-visible")) mark(q);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { move: step, scroll, layout: name, write } = button.dataset;
  if (step) move(Number(step));
  if (scroll) scrollBy({ top: (Number(scroll) * innerHeight) / 2 });
  if (name) { localStorage.setItem("layout", name); layout(name); }
  if (write) { mark($(`#q-${write}`)); $(`#${write}`)?.focus(); }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey && event.target.closest("#answers")) $("#submit").click();
});
document.addEventListener("submit", (event) => {
  if (event.target.id !== "answers" || event.submitter?.form !== event.target) return;
  clock();
  const missing = gaps();
  if (!missing.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  complain(missing[0]);
}, true);
for (const name of ["htmx:sendError", "htmx:responseError"])
  document.addEventListener(name, (event) => { if (event.detail.elt.id === "answers") $("#trouble").hidden = false; });
for (const choice of all("[name=single-keys]")) choice.checked = choice.value === (localStorage.getItem("keys") || "on");
