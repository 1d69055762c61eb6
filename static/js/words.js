// Counts words while one writes, as labeling/wording.py does: a character of Chinese or Japanese is a word.
"use strict";
{
  const piece = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Bopomofo}ー]|[^\s\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Bopomofo}ー]+/gu;
  const words = (text) => (text.match(piece) || []).filter((one) => /[\p{L}\p{N}]/u.test(one)).length;

  document.addEventListener("input", (event) => {
    const count = event.target.matches("textarea") && event.target.nextElementSibling;
    if (!count || !count.matches("output.count")) return;
    const n = words(event.target.value), { least, most, fine, off } = count.dataset;
    const fits = n >= Number(least) && (most === "0" || n <= Number(most));
    count.value = (fits ? fine : off).replace("{n}", n);
    count.toggleAttribute("data-off-limits", !fits);
  });
}
