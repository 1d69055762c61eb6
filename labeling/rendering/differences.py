"""What two answers do not share: whether they are near enough to ask, and their HTML with <mark> around it.

Both panels are treated alike, whichever stands first: nothing here can tell which response is stored first.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from labeling.rendering.emphasis import UNSPACED

ALIKE = 0.6  # below, nearly everything would be marked
MOST_COMPARED = 20_000  # characters of each text that decide whether they are alike
MOST_PAIRS = 250_000  # places where the two texts have the same token: about 0.2 s
MARK, MARK_END = "<mark>", "</mark>"
Place = tuple[int, int]

# A word, a letter of a script without spaces, an entity, any other sign; white space parts and is never marked alone.
_TOKEN = re.compile(rf"&(?:#\w+|\w+);|{UNSPACED.pattern}|(?:(?!{UNSPACED.pattern})\w)+|[^\w\s]")
_ASCII_TOKEN = re.compile(r"\w+|[^\w\s]")
_PIECE = re.compile(r'(<math .*?</math>|<(?:[^<>"]|"[^"]*")*>)', re.DOTALL)
_ALTTEXT = re.compile(r' alttext="([^"]*)"')


class _Token(NamedTuple):
    text: str
    start: int
    end: int


class _Chain(NamedTuple):
    a: int
    b: int
    before: _Chain | None


def alike(one: str, other: str) -> bool:
    """Whether two texts as typed share at least ALIKE of their tokens, in any order. About 0.2 ms for 2 kB each."""
    ours, theirs = (Counter(_tokens_of(text[:MOST_COMPARED])) for text in (one, other))
    total = ours.total() + theirs.total()
    return one != other and total > 0 and 2 * (ours & theirs).total() >= ALIKE * total


def _tokens_of(text: str) -> list[str]:
    return (_ASCII_TOKEN if text.isascii() else _TOKEN).findall(text)


def marked(one: str, other: str) -> tuple[str, str] | None:
    """The HTML of two panels with <mark> around what only one of them has; None if they are too long to compare.

    Only marks are added, around text and whole formulas between the tags, so safe HTML stays safe.
    """
    if one > other:  # marks do not depend on which text is shown first
        swapped = marked(other, one)
        return swapped and (swapped[1], swapped[0])
    ours, theirs = list(_tokens(one)), list(_tokens(other))
    shared = _shared([token.text for token in ours], [token.text for token in theirs])
    if shared is None:
        return None
    return _written(one, ours, {a for a, _ in shared}), _written(other, theirs, {b for _, b in shared})


def _tokens(html: str) -> Iterator[_Token]:
    """What is compared: the tokens of the text between tags, and formulas, by their source."""
    at = 0
    for piece in _PIECE.split(html):
        if piece.startswith("<math "):
            source = _ALTTEXT.search(piece)
            yield _Token(f"<{source[1] if source else piece}>", at, at + len(piece))
        elif not piece.startswith("<"):
            for token in _TOKEN.finditer(piece):
                yield _Token(token[0], at + token.start(), at + token.end())
        at += len(piece)


def _shared(ours: list[str], theirs: list[str]) -> list[Place] | None:
    """Places of tokens that both have, in the order of both; None if finding them would take long.

    Equal ends first, then the tokens that occur once in each, then what lies between those: so its cost, the number
    of pairs of equal tokens within such a stretch, stays small for texts that are alike, and is known before.
    """
    start, stop = 0, min(len(ours), len(theirs))
    while start < stop and ours[start] == theirs[start]:
        start += 1
    tail = 0
    while tail < stop - start and ours[-1 - tail] == theirs[-1 - tail]:
        tail += 1
    same = [(at, at) for at in range(start)] + [(len(ours) - at, len(theirs) - at) for at in range(tail, 0, -1)]
    mine, yours = range(start, len(ours) - tail), range(start, len(theirs) - tail)
    here, there = Counter(ours[a] for a in mine), Counter(theirs[b] for b in yours)
    once = {token for token, count in here.items() if count == 1 == there[token]}
    anchors = _common(mine, _places(theirs, yours, once), ours)
    left = MOST_PAIRS
    for (a, b), (next_a, next_b) in pairwise([(start - 1, start - 1), *anchors, (mine.stop, yours.stop)]):
        places = _places(theirs, range(b + 1, next_b))
        stretch = range(a + 1, next_a)
        left -= sum(len(places.get(ours[at], ())) for at in stretch)
        if left < 0:
            return None
        same += _common(stretch, places, ours)
    return same + anchors


def _places(theirs: list[str], yours: range, only: Container[str] | None = None) -> dict[str, list[int]]:
    """Where each token stands, last first."""
    places: dict[str, list[int]] = {}
    for b in reversed(yours):
        if only is None or theirs[b] in only:
            places.setdefault(theirs[b], []).append(b)
    return places


def _common(mine: range, places: Mapping[str, list[int]], ours: list[str]) -> list[Place]:
    """A longest common subsequence by the method of Hunt and Szymanski (1977)."""
    ends: list[int] = []  # the first place in theirs at which a common subsequence of each length can end
    chains: list[_Chain] = []
    for a in mine:
        for b in places.get(ours[a], ()):
            length = bisect_left(ends, b)
            ends[length : length + 1] = [b]
            chains[length : length + 1] = [_Chain(a, b, chains[length - 1] if length else None)]
    found: list[Place] = []
    link = chains[-1] if chains else None
    while link:
        found.append((link.a, link.b))
        link = link.before
    return found[::-1]


def _written(html: str, tokens: list[_Token], shared: Container[int]) -> str:
    """The HTML with a mark around each run of tokens that the other does not have; a tag ends a run."""
    runs: list[tuple[int, int]] = []
    for number, token in enumerate(tokens):
        if number in shared:
            continue
        follows = runs and number - 1 not in shared and not html[runs[-1][1] : token.start].strip()
        begin = runs.pop()[0] if follows else token.start
        runs.append((begin, token.end))
    out, done = [], 0
    for begin, end in runs:
        out += [html[done:begin], MARK, html[begin:end], MARK_END]
        done = end
    return "".join([*out, html[done:]])
