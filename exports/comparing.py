"""What lies between two snapshots: rows in, out, flipped and changed, each with why. Flat memory.

Both ledgers are read side by side, and beside them, in the same order, the votes and decisions that only one counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from exports import ledger, queries
from exports.files import ledger_of
from exports.formats import FORMATS
from exports.ledger import Entry
from exports.models import Export
from exports.recipes.recipe import ADJUDICATED
from exports.rows import frozen_connection
from exports.stored import Difference, differences
from labeling.actions.refusals import Refused

IN, OUT, FLIPPED, CHANGED = "in", "out", "flipped", "changed"
NEW_VOTES, REVISED, WITHDRAWN, DECIDED = "new_votes", "revised", "withdrawn", "decided"
RECIPE, OTHER = "recipe", "other"
KINDS, WHYS = (IN, OUT, FLIPPED, CHANGED), (NEW_VOTES, REVISED, WITHDRAWN, DECIDED, RECIPE, OTHER)
LABELS = {
    ledger.FIRST: "first", ledger.SECOND: "second", ledger.TIED: "tie", ledger.BAD: "both_bad", ledger.MIXED: "mixed",
}  # fmt: skip
PAGE = 50


@dataclass(frozen=True, slots=True)
class Change:
    """One comparison. `before` and `after` are its labels, empty where it has no row; `cursor` goes on behind it."""

    kind: str
    comparison_id: str
    item: str
    before: str
    after: str
    why: list[str]
    cursor: str


@dataclass(slots=True)
class Between:
    """`changes` are one page, `following` the cursor of the next one, empty at the end."""

    before: Export
    after: Export
    recipe: list[Difference]
    kinds: Counter[str] = field(default_factory=Counter)
    whys: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)
    following: str = ""


def between(one: Export, other: Export, *, kind: str = "", after: str = "", page: int = PAGE) -> Between:
    """Compare two done snapshots of a project, the earlier one first; raises Refused if they cannot be compared.

    The page has the changes of a `kind` (or all) behind the cursor `after`.
    """
    earlier, later = sorted((one, other), key=_age)
    _check(earlier, later)
    found = Between(earlier, later, list(differences(earlier.recipe, later.recipe)))
    for change in _changes(found):
        found.kinds[change.kind] += 1
        found.whys.update(change.why)
        if kind in ("", change.kind) and change.cursor > after:
            if len(found.changes) < page:
                found.changes.append(change)
            else:
                found.following = found.changes[-1].cursor
    return found


def _age(export: Export) -> tuple[int, int]:
    """Snapshots of one moment (a successor and what it replaces) go by when they were asked for."""
    return int(export.judgments_as_of.split(":")[1]), export.pk


def _check(earlier: Export, later: Export) -> None:
    if earlier == later:
        raise Refused("invalid", _("Choose two different snapshots."))
    if any(export.state != Export.State.DONE for export in (earlier, later)):
        raise Refused("invalid", _("Only snapshots that are done can be compared."))
    if _whole(earlier) != _whole(later):
        raise Refused("invalid", _("One is made of whole conversations and the other of pairs."))


def _whole(export: Export) -> bool:
    return FORMATS[export.recipe["format"]].needs.whole


def _changes(found: Between) -> Iterator[Change]:
    wide = ledger.width(_whole(found.before))
    reasons = _Reasons(found.before, found.after)
    with ExitStack() as stack:
        paths = [stack.enter_context(ledger_of(export)) for export in (found.before, found.after)]
        one, other = (stack.enter_context(path.open("rb")) for path in paths if path is not None)
        votes = stack.enter_context(reasons)
        for before, after in ledger.pairwise_of(one, other, wide):
            change = _change(before, after)
            if change is not None:
                kind, entry = change
                why = votes.of(entry) or ([RECIPE] if found.recipe else [OTHER])
                yield Change(
                    kind, entry.comparison_id, entry.item.hex(), _label(before), _label(after), why, entry.key.hex()
                )


def _change(before: Entry | None, after: Entry | None) -> tuple[str, Entry] | None:
    was, now = _row(before), _row(after)
    if was is None or now is None:
        return (IN, now) if now else (OUT, was) if was else None
    if {was.code, now.code} == set(ledger.SIDES):
        return FLIPPED, now
    return CHANGED, now


def _row(entry: Entry | None) -> Entry | None:
    return entry if entry is not None and entry.code >= ledger.ROW else None


def _label(entry: Entry | None) -> str:
    return LABELS.get(entry.code, "") if entry is not None else ""


class _Reasons:
    """Which comparisons lost or won votes between two snapshots, read in the order of the ledgers."""

    def __init__(self, before: Export, after: Export) -> None:
        self._values = {
            "project": before.project_id, "before": before.judgments_as_of, "after": after.judgments_as_of,
            "withdrawn": sorted(set(after.withdrawals) - set(before.withdrawals)),
            "lifted": sorted(set(before.withdrawals) - set(after.withdrawals)),
            "decided": ADJUDICATED in (before.recipe.get("aggregate"), after.recipe.get("aggregate")),
        }  # fmt: skip
        self._sql = queries.between(whole=_whole(before))
        self._stack = ExitStack()
        self._texts: tuple[bytes, dict[bytes, list[str]]] | None = None

    def __enter__(self) -> _Reasons:
        connection = self._stack.enter_context(frozen_connection())
        connection.ensure_connection()
        cursor = self._stack.enter_context(connection.connection.cursor(name="between"))
        cursor.execute(self._sql, self._values)
        self._groups = groupby(map(_with_key, cursor), key=lambda row: row[0])
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.close()

    def of(self, entry: Entry) -> list[str]:
        """Asked in the order of the ledger. Of comparisons that are pooled from several items, any of them counts."""
        texts = entry.key[: -ledger.HASH]
        while self._texts is None or self._texts[0] < texts:
            key, rows = next(self._groups, (b"\xff" * len(entry.key), iter(())))
            self._texts = key, {item: why for _, item, why in rows}
        if self._texts[0] != texts:
            return []
        by_item = self._texts[1]
        return by_item.get(entry.item) or sorted({why for each in by_item.values() for why in each}, key=WHYS.index)


def _with_key(row: Any) -> tuple[bytes, bytes, list[str]]:
    key, low, high, item, *so = row
    told = [why for why, is_so in zip((NEW_VOTES, REVISED, WITHDRAWN, DECIDED), so, strict=True) if is_so]
    hashes = [each[: 2 * ledger.HASH].ljust(2 * ledger.HASH, "0") for each in ([key] if key else []) + [low, high]]
    return bytes.fromhex("".join(hashes)), bytes.fromhex(item[: 2 * ledger.HASH]), told
