"""The language tag of one text, for the face it is set in and the voice that reads it.

A file says one language for a conversation; an answer in it may be in another. Scripts are told apart here, not
languages: an English answer to a Chinese question is not drawn or read as Chinese.
"""

from __future__ import annotations

import re

# BCP 47 (RFC 5646) without the grandfathered tags: language, script, region, variants, extensions, private use.
_TAG = re.compile(
    r"[a-z]{2,3}(?:-[a-z]{3}){0,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*"
    r"(?:-[a-wyz\d](?:-[a-z\d]{2,8})+)*(?:-x(?:-[a-z\d]{1,8})+)?",
    re.IGNORECASE | re.ASCII,
)
SAMPLE = 1_500
_MARKUP = re.compile(r"<(?:pre|math)\b.*?</(?:pre|math)>|<[^>]*>|&\w+;", re.DOTALL)
_SCRIPTS = {
    "kana": re.compile("[\u3041-\u30ff\uff66-\uff9d]"),
    "hangul": re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]"),
    "han": re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"),
    "arabic": re.compile("[\u0620-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]"),
    "hebrew": re.compile("[\u05d0-\u05ea]"),
    "thai": re.compile("[\u0e01-\u0e5b]"),
    "devanagari": re.compile("[\u0904-\u097f]"),
    "cyrillic": re.compile("[\u0400-\u04ff]"),
    "latin": re.compile("[A-Za-z\u00c0-\u024f]"),
}
_WEIGHT = {"kana": 3, "hangul": 3, "han": 3, "thai": 1.5}  # a letter says as much as so many Latin ones
_WRITTEN_IN = {
    "zh": {"han"}, "yue": {"han"}, "ja": {"kana", "han"}, "ko": {"hangul", "han"}, "ar": {"arabic"}, "fa": {"arabic"},
    "ur": {"arabic"}, "he": {"hebrew"}, "th": {"thai"}, "hi": {"devanagari"}, "mr": {"devanagari"},
    "ne": {"devanagari"}, "ru": {"cyrillic"}, "uk": {"cyrillic"}, "bg": {"cyrillic"},
    **{each: {"latin"} for each in ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr", "vi", "id")},
}  # fmt: skip
_MOST_LIKELY = {
    "kana": "ja", "hangul": "ko", "han": "zh", "arabic": "ar", "hebrew": "he", "thai": "th", "devanagari": "hi",
    "cyrillic": "ru", "latin": "en",
}  # fmt: skip


def well_formed(tag: str) -> str:
    """The tag if it is one of BCP 47, with `_` read as `-`; else "", because importers keep whatever a file said."""
    tag = tag.strip().replace("_", "-")
    return tag if _TAG.fullmatch(tag) else ""


def language_of(html: str, stated: str = "") -> str:
    """The stated language, unless the text of the HTML is plainly in another script: then the most likely one's."""
    stated = well_formed(stated)
    script = _script(_MARKUP.sub(" ", html[:SAMPLE]))
    expected = _WRITTEN_IN.get(stated.lower().partition("-")[0])
    if not script or (expected and script in expected) or (stated and not expected):
        return stated
    if not stated and script == "latin":
        return ""  # one script, a hundred languages
    return _MOST_LIKELY[script]


def _script(text: str) -> str:
    """The script of at least two thirds of the letters, or "". Kana among Han is Japanese."""
    if text.isascii():
        return "latin" if any(char.isalpha() for char in text) else ""
    counts = {name: _WEIGHT.get(name, 1) * len(found.findall(text)) for name, found in _SCRIPTS.items()}
    if counts["kana"] * 10 > counts["han"]:
        counts["kana"] += counts.pop("han")
    most = max(counts, key=lambda name: counts[name])
    return most if counts[most] * 3 > sum(counts.values()) * 2 else ""
