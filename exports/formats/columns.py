"""What a format is, and the column types that every trainer's loader reads alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.recipes.majority import SIDE, Comparison, Outcome
from exports.recipes.votes import Needs

SPEAKERS = {"user": "Human", "assistant": "Assistant"}
CUE = re.compile(r"\n\n(Human|Assistant):")
EXAMPLES = Path(__file__).parent / "examples"
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
TEXTS = pa.list_(pa.string())
# Plain types only: older loaders know no timestamps, decimals, dictionaries or all-null columns.
PROVENANCE = [
    ("comparison_id", pa.string()),
    ("strength", pa.int32()),
    ("rationale", pa.string()),
    ("chosen_safe", pa.bool_()),
    ("rejected_safe", pa.bool_()),
]
Row = dict[str, Any]
Made = tuple[list[Outcome], list[Row]]
NOTHING = Needs()


def _nothing(outcome: Outcome) -> list[Row]:
    return []


@dataclass(frozen=True, slots=True)
class Format:
    """The columns of a kind of training, and how one outcome fills them.

    `takes` are the kinds of outcome it has a use for, and `needs` what they must bring beyond sums. `rows` makes
    `rows_each` rows of one, or none of a conversation that the format cannot hold. `gather` stands in its place where a
    row is made of a whole conversation: of all its outcomes it makes rows, each list beside the outcomes that went into
    it; no rows beside those that went into none. `arrange` orders the rows of a few thousand outcomes, given outcome by
    outcome, where a trainer minds which rows are neighbours. `beside` makes the files that a reader wants beside the
    data, from the names of those.
    """

    name: str
    title: str
    description: str
    trainer: str
    schema: pa.Schema
    columns: dict[str, str]
    use: str
    rows: Callable[[Outcome], list[Row]] = _nothing
    takes: Set[str] = frozenset({SIDE})
    needs: Needs = NOTHING
    rows_each: int = 1
    gather: Callable[[list[Outcome]], Iterable[Made]] | None = None
    arrange: Callable[[list[list[Row]]], list[Row]] | None = None
    beside: Callable[[list[str]], dict[str, bytes]] | None = None

    def made(self, outcomes: Iterable[Outcome]) -> Iterator[Made]:
        """The rows of outcomes in the order of the stream, each list beside what it was made of."""
        if self.gather is None:
            for outcome in outcomes:
                yield [outcome], self.rows(outcome)
        else:
            for _key, whole in groupby(outcomes, _conversation):
                yield from self.gather(list(whole))

    @property
    def example(self) -> str:
        """A row as JSON, as the page shows it."""
        return (EXAMPLES / f"{self.name}.json").read_text(encoding="utf-8")


def compared(outcome: Outcome) -> Comparison:
    """What an outcome of a stream was decided from."""
    if outcome.comparison is None:
        raise ValueError("this outcome was made without a comparison")
    return outcome.comparison


def _conversation(outcome: Outcome) -> str:
    return compared(outcome).key


def transcript(outcome: Outcome) -> tuple[str, str, str] | None:
    """The conversation as HH-RLHF writes it, up to the assistant's cue, and both answers; None where nobody could tell
    the turns apart again.

    There is no system turn in it, so one opens the first human turn. A tool's turn has no name here, and a text that
    holds a speaker's cue itself would look like a turn. An answer follows one space, whatever it brings: so two answers
    that differ only in their first space stay different.
    """
    prompt = _turns(outcome.prompt)
    answers = [outcome.chosen.text, outcome.rejected.text]
    if prompt is None or any(map(CUE.search, answers)):
        return None
    return prompt, f" {answers[0]}", f" {answers[1]}"


def _turns(prompt: list[dict[str, str]]) -> str | None:
    said, system = "", ""
    for message in prompt:
        role, content = message["role"], message["content"]
        if CUE.search(content):
            return None
        if role == "system":
            system = content + "\n"
        elif role in SPEAKERS:
            said += f"\n\n{SPEAKERS[role]}: {system}{content}"
            system = ""
        else:
            return None
    return None if system else said + "\n\nAssistant:"


def single_turn(prompt: list[dict[str, str]]) -> tuple[str, str] | None:
    """The system turn, or the empty string, and the only question; None of a longer conversation."""
    roles = [message["role"] for message in prompt]
    if roles == ["user"]:
        return "", prompt[0]["content"]
    return (prompt[0]["content"], prompt[1]["content"]) if roles == ["system", "user"] else None


def answer(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def provenance(outcome: Outcome) -> dict[str, Any]:
    """Where a row came from, and what else was said of it."""
    return {
        "comparison_id": comparison_id(outcome),
        "strength": outcome.strength,
        "rationale": outcome.rationale,
        "chosen_safe": outcome.chosen.is_safe,
        "rejected_safe": outcome.rejected.is_safe,
    }


def comparison_id(outcome: Outcome) -> str:
    """32 hex digits of the hashes of what was compared: the same on every machine and whichever side was chosen."""
    low, high = outcome.chosen.fingerprint, outcome.rejected.fingerprint
    if high < low:
        low, high = high, low
    # A response that was judged alone has none beside it.
    return outcome.item[:16] + (low[:8] + high[:8] if low else high[:16])


PROVENANCE_COLUMNS = {
    "comparison_id": _("what was compared, as a hash of its texts; the same wherever it is exported"),
    "strength": _("mean strength given by the raters on the chosen side, rounded half up: 1 is slightly better"),
    "rationale": _(
        "what raters on the chosen side wrote, sorted and joined by blank lines; empty if nothing or left out"
    ),
    "chosen_safe": _("whether most raters marked the chosen response safe; null if nobody was asked"),
    "rejected_safe": _("the same of the rejected response"),
}
