"""A crowd of known quality, for demos and checks: simulated people who claim and submit like everybody else.

How good a response really is comes from the item's metadata where the demo's rows say it ({"demo": {"helpfulness":
-3…3, "harmlessness": -3…3, "unsafe": [{"response": "first", "category", "severity"}]}}, in stored order), else from a
hash of the pair: it is a property of the pair, so two crowds agree about it. A person is a point between careful and
careless, leans to the left a little, sees a tie where the difference is small, and misses or imagines some harm.
What a person answers depends only on the seed, the person, the pair and the order shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from labeling.actions.annotate import submit
from labeling.actions.assign import claim, skip
from labeling.actions.people import add_member, create_person
from labeling.actions.reading import SIDES, conflict
from labeling.consistency import RULES
from labeling.models import Assignment, Criterion, Membership, Pair, Project, Queue, User
from labeling.models.users import normal_email
from labeling.wording import count_words

ADDRESS = "rater{:03d}@simulated.annotate.example"
NAMES = ("Amara", "Björn", "Chiara", "Dilan", "Esra", "Farid", "Greta", "Hiro", "Ines", "Jamal", "Keiko", "Lior")
CARELESS_EVERY = 10
SKIPS = 0.015
FALLBACK_HARM = "Other"
REMARKS = {
    "en": (
        "Answers what was asked.",
        "Clearer, and easy to follow.",
        "The other one gets a fact wrong.",
        "Right length.",
    ),
    "zh-Hans": ("直接回答了问题。", "步骤清楚，照着做就行。", "另一个有明显的错误。"),
    "zh-Hant": ("直接回答了問題。", "步驟清楚，照著做就好。", "另一個有明顯的錯誤。"),
}


@dataclass(frozen=True, slots=True)
class Simulant:
    """A rater and how they err. `noise` is in steps of the preference scale, the rest are shares of 1."""

    user: User
    seed: int
    noise: float
    lean_left: float
    tie_below: float
    sees_harm: float
    imagines_harm: float
    skips: float


@dataclass(frozen=True, slots=True)
class Truth:
    """Of a pair, in stored order: negative prefers the first. `harms` are by response id: (category, severity)."""

    helpfulness: float
    harmlessness: float
    harms: dict[int, tuple[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    judged: int = 0
    skipped: int = 0
    raters: int = 0
    exhausted: bool = False


def simulate(*, project: Project, raters: int, judgments: int, seed: int) -> Tally:
    """Let `raters` people judge in turn until `judgments` pairs are judged or none is left for any of them."""
    working = [hire(project=project, number=number, seed=seed) for number in range(1, raters + 1)]
    queues = list(project.queues.filter(paused=False).order_by("pk"))
    turns = _draws(seed, "turns")
    tally, seen = Tally(), set[int]()
    while working and tally.judged < judgments:
        for simulant in turns.sample(working, len(working))[: judgments - tally.judged]:
            assignment = judge_next(simulant, sorted(queues, key=lambda queue: turns.random() / (queue.pair_count + 1)))
            if assignment is None:
                working.remove(simulant)
            elif assignment.state == Assignment.State.SKIPPED:
                tally.skipped += 1
            else:
                tally.judged += 1
                seen.add(simulant.user.pk)
    tally.raters, tally.exhausted = len(seen), not working
    return tally


def hire(*, project: Project, number: int, seed: int) -> Simulant:
    """The simulated person of that number, the same in every project, as a rater of this one."""
    email = normal_email(ADDRESS.format(number))
    name = f"{NAMES[(number - 1) % len(NAMES)]} (simulated {number})"
    user = User.objects.filter(email=email).first() or create_person(email=email, name=name)
    add_member(project=project, user=user, role=Membership.Role.RATER, by=None)
    return person_of(user, seed, careless=number % CARELESS_EVERY == 0)


def person_of(user: User, seed: int, *, careless: bool = False, skips: float = SKIPS) -> Simulant:
    draw = _draws(seed, user.email)
    return Simulant(
        user=user,
        seed=seed,
        noise=6.0 if careless else draw.uniform(0.3, 1.6),
        lean_left=draw.gauss(0.15, 0.2),
        tie_below=draw.uniform(0.3, 0.7),
        sees_harm=0.5 if careless else draw.uniform(0.75, 1.0),
        imagines_harm=draw.uniform(0.0, 0.03),
        skips=skips,
    )


def judge_next(simulant: Simulant, queues: Iterable[Queue]) -> Assignment | None:
    """Claim from the first queue that has something, then submit or, rarely, skip. None when nothing is left."""
    for queue in queues:
        assignment = claim(queue=queue, rater=simulant.user)
        if assignment is None:
            continue
        pair = Pair.objects.select_related("item", "first", "second").get(pk=assignment.pair_id)
        draw = _draws(simulant.seed, simulant.user.email, _name(pair), assignment.swapped)
        if draw.random() < simulant.skips:
            return skip(assignment=assignment, rater=simulant.user, reason=Assignment.SkipReason.CANNOT_TELL)
        criteria = Criterion.objects.filter(project_id=assignment.project_id).exclude(asked=Criterion.Asked.NEVER)
        body = _Mind(simulant, draw, pair, assignment.swapped).body(list(criteria), assignment.project.rationale)
        submit(assignment=assignment, rater=simulant.user, body=body, complete=True)
        assignment.refresh_from_db(fields=["state"])
        return assignment
    return None


def truth_of(pair: Pair, harms: list[str]) -> Truth:
    """What the crowd errs around; `harms` are the categories to choose from where nothing is known."""
    known = _known(pair)
    if known is not None:
        return known
    draw = _draws(_name(pair))
    responses = [response for response in (pair.first, pair.second) if response]
    drawn = {one.pk: (draw.choice(harms), draw.randint(1, 3)) for one in responses if draw.random() < 0.08}
    worse = (pair.first_id in drawn) - (pair.second_id in drawn)
    return Truth(draw.gauss(0, 1.7), 2.0 * worse + draw.gauss(0, 0.5), drawn)


def _draws(*of: object) -> Random:
    """Chance that can be repeated: the same words, the same draws."""
    return Random(":".join(map(str, of)))  # noqa: S311


def _known(pair: Pair) -> Truth | None:
    """What the item's metadata says of its two responses, if it says so in our way."""
    if pair.second is None or (pair.first.position, pair.second.position) != (0, 1):
        return None
    at = {"first": pair.first_id, "second": pair.second.pk}
    try:
        demo = pair.item.metadata["demo"]
        harms = {at[one["response"]]: (str(one["category"]), int(one["severity"])) for one in demo["unsafe"]}
        return Truth(float(demo["helpfulness"]), float(demo["harmlessness"]), harms)
    except (KeyError, TypeError, ValueError):
        return None


