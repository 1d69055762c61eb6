"""From the judgments of one comparison to its outcome, or to the reason why it gives no row.

The rule, as the dataset card states it: the side that more raters prefer is chosen. A tie and “neither is
acceptable” stand on no side. If “neither” is more than half of the judgments, or both sides have as many raters,
the comparison is left out, unless the format has a use for it. `strength` is the mean strength given by the raters
on the chosen side, rounded half up. The margin is the mean preference of all raters towards the chosen side, so that
doubt makes it smaller: whoever stands on no side counts as 0, whoever stands on the other side counts against it, and
it is never below 0.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from django.utils.translation import gettext_noop as _

from exports.recipes.votes import Decision, Vote

# A rater, and a grade: below 0 the first response, above 0 the second, 0 a tie, None “neither is acceptable”.
Answer = tuple[str, float | None]
SIDE, TIE, BOTH_BAD = "side", "tie", "both_bad"
# Also where nobody was asked for the criterion but for another, and where no trainer could read it.
ANY_KIND = frozenset({SIDE, TIE, BOTH_BAD, "unjudged", "same_text", "conversation"})
# Why a pair gives no row, in the order in which it is found out. The words are shown on the page and in the card.
DROPPED = {
    "unjudged": _("no rater answered this criterion"),
    "too_few": _("fewer judgments than the recipe asks for"),
    "both_bad": _("most raters found neither response acceptable"),
    "tie": _("as many raters on one side as on the other, or none on either"),
    "spread": _("even the three most similar grades lie more than two apart"),
    "weak": _("only the weakest grade was given"),
    "uncertain": _("the label is less certain than the recipe asks for"),
    "small_group": _("judged only by raters of no group, or of groups of fewer than five"),
    "conflict": _("two preferences point different ways"),
    "preferred_unsafe": _("the chosen response was marked unsafe and the other safe"),
    "unsafe": _("the chosen response was marked unsafe"),
    "duplicate": _("the same comparison as another pair; judged together with it"),
    "images": _("images in the conversation or in a response, which no format holds yet"),
    "same_text": _("both responses have the same text"),
    "conversation": _("a blank text, or a conversation that chat templates do not take"),
    "unsuited": _("a conversation that this format cannot hold, or without an answer that it needs"),
    "unchanged": _("as it was in the snapshot that this one counts from"),
}


@dataclass(slots=True)
class Side:
    """One response with what was said for it. `strength` is the sum over the raters who prefer it; `decided` is whether
    an adjudicator found it safe, where decisions go first."""

    fingerprint: str
    text: str
    raters: int
    strength: float
    safe: int
    unsafe: int
    rationales: list[str]
    decided: bool | None = None

    def add(self, other: Side) -> None:
        self.raters += other.raters
        self.strength += other.strength
        self.safe += other.safe
        self.unsafe += other.unsafe
        self.rationales += other.rationales

    @property
    def is_safe(self) -> bool | None:
        """What was decided, else what most raters said; unsafe when as many said so, None when nobody was asked."""
        if self.decided is not None:
            return self.decided
        return self.safe > self.unsafe if self.safe + self.unsafe else None


@dataclass(slots=True)
class Comparison:
    """A pair of texts under one conversation, with its judgments added up. `first` has the smaller fingerprint.

    What the recipe does not need is left empty: `votes`, by pseudonym; `answers`, of the recipe's criterion alone;
    `key`, the hash of the conversation by which the stream is then ordered. `more` says that what follows belongs to
    this: the same texts in another conversation, or with a `key` the same conversation. Where there is a `single`
    response, the second is empty. `also` are the other items that it was judged in. `decisions` are only
    there where they go first. `domain` and `stated_language` are what the item's metadata say.
    """

    item: str
    language: str
    conversation: list[dict[str, Any]]
    first: Side
    second: Side
    ties: int
    both_bad: int
    pairs: int = field(default=1)
    images: bool = False
    votes: list[Vote] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    also: tuple[str, ...] = ()
    key: str = ""
    more: bool = False
    single: bool = False
    domain: str = ""
    stated_language: str = ""
    decisions: list[Decision] = field(default_factory=list)

    @property
    def judgments(self) -> int:
        return self.first.raters + self.second.raters + self.ties + self.both_bad

    def add(self, twin: Comparison) -> None:
        """Join the judgments of the same comparison found in another item."""
        self.first.add(twin.first)
        self.second.add(twin.second)
        self.ties += twin.ties
        self.both_bad += twin.both_bad
        self.votes += twin.votes
        self.answers += twin.answers
        self.also += (twin.item,)
        self.decisions += twin.decisions
        self.pairs += 1

    def decision(self, criterion: str) -> Decision | None:
        """The last one on a preference."""
        mine = [each for each in self.decisions if each.criterion == criterion and each.side is None]
        return max(mine, key=attrgetter("number"), default=None)

    def settle_safety(self) -> None:
        """Let the last decisions on safety stand before what raters said: unsafe on one criterion is unsafe."""
        for number, side in enumerate((self.first, self.second)):
            mine = [each for each in self.decisions if each.side == number]
            last = {each.criterion: each.safe for each in sorted(mine, key=attrgetter("number"))}
            side.decided = all(last.values()) if last else None


@dataclass(slots=True)
class Outcome:
    """What a format makes rows of. `prompt` is [{"role", "content"}].

    Where nothing was preferred (`kind` is no SIDE), `chosen` and `rejected` are the first and second response in the
    order of their fingerprints, and margin and strength are 0. `comparison` is what it was decided from. `p_chosen` is
    how likely the chosen response is the better one, `share` how many of all raters would choose it, `group` whose
    judgments these are where groups are kept apart. `decided_by` are the pseudonyms of the adjudicators whose
    decision it is, if it is one.
    """

    kind: str
    item: str
    language: str
    prompt: list[dict[str, str]]
    chosen: Side
    rejected: Side
    margin: float
    strength: int
    rationale: str
    comparison: Comparison | None = None
    p_chosen: float = 1.0
    share: float = 1.0
    group: str = ""
    decided_by: tuple[str, ...] = ()

    @property
    def outcome_source(self) -> str:
        return "adjudicated" if self.decided_by else "consensus"


def decide(
    comparison: Comparison, *, takes: Set[str] = frozenset({SIDE}), min_judgments: int = 1, rationales: bool = True
) -> Outcome | str:
    """The outcome, if its kind is one of `takes`, or a key of `DROPPED`."""
    reason = undecided(comparison, min_judgments, takes)
    if reason and reason not in takes:
        return reason
    prompt = worded(comparison, takes)
    if isinstance(prompt, str):
        return prompt
    if reason:
        return nowhere(comparison, prompt, reason)
    chosen, rejected = comparison.first, comparison.second
    if chosen.raters < rejected.raters:
        chosen, rejected = rejected, chosen
    strength = chosen.strength / chosen.raters
    margin = max(0.0, (chosen.strength - rejected.strength) / comparison.judgments)
    said = "\n\n".join(sorted(set(chosen.rationales))) if rationales and chosen.rationales else ""
    # fmt: off
    return Outcome(
        SIDE, comparison.item, comparison.language, prompt, chosen, rejected, round(margin, 4), int(strength + 0.5),
        said, comparison,
    )
    # fmt: on


def worded(comparison: Comparison, takes: Set[str]) -> list[dict[str, str]] | str:
    """The prompt, or why no trainer could use these texts."""
    if comparison.images:
        return "images"
    if comparison.first.text == comparison.second.text and not comparison.single and "same_text" not in takes:
        return "same_text"
    prompt = [{"role": m["role"], "content": m["content"]} for m in comparison.conversation]
    if "conversation" not in takes and not (_usable(prompt) and _answered(comparison)):
        return "conversation"
    return prompt


def nowhere(comparison: Comparison, prompt: list[dict[str, str]], kind: str) -> Outcome:
    """The outcome where no side was preferred."""
    first, second = comparison.first, comparison.second
    return Outcome(kind, comparison.item, comparison.language, prompt, first, second, 0.0, 0, "", comparison)


def undecided(comparison: Comparison, min_judgments: int, takes: Set[str] = frozenset()) -> str:
    """Why the judgments alone give no preferred side, or the empty string.

    Where answers to any criterion are of use, they count as judgments too.
    """
    judgments = comparison.judgments
    asked = max(judgments, len(comparison.votes)) if "unjudged" in takes else judgments
    if asked and asked < min_judgments:
        return "too_few"
    if not judgments:
        return "unjudged"
    if 2 * comparison.both_bad > judgments:
        return BOTH_BAD
    return TIE if comparison.first.raters == comparison.second.raters else ""


def _usable(prompt: list[dict[str, Any]]) -> bool:
    """What every chat template takes: text in every turn, a system turn only first, turns in turn, the user last."""
    before = ""
    for message in prompt:
        role, content = message["role"], message["content"]
        if not isinstance(content, str) or _blank(content):
            return False
        if role == "system" and before:
            return False
        if role == before and role != "tool":
            return False
        before = role
    return before in ("user", "tool")


def _answered(comparison: Comparison) -> bool:
    return not _blank(comparison.first.text) and (comparison.single or not _blank(comparison.second.text))


def _blank(text: str) -> bool:
    return not text or text.isspace()
