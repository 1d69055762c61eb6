"""What changed between two versions of a text: line by line as it is written, or block by block as it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import NamedTuple

from labeling.rendering.outline import Block

MOST_LINES, MOST_BLOCKS, MOST_WORDS = 4000, 1000, 400
AROUND, AROUND_BLOCKS, AHEAD = 2, 1, 3
ALIKE = 0.5
# A word, or one character of a script that is written without spaces.
_WORDS = re.compile(r"[0-9A-Za-z\u00c0-\u024f\u0370-\u06ff'’]+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class DiffLine:
    """`kind` is "same", "gone", "new", or "gap" where unchanged lines are left out."""

    kind: str
    text: str = ""


class Run(NamedTuple):
    """A stretch of words that are "same", "gone" or "new"."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A block: "same", "gone", "new", "changed" in some of its words or its number, or a "gap"."""

    kind: str
    runs: tuple[Run, ...] = ()
    heading: bool = False


def line_diff(old: str, new: str) -> list[DiffLine] | None:
    """The changed lines with a little of what is around them; None for texts too long to compare at once."""
    before, after = old.splitlines(), new.splitlines()
    if len(before) + len(after) > MOST_LINES:
        return None
    found: list[DiffLine] = []
    last = 0
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(AROUND):
        if group[0][1] > last:
            found.append(DiffLine("gap"))
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                found += [DiffLine("same", line) for line in before[old_from:old_to]]
            else:
                found += [DiffLine("gone", line) for line in before[old_from:old_to]]
                found += [DiffLine("new", line) for line in after[new_from:new_to]]
            last = old_to
    return [*found, DiffLine("gap")] if found and last < len(before) else found


def passages(old: Sequence[Block], new: Sequence[Block]) -> list[Change] | None:
    """The changed blocks, each under its heading and with its neighbours; None for texts too long to compare."""
    if len(old) + len(new) > MOST_BLOCKS:
        return None
    changes = list(_changes(old, new))
    shown: set[int] = set()
    heading = None
    for place, change in enumerate(changes):
        heading = place if change.heading else heading
        if change.kind != "same":
            shown |= {*range(max(0, place - AROUND_BLOCKS), min(len(changes), place + AROUND_BLOCKS + 1))}
            shown |= set() if heading is None else {heading}
    found: list[Change] = []
    last = -1
    for place in sorted(shown):
        bare = not found or found[-1].heading or changes[place].heading  # a heading says where one is
        found += ([Change("gap")] if place > last + 1 and not bare else []) + [changes[place]]
        last = place
    return found


def _changes(old: Sequence[Block], new: Sequence[Block]) -> Iterator[Change]:
    """Every block of both, in order. Blocks are the same by their words; a new number alone is a change of it."""
    matcher = SequenceMatcher(None, [one.text for one in old], [one.text for one in new], autojunk=False)
    for _tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        rest = list(new[new_from:new_to])
        for before in old[old_from:old_to]:
            alike = next((n for n, after in enumerate(rest[:AHEAD]) if _between(before, after)), None)
            if alike is None:
                yield _whole("gone", before)
                continue
            yield from (_whole("new", after) for after in rest[:alike])
            yield _between(before, rest[alike]) or _whole("new", rest[alike])
            rest = rest[alike + 1 :]
        yield from (_whole("new", after) for after in rest)


def _whole(kind: str, block: Block) -> Change:
    return Change(kind, (Run(kind, _numbered(block)),), block.kind == "heading")


def _between(before: Block, after: Block) -> Change | None:
    """The one made into the other, or None when they are not alike."""
    if before == after:
        return _whole("same", after)
    runs = _runs(_numbered(before), _numbered(after)) if before.kind == after.kind else None
    return Change("changed", runs, after.kind == "heading") if runs else None


def _numbered(block: Block) -> str:
    return block.text if block.number is None else f"{block.number}. {block.text}"


def _runs(before: str, after: str) -> tuple[Run, ...] | None:
    """The words of two alike texts, marked; None when little of them is the same or they are too long."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if len(old) + len(new) > MOST_WORDS:
        return None
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.quick_ratio() < ALIKE or matcher.ratio() < ALIKE:
        return None
    runs: list[Run] = []
    gone = put = ""
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        before, after = "".join(old[old_from:old_to]), "".join(new[new_from:new_to])
        if tag == "equal" and (before.strip() or not (gone and put)):
            runs += [*_marked(gone, put), Run("same", before)]
            gone = put = ""
        else:  # two changed words with only a space between them are one change
            gone, put = gone + before, put + after
    return (*runs, *_marked(gone, put))


def _marked(gone: str, put: str) -> list[Run]:
    return [run for run in (Run("gone", gone), Run("new", put)) if run.text]
