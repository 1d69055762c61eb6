"""One pair as whoever decides on it reads it: what each rater said and why, by pseudonym. No name, no model."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from labeling.models import (
    Adjudication,
    Annotation,
    Assignment,
    Criterion,
    Escalation,
    Guideline,
    Judgment,
    Pair,
    RaterStanding,
)
from labeling.reports.counted import COUNTS
from labeling.reports.decisions import decisions_on
from labeling.reports.desk import Shown
from labeling.reports.guidelines import Principle, principles_of
from labeling.reports.pseudonyms import pseudonym
from labeling.reports.work import body_of
from labeling.wording import count_words

FASTEST = 900 / 60_000  # words a millisecond: three times as fast as people read
KNOWN_FROM = 20  # votes that were learned from, before reliability is put into words
VERY_RELIABLE, RELIABLE = 0.75, 0.60
_COUNTED = f"SELECT a.id FROM labeling_annotation a WHERE a.pair_id = %s AND {COUNTS}"  # noqa: S608 (a constant)


@dataclass(frozen=True, slots=True)
class Voice:
    """What one rater said of the pair. `reliability` is a word for people: "", "very", "usual" or "little"."""

    annotation: Annotation
    name: str
    reliability: str
    judgments: list[Judgment]
    body: dict[str, Any]
    principle: Principle | None
    fast: bool
    language: str

    @property
    def seconds(self) -> int | None:
        return None if self.annotation.active_ms is None else round(self.annotation.active_ms / 1000)

    def side(self, criterion: Criterion) -> int | None:
        """-1 for the first response, 1 for the second, 0 for neither of them; None where it was not answered."""
        for judgment in self.judgments:
            if judgment.criterion_id == criterion.pk and (judgment.both_bad or judgment.preference is not None):
                value = judgment.preference or 0
                return (value > 0) - (value < 0)
        return None


@dataclass(frozen=True, slots=True)
class Mark:
    """A rater who skipped the pair, and why."""

    name: str
    reason: str
    comment: str


@dataclass(frozen=True, slots=True)
class Divided:
    """`at_stake` are the criteria on which raters differ, or all that can be decided. `decisions` and `escalations` are
    newest first."""

    shown: Shown
    voices: list[Voice]
    marks: list[Mark]
    criteria: list[Criterion]
    decisions: list[Adjudication]
    escalations: list[Escalation]
    guideline: Guideline | None

    @property
    def current(self) -> list[Adjudication]:
        return [one for one in self.decisions if one.current]

    @property
    def newest(self) -> int:
        """The id of the newest decision, 0 without one."""
        return max((one.pk for one in self.current), default=0)

    @property
    def answered(self) -> list[Escalation]:
        return [one for one in self.escalations if one.closed_at is not None]

    @property
    def open_escalation(self) -> Escalation | None:
        return next((one for one in self.escalations if one.closed_at is None), None)


def divided(pair: Pair) -> Divided:
    """Everything about a pair that is held with its project, item and responses. Eight queries."""
    project = pair.project
    held = Assignment(project=project, pair=pair)
    criteria = list(project.criteria.exclude(asked=Criterion.Asked.NEVER))
    shown = Shown(
        assignment=held, item=pair.item, left=pair.first, right=pair.second, criteria=criteria, guideline_version=None,
        done=0, of=0,
    )  # fmt: skip
    newest = project.guidelines.filter(version__isnull=False).order_by("-version")
    return Divided(
        shown=shown,
        voices=_voices(pair, held),
        marks=_marks(pair),
        criteria=criteria,
        decisions=decisions_on(pair),
        escalations=list(
            Escalation.objects.filter(pair=pair).select_related("created_by", "closed_by").order_by("-pk")
        ),
        guideline=newest.first(),
    )


def counted_annotations(pair: Pair) -> QuerySet[Annotation]:
    """Those that count, oldest first."""
    rows = Annotation.objects.filter(project=pair.project_id, pair=pair, current=True)
    return rows.filter(pk__in=RawSQL(_COUNTED, [pair.pk])).order_by("pk")  # noqa: S611 (a constant of this module)


def _voices(pair: Pair, held: Assignment) -> list[Voice]:
    """Three queries."""
    rows = counted_annotations(pair).select_related("guideline", "rater__profile")
    annotations = list(rows.defer("guideline__text", "guideline__html"))
    said: dict[int, list[Judgment]] = {one.pk: [] for one in annotations}
    judgments = Judgment.objects.filter(annotation__in=annotations).select_related("criterion")
    for judgment in judgments.order_by("criterion__position", "criterion__id", "id"):
        said[judgment.annotation_id].append(judgment)
    raters = [one.rater_id for one in annotations]
    standings = RaterStanding.objects.filter(project=pair.project_id, rater__in=raters).order_by("criterion__position")
    known: dict[int, RaterStanding] = {}
    for standing in standings:
        known.setdefault(standing.rater_id, standing)
    words = sum(count_words(text) for text in _texts(pair))
    return [_voice(pair, held, one, said[one.pk], known.get(one.rater_id), words) for one in annotations]


def _voice(
    pair: Pair, held: Assignment, one: Annotation, said: list[Judgment], standing: RaterStanding | None, words: int
) -> Voice:
    profile = getattr(one.rater, "profile", None)
    principles = {each.number: each for each in principles_of(one.guideline)}
    return Voice(
        annotation=one,
        name=pseudonym(pair.project, one.rater_id)[:8],
        reliability=_reliability(standing),
        judgments=said,
        body=body_of(held, one, said),
        principle=principles.get(one.principle or 0),
        fast=one.active_ms is not None and one.active_ms < words / FASTEST,
        language=profile.languages[0] if profile and profile.languages else "",
    )


def _reliability(standing: RaterStanding | None) -> str:
    if standing is None or standing.judgments < KNOWN_FROM:
        return ""
    if standing.low >= VERY_RELIABLE:
        return "very"
    return "usual" if standing.mean >= RELIABLE else "little"


def _marks(pair: Pair) -> list[Mark]:
    skipped = Assignment.objects.filter(project=pair.project_id, pair=pair, state=Assignment.State.SKIPPED)
    return [
        Mark(pseudonym(pair.project, one.rater_id)[:8], one.get_skip_reason_display(), one.skip_comment)
        for one in skipped.order_by("pk")
        if one.skip_reason or one.skip_comment
    ]


def _texts(pair: Pair) -> list[str]:
    """What has to be read to judge: the last message and both responses."""
    last = pair.item.conversation[-1]["content"]
    told = last if isinstance(last, str) else " ".join(part.get("text", "") for part in last)
    return [told, pair.first.content, pair.second.content if pair.second else ""]


def sides(voices: list[Voice], criterion: Criterion) -> Counter[int]:
    """How many stand where on a preference."""
    return Counter(side for voice in voices if (side := voice.side(criterion)) is not None)
