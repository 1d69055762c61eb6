"""What changed between two versions of a text, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

MOST_LINES = 4000
AROUND = 2


@dataclass(frozen=True, slots=True)
class DiffLine:
    """`kind` is "same", "gone", "new", or "gap" where unchanged lines are left out."""

    kind: str
    text: str = ""


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
