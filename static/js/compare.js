// What the comparison screen cannot say in markup: which question is next, what is missing, how long it took.
"use strict";
const sheet = matchMedia("(max-width: 1080px)");
const phone = matchMedia("(max-width: 760px)");
let pair, seen, since, warn, end, skew;
let hand = "keyboard", hands;

const questions = () => all(".q:not(:disabled)");
const filled = (field) => (/radio|checkbox/.test(field.type) ? field.checked : field.value.trim());
const fields = (need) => (need.matches("input, textarea") ? [need] : all("input", need));
const gaps = (within = document) =>
  all("[data-needed]", within).filter((need) => !need.closest("fieldset:disabled") && !fields(need).some(filled));

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
  $("#need").textContent = missing.length ? tell("need", { what: missing[0].dataset.needed }) : "";
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
  $("#place").textContent = list.length ? tell("place", { number: at + 1, of: list.length }) : "";
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

// --- time: how long the pair was in view, and how long it stays this rater's --------------------
function clock() {
  const now = performance.now();
  if (since !== null) seen += now - since;
  since = document.visibilityState === "visible" && !$("#guideline:popover-open") ? now : null;
  const field = $("[name=active_ms]");
  if (field) field.value = Math.round(seen);
}

function circumstances() {
  clock();
  pair.elements.viewport.value = phone.matches ? "phone" : sheet.matches ? "tablet" : "desktop";
  pair.elements.pointer.value = Object.entries(hands).sort((one, other) => other[1] - one[1])[0]?.[0] || hand;
}

function lease() {
  const note = $("#lease");
  clearTimeout(warn);
  clearTimeout(end);
  if (!note || !$("#lease-text")) return;
  const left = Number(note.dataset.seconds);
  const remark = (text) => { note.hidden = false; $("#lease-text").textContent = text; say(text); };
  warn = setTimeout(remark, Math.max(0, left - 120) * 1000, tell(left < 90 ? "minute" : "minutes"));
  end = setTimeout(remark, Math.max(0, left) * 1000, tell("over"));
}

// --- a copy of the draft on this device, for when the server could not be reached ------------------
const copyOf = (form) => mine(`draft:${form.dataset.copy}`);
const serverTime = () => Date.now() - skew;

function restore(form) {
  const copy = stored(copyOf(form));
  // What this device could not tell the server is newer, unless another device has told it something since.
  if (!copy || copy.saved || copy.at < (form.dataset.draftAt - 10) * 1000) return;
  for (const field of form.elements) {
    if (!field.name || (field.type === "hidden" && field.name !== "active_ms")) continue;
    const values = copy.fields.filter(([name]) => name === field.name).map(([, value]) => value);
    if (/radio|checkbox/.test(field.type)) field.checked = values.includes(field.value);
    else if (values.length) field.value = values[0];
  }
  $("#kept time").dateTime = new Date(copy.at).toISOString();
  $("#kept").hidden = false;
}

// --- a new pair, the first one included ----------------------------------------------------------
function arm() {
  const form = $("#answers");
  if (!form) return;
  if (pair !== form) {
    pair = form;
    hands = {};
    skew = Date.now() - form.dataset.now * 1000;
    if (!$("#refused")) restore(form);
    seen = Number($("[name=active_ms]").value);
    since = document.visibilityState === "visible" ? performance.now() : null;
  }
  for (const time of all("time[data-clock]"))
    time.textContent = new Date(time.dateTime).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  for (const table of all(".prose :is(table, pre, .md-table, .md-math)")) if (table.scrollWidth > table.clientWidth) table.tabIndex = 0; // to scroll it by keys
  refresh();
  lease();
}

document.addEventListener("htmx:load", arm);
document.addEventListener("visibilitychange", clock);
document.addEventListener("input", (event) => {
  const field = event.target;
  if (field.name === "single-keys") localStorage.setItem(mine("keys"), field.value);
  if (!field.closest("#answers")) return;
  hands[hand] = (hands[hand] || 0) + 1;
  circumstances();
  const q = field.closest(".q");
  const error = $(".place-of-error", field.closest(".q, .harm, .resp") || document);
  if (error) error.textContent = "";
  refresh();
  // A finger or a mouse keeps its question in the sheet; a key goes on to the next one.
  const byKey = document.activeElement !== field;
  if (q && field.type === "radio" && (byKey || !sheet.matches)) mark(questions().find((next) => gaps(next).length) || q);
  if ($("#lease")?.hidden === false) $("#renew")?.click();
  store(copyOf(pair), { at: serverTime(), fields: fieldsOf(pair) });
});
document.addEventListener("htmx:beforeRequest", ({ detail: { elt } }) => {
  if (elt.id === "draft") elt.dataset.at = stored(copyOf(pair))?.at;
});
document.addEventListener("htmx:afterRequest", ({ detail: { elt, xhr } }) => {
  if (elt.id !== "draft" || xhr.status !== 204) return;
  const copy = stored(copyOf(pair));
  if (copy && String(copy.at) === elt.dataset.at) store(copyOf(pair), { ...copy, saved: true });
});
addEventListener("pointerdown", (event) => { hand = event.pointerType === "mouse" ? "mouse" : "touch"; }, true);
addEventListener("keydown", () => { hand = "keyboard"; }, true);
$("#guideline").addEventListener("toggle", clock); // reading it is no judging time
document.addEventListener("focusin", (event) => {
  const q = event.target.closest(".q");
  // In a form that is not armed yet it is htmx that looks for where the focus was in the last one.
  if (q && q.form === pair && !q.matches("[data-active]") && event.target.matches(":focus-visible")) mark(q);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button, a");
  if (!button) return;
  const { move: step, scroll, write } = button.dataset;
  if (step) move(Number(step));
  if (scroll) scrollBy({ top: (Number(scroll) * innerHeight) / 2 });
  if (button.matches("[data-forget]")) localStorage.removeItem(copyOf(pair));
  if (write) { mark($(`#q-${write}`)); $(`#${write}`)?.focus(); }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.ctrlKey && event.target.closest("#answers")) $("#submit").click();
});
document.addEventListener("submit", (event) => {
  if (event.target.id !== "answers" || event.submitter?.form !== event.target) return;
  circumstances();
  const missing = gaps();
  if (!missing.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  complain(missing[0]);
}, true);
for (const choice of all("[name=single-keys]")) choice.checked = choice.value === (localStorage.getItem(mine("keys")) || "on");
