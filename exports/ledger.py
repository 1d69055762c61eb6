"""What became of every comparison of a snapshot, in a file beside it that is only for this installation.

Fixed-size entries in the order of the stream, so that two snapshots are compared by reading both once, side by side,
and any stretch is found by halving: the key (what was compared, by its hashes), what became of it, and a digest of what
the rows say beyond the texts. An entry is 57 bytes, or 73 where the order is by conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import IO, Any, NamedTuple

import pyarrow as pa

from exports.formats.columns import MESSAGES
from exports.recipes.majority import BOTH_BAD, SIDE, TIE, Comparison, Outcome

HASH, DIGEST = 16, 8
_DIGITS = 2 * HASH
CHUNK = 4096  # entries
# What a comparison is in a snapshot. Below ROW there is none for it.
ABSENT, NO_ROW, ROW = 0, 1, 2
FIRST, SECOND, TIED, BAD, MIXED = 2, 3, 4, 5, 6
SIDES = (FIRST, SECOND)
_NOTHING = bytes(DIGEST)
_CODES = [bytes((code,)) for code in range(256)]
_KINDS = {TIE: TIED, BOTH_BAD: BAD}
# Columns that the key and the label stand for.
_GIVEN = frozenset({"prompt", "chosen", "rejected", "completion", "comparison_id", "prompt_id"})


class Entry(NamedTuple):
    """`key`: hashes of the conversation (where the order is by it), both responses and the item, 16 bytes each."""

    key: bytes
    code: int
    digest: bytes

    @property
    def item(self) -> bytes:
        return self.key[-HASH:]

    @property
    def comparison_id(self) -> str:
        """As the formats write it (exports/formats/columns.py)."""
        low, high = self.key[-3 * HASH : -2 * HASH], self.key[-2 * HASH : -HASH]
        return self.item.hex()[:16] + low.hex()[:8] + high.hex()[:8]


def width(whole: bool) -> int:
    """Bytes of a key; `whole` if the order is by conversation."""
    return (4 if whole else 3) * HASH


def key_of(comparison: Comparison) -> bytes:
    high = comparison.second.fingerprint[:_DIGITS] or "0" * _DIGITS
    return bytes.fromhex(
        comparison.key[:_DIGITS] + comparison.first.fingerprint[:_DIGITS] + high + comparison.item[:_DIGITS]
    )


def told_columns(schema: pa.Schema) -> Callable[[dict[str, Any]], Any]:
    """What a row says beyond the texts, for `entry_of`."""
    names = [field.name for field in schema if field.name not in _GIVEN and field.type != MESSAGES]
    return itemgetter(*names) if names else lambda row: None


def entry_of(
    comparison: Comparison, outcomes: list[Outcome], rows: list[dict[str, Any]], told: Callable[[dict[str, Any]], Any]
) -> Entry:
    """`outcomes` are those that became `rows`."""
    key = key_of(comparison)
    if not rows:
        return Entry(key, NO_ROW, _NOTHING)
    if len(outcomes) == 1:
        code = _code(comparison, outcomes[0])
    else:
        codes = {_code(comparison, outcome) for outcome in outcomes}
        code = codes.pop() if len(codes) == 1 else MIXED
    return Entry(key, code, _digest(tuple(map(told, rows))))


def packed(entries: Iterable[Entry]) -> bytes:
    return b"".join([key + _CODES[code] + digest for key, code, digest in entries])


def read(file: IO[bytes], wide: int, start: bytes = b"", end: bytes = b"") -> Iterator[Entry]:
    """The entries of a ledger from the first key that is not below `start`, up to `end`; flat memory."""
    size = wide + 1 + DIGEST
    file.seek(_first(file, wide, start) * size if start else 0)
    while data := file.read(CHUNK * size):
        for at in range(0, len(data), size):
            key = data[at : at + wide]
            if end and key >= end:
                return
            yield Entry(key, data[at + wide], data[at + wide + 1 : at + size])


def pairwise_of(one: IO[bytes], other: IO[bytes], wide: int) -> Iterator[tuple[Entry | None, Entry | None]]:
    """The entries of two ledgers that differ, those of the same key together."""
    left, right = read(one, wide), read(other, wide)
    a, b = next(left, None), next(right, None)
    while a is not None or b is not None:
        if a == b:
            a, b = next(left, None), next(right, None)
        elif b is None or (a is not None and a.key < b.key):
            yield a, None
            a = next(left, None)
        elif a is None or b.key < a.key:
            yield None, b
            b = next(right, None)
        else:
            yield a, b
            a, b = next(left, None), next(right, None)


def edge(fingerprint: str) -> bytes:
    """Where a stretch of the stream (rows.Stretch) begins or ends among the keys; empty at the very end."""
    return b"" if fingerprint == "g" else bytes.fromhex(fingerprint)


def _first(file: IO[bytes], wide: int, start: bytes) -> int:
    size = wide + 1 + DIGEST
    low, high = 0, file.seek(0, 2) // size
    while low < high:
        middle = (low + high) // 2
        file.seek(middle * size)
        if file.read(wide) < start:
            low = middle + 1
        else:
            high = middle
    return low


def _code(comparison: Comparison, outcome: Outcome) -> int:
    if outcome.kind != SIDE:
        return _KINDS.get(outcome.kind, MIXED)
    return FIRST if outcome.chosen.fingerprint == comparison.first.fingerprint else SECOND


def _digest(told: tuple[Any, ...]) -> bytes:
    try:
        return _hashed_once(told)
    except TypeError:  # something in it is a list
        return _hashed(repr(told))


@lru_cache(4096)
def _hashed_once(told: tuple[Any, ...]) -> bytes:
    return _hashed(repr(told))


def _hashed(told: str) -> bytes:
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest()