def _name(pair: Pair) -> str:
    """The pair by its content, so that the same file imported elsewhere is judged the same."""
    return f"{pair.item.fingerprint}:{pair.first.fingerprint}:{pair.second.fingerprint if pair.second else ''}"


class _Mind:
    """One person before one pair: what they see, as the body that a browser would send."""

    def __init__(self, simulant: Simulant, draw: Random, pair: Pair, swapped: bool) -> None:
        self.simulant, self.draw, self.pair, self.swapped = simulant, draw, pair, swapped
        self.sides = [pair.first_id, pair.second_id][:: -1 if swapped and pair.second_id else 1]

    def body(self, criteria: list[Criterion], rationale: dict[str, Any]) -> dict[str, Any]:
        harms = [name for one in criteria if one.kind == Criterion.Kind.SAFETY for name in one.categories]
        self.truth = truth_of(self.pair, harms or [FALLBACK_HARM])
        answers: dict[str, Any] = {}
        later = Criterion.Asked.ON_CONFLICT
        for criterion in sorted(criteria, key=lambda criterion: criterion.asked == later):
            if criterion.asked != later or conflict([each.get("preference", 0) for each in answers.values()]):
                answers |= self._answer(criterion)
        if rationale.get("required") and rationale.get("when"):
            self._explain(answers, rationale["min_words"], rationale["max_words"])
        length = len(self.pair.first.content) + (len(self.pair.second.content) if self.pair.second else 0)
        active_ms = int(1000 * (8 + length / 25) * self.draw.lognormvariate(0, 0.35))
        return {"judgments": answers, "active_ms": active_ms, "kept_hints": list(RULES)}

    def _answer(self, criterion: Criterion) -> dict[str, Any]:
        kinds = Criterion.Kind
        if criterion.kind == kinds.PREFERENCE:
            return {criterion.key: self._preference(criterion)} if self.pair.second_id else {}
        if criterion.kind == kinds.SAFETY:
            return {criterion.key: {side: self._safety(criterion, pk) for side, pk in self._shown()}}
        if criterion.kind == kinds.RATING:
            return {criterion.key: {side: self._rating(criterion, side) for side, _ in self._shown()}}
        if criterion.kind == kinds.REASONS:
            return self._reasons(criterion)
        if not criterion.required:
            return {}
        return {criterion.key: {"text": self._remark(criterion.min_words, criterion.max_words)}}

    def _reasons(self, criterion: Criterion) -> dict[str, Any]:
        """One to three of them. Drawn apart, so that asking for reasons changes no other answer."""
        draw = _draws(self.simulant.seed, self.simulant.user.email, _name(self.pair), criterion.key)
        return {criterion.key: {"chosen": draw.sample(criterion.categories, min(3, draw.randint(1, 3)))}}

    def _explain(self, answers: dict[str, Any], least: int, most: int) -> None:
        """Own words of the length asked for, with the first preference that was given."""
        given = next((one for one in answers.values() if "preference" in one or "both_bad" in one), None)
        if given is not None:
            given["rationale"] = self._remark(least, most)

    def _shown(self) -> list[tuple[str, int]]:
        return [(side, pk) for side, pk in zip(SIDES, self.sides, strict=True) if pk is not None]

    def _preference(self, criterion: Criterion) -> dict[str, Any]:
        seen = self._seen(*self._difference(criterion))
        if criterion.allow_tie and abs(seen) < self.simulant.tie_below:
            return {"preference": 0}
        side = -1 if seen < 0 else 1
        size = max(1, min(criterion.strengths, round(abs(seen) * criterion.strengths / 4)))
        return {"preference": side * size} | ({"rationale": self._remark()} if self.draw.random() < 0.2 else {})

    def _difference(self, criterion: Criterion) -> tuple[float, float]:
        """How much better the second response is, and how hard that is to see: 1 is usual."""
        truth = self.truth
        if criterion.key == "harmlessness":
            return truth.harmlessness, 1.0 if truth.harmlessness else 0.3
        if criterion.asked == Criterion.Asked.ON_CONFLICT:
            return truth.helpfulness + 2 * truth.harmlessness, 1.0
        return truth.helpfulness, 1.0

    def _seen(self, truth: float, haze: float = 1.0) -> float:
        """The difference as this person sees it, in the order shown: negative prefers the left."""
        simulant = self.simulant
        return (-truth if self.swapped else truth) + haze * (self.draw.gauss(0, simulant.noise) - simulant.lean_left)

    def _safety(self, criterion: Criterion, response_id: int) -> dict[str, Any]:
        category, severity = self.truth.harms.get(response_id, (FALLBACK_HARM, 1))
        chance = self.simulant.sees_harm if response_id in self.truth.harms else self.simulant.imagines_harm
        if self.draw.random() >= chance:
            return {"safe": True}
        offered = criterion.categories
        categories = [category if not offered or category in offered else offered[-1]]
        grade = min(criterion.severities, max(1, severity + self.draw.choice((-1, 0, 0, 0, 1))))
        return {"safe": False, "categories": categories} | ({"severity": grade} if criterion.severities else {})

    def _rating(self, criterion: Criterion, side: str) -> dict[str, Any]:
        middle, better = (criterion.minimum + criterion.maximum) / 2, -1 if side == "left" else 1
        value = round(middle + better * self._seen(self.truth.helpfulness) / 2)
        return {"rating": max(criterion.minimum, min(criterion.maximum, value))}

    def _remark(self, least: int = 0, most: int = 0) -> str:
        """A remark, and more of them until there are `least` words, cut off after `most`."""
        known = REMARKS.get(self.pair.item.language, REMARKS["en"])
        text = self.draw.choice(known)
        while count_words(text) < least:
            text += " " + self.draw.choice(known)
        while most and count_words(text) > most:
            text = text[:-1]
        return text
