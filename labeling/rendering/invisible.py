"""Characters that cannot be seen, made visible: what a rater judges is what a model would be trained on.

Control pictures stand for control characters (␛), code points for everything else (⟨U+200B⟩), a run of one
character is counted (⟨U+2067 ×40⟩), and text hidden in tag characters is spelled out (⟨tags: …⟩). Joiners and
variation selectors stay where a script or an emoji needs them.
"""

from __future__ import annotations

import re
import unicodedata

RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
# Arabic with its neighbours, the scripts of India and South-East Asia, Mongolian: they write with joiners.
_JOINING_SCRIPT = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua840-\ua8ff\ufb50-\ufdff\ufe70-\ufefc]"
)
_EMOJI = re.compile("[\u203c-\u3299\ufe0f\U0001f000-\U0001faff]")
_KEYCAPS = set("0123456789#*")
_DIRECTION_MARKS = {"\u200e", "\u200f", "\u061c"}
_TAG = "\U000e0000-\U000e007f"
_SELECTOR = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    f"{_SELECTOR}\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
)
_ANY = re.compile(f"[{_UNSEEN}{_TAG}]")
_SUSPECT = re.compile(f"[{_TAG}]+|([{_UNSEEN}])\\1*")


# No honest text has more; beyond it a marker no longer says which character it stands for.
MOST_EXPLAINED = 10_000


def reveal(text: str) -> str:
    """The text with LF line ends and a visible marker for every character that shows nothing or reorders others.

    Idempotent. Markers hold no character that Markdown or HTML would read as markup.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _shows_all(text):
        return text
    shown, count = _SUSPECT.subn(_rtl_marker if RTL.search(text) else _marker, text, MOST_EXPLAINED)
    return _SUSPECT.sub("⟨hidden⟩", shown) if count == MOST_EXPLAINED else shown


def direction(text: str) -> str:
    """ "rtl" or "ltr" as the first letter runs; "" if there is none."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return ""


def _shows_all(text: str) -> bool:
    """Whether nothing in the text is suspect. ASCII, which is most of all text, is looked through ten times as fast."""
    if text.isascii():
        return text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable()
    return not _ANY.search(text)


def _rtl_marker(match: re.Match[str]) -> str:
    """As `_marker`, in a text with Hebrew or Arabic, where direction marks are ordinary."""
    return match[0] if match[0] in _DIRECTION_MARKS else _marker(match)


def _marker(match: re.Match[str]) -> str:
    run = match[0]
    char, count = run[0], len(run)
    if match[1] is None:
        return _tags(run)
    if count == 1 and _is_needed(char, match):
        return char
    if count <= 3 and char < "\x20":
        return chr(0x2400 + ord(char)) * count
    return f"⟨U+{ord(char):04X}⟩" if count == 1 else f"⟨U+{ord(char):04X} ×{count}⟩"


def _tags(run: str) -> str:
    """What tag characters spell, with a middle dot for whatever is not a letter, a digit or a space."""
    hidden = "".join(chr(ord(char) - 0xE0000) for char in run if "\U000e0020" <= char <= "\U000e007e")
    return f"⟨tags: {re.sub(r'[^A-Za-z0-9 ]', '·', hidden)}⟩"


def _is_needed(char: str, match: re.Match[str]) -> bool:
    text, start = match.string, match.start()
    before = text[start - 1] if start else ""
    if char in "\u200c\u200d":
        return _joins(char, before, text[match.end() : match.end() + 1])
    if char in "\ufe0e\ufe0f":
        return before in _KEYCAPS or before >= "\xa9"
    if "\ufe00" <= char <= "\ufe0d":
        return before >= "\u2200"
    if char >= "\U000e0100":
        return before >= "\u2e80"
    return "\u180b" <= char <= "\u180f" and "\u1800" <= before <= "\u18af"


def _joins(char: str, before: str, after: str) -> bool:
    if char == "\u200d" and _EMOJI.match(before) and _EMOJI.match(after):
        return True
    return bool(_JOINING_SCRIPT.match(before) and (not after or after.isspace() or _JOINING_SCRIPT.match(after)))
