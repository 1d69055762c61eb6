"""What a format is, and the column types that every trainer's loader reads alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from exports.recipes.majority import Preferred

EXAMPLES = Path(__file__).parent / "examples"
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
# Plain types only: older loaders know no timestamps, decimals, dictionaries or all-null columns.
PROVENANCE = [
    ("comparison_id", pa.string()),
    ("strength", pa.int32()),
    ("rationale", pa.string()),
    ("chosen_safe", pa.bool_()),
    ("rejected_safe", pa.bool_()),
]


@dataclass(frozen=True, slots=True)
class Format:
    """The columns of a kind of training, and how one preference fills them."""

    name: str
    title: str
    description: str
    trainer: str
    schema: pa.Schema
    row: Callable[[Preferred], dict[str, Any]]
    columns: dict[str, str]
    use: str

    @property
    def example(self) -> str:
        """A row as JSON, as the page shows it."""
        return (EXAMPLES / f"{self.name}.json").read_text(encoding="utf-8")


def answer(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def provenance(preferred: Preferred) -> dict[str, Any]:
    """Where a row came from, and what else was said of it."""
    return {
        "comparison_id": comparison_id(preferred),
        "strength": preferred.strength,
        "rationale": preferred.rationale,
        "chosen_safe": preferred.chosen.is_safe,
        "rejected_safe": preferred.rejected.is_safe,
    }


def comparison_id(preferred: Preferred) -> str:
    """32 hex digits of the hashes of what was compared: the same on every machine and whichever side was chosen."""
    low, high = preferred.chosen.fingerprint, preferred.rejected.fingerprint
    if high < low:
        low, high = high, low
    return preferred.item[:16] + low[:8] + high[:8]


PROVENANCE_COLUMNS = {
    "comparison_id": "what was compared, as a hash of its texts; the same wherever it is exported",
    "strength": "mean strength given by the raters on the chosen side, rounded half up: 1 is slightly better",
    "rationale": "what raters on the chosen side wrote, sorted and joined by blank lines; empty if nothing or left out",
    "chosen_safe": "whether most raters marked the chosen response safe; null if nobody was asked",
    "rejected_safe": "the same of the rejected response",
}
