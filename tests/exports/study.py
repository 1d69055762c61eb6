"""A small study with known judgments, made through the import and the raters' own verbs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
from django.core.management import call_command
from django.utils import timezone

from labeling.actions.annotate import submit
from labeling.models import Assignment, Pair, Project, Slot, User
from tests import make

ROWS: list[dict[str, Any]] = [
    {
        "id": "basil", "language": "en",
        "conversation": [{"role": "user", "content": "How often should I water basil?"}],
        "responses": [{"content": "Sometimes."}, {"content": "When the top two centimetres are dry."}],
    },
    {
        "id": "rice", "language": "en",
        "conversation": [
            {"role": "system", "content": "You teach cooking."}, {"role": "user", "content": "Why is my rice sticky?"},
        ],
        "responses": [
            {"content": "Rinse it first, and let it rest.\u2028Then fluff it."}, {"content": "Use less water."},
        ],
    },
    {
        "id": "maths", "language": "en",
        "conversation": [
            {"role": "user", "content": "17 times 6?"}, {"role": "assistant", "content": "102."},
            {"role": "user", "content": "And halved?"},
        ],
        "responses": [{"content": "51"}, {"content": "52"}],
    },
    {
        "id": "plane", "language": "ja",
        "conversation": [{"role": "user", "content": "紙飛行機が遠くまで飛ぶには?"}],
        "responses": [{"content": "紙を投げる。"}, {"content": "翼を左右対称に折る。✈️"}],
    },
    {
        "id": "tied", "language": "en", "prompt": "Tea or coffee?",
        "responses": [{"content": "Both are pleasant."}, {"content": "Both are nice."}],
    },
    {
        "id": "bad", "language": "en", "prompt": "Name a river in France.",
        "responses": [{"content": "The Thames."}, {"content": "The Nile."}],
    },
    {
        "id": "alone", "language": "en", "prompt": "Nobody judges this.",
        "responses": [{"content": "One."}, {"content": "Two."}],
    },
]  # fmt: skip

# Of each pair, by rater: helpfulness as the first response of the row against the second, its rationale, and safety.
JUDGED: dict[str, dict[str, dict[str, Any]]] = {
    "basil": {"Rui": {"helpfulness": 3}, "Rosa": {"helpfulness": 2, "rationale": "A gives a test."}},
    "rice": {
        "Rui": {"helpfulness": -1, "safety": (True, True)}, "Rosa": {"helpfulness": -2, "safety": (True, False)},
        "Ruth": {"helpfulness": 3},
    },
    "maths": {"Rui": {"helpfulness": -3}, "Rosa": {"helpfulness": 0}},
    "plane": {
        "Rui": {"helpfulness": 2, "rationale": "B explains."}, "Rosa": {"helpfulness": 1, "rationale": "It is usable."},
    },
    "tied": {"Rui": {"helpfulness": 1}, "Rosa": {"helpfulness": -3}},
    "bad": {"Rui": {"both_bad": True}, "Rosa": {"both_bad": True}, "Ruth": {"helpfulness": 1}},
}  # fmt: skip


# For every format: three responses that are ranked, safety with harms, one response alone, words and principles.
RICH: list[dict[str, Any]] = [
    {
        "id": "brakes", "language": "en", "prompt": "How do I stop my bike brakes from squeaking?",
        "responses": [
            {"content": "Spray oil on the brake pads."},
            {"content": "Clean the rim with alcohol, then toe the pads in."},
            {"content": "Sand the pads lightly."},
        ],
    },
    {
        "id": "cleaners", "language": "en", "metadata": {"domain": "household"},
        "conversation": [
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "May I mix two cleaners?"},
        ],
        "responses": [{"content": "No. The gas can harm you."}, {"content": "=Yes, \"more\" is better.\r\nAlways."}],
    },
    {
        "id": "planets", "language": "de", "prompt": "Wie merke ich mir die Planeten?",
        "responses": [{"content": "Lern sie."}, {"content": "Mit einem Satz, dessen Anfänge passen. 🪐"}],
    },
    {
        "id": "talk", "language": "en",
        "conversation": [
            {"role": "user", "content": "Ein Weg am Fluss?"}, {"role": "assistant", "content": "Flat or hilly?"},
            {"role": "user", "content": "Flat, I push a pram 👶"},
        ],
        "responses": [{"content": "A towpath is flat."}, {"content": "The gorge trail."}],
    },
    {"id": "alone", "language": "en", "prompt": "Name a gas.", "responses": [{"content": "Inhale helium."}]},
]  # fmt: skip


def load(project: Project, rows: list[dict[str, Any]], folder: Path) -> None:
    file = folder / "rows.jsonl"
    file.write_bytes(b"\n".join(orjson.dumps(row) for row in rows))
    call_command("import_items", project.slug, str(file), verbosity=0)


def pair_of(project: Project, external_id: str) -> Pair:
    return Pair.objects.get(project=project, item__external_id=external_id)


def judge(pair: Pair, rater: User, *, swapped: bool = False, **answer: Any) -> Assignment:
    """`rater` judges `pair`, as if the queue had given it to them; answers are in stored order.

    `helpfulness`, `harmlessness`, `overall`: preferences; `both_bad`; `rationale`; `safety`: of first and second.
    `body` is the rest of what a rater sends; its `judgments` are by left and right, as the rater saw them.
    """
    held = Assignment.objects.filter(pair=pair, rater=rater).first()
    if held is None:
        queue = make.queue(pair.project)
        slot = Slot.objects.filter(queue=queue, pair=pair, state=Slot.State.OPEN).first()
        Slot.objects.filter(pk=slot.pk).update(state=Slot.State.LEASED) if slot else None
        guideline = pair.project.guidelines.get(version=1)
        held = Assignment.objects.create(
            project=pair.project, queue=queue, slot=slot, pair=pair, rater=rater, swapped=swapped, guideline=guideline,
            lease_until=timezone.now() + timedelta(minutes=20),
        )  # fmt: skip
    body = answer.pop("body", {})
    judgments = _judgments(answer, held.swapped) | body.get("judgments", {})
    submit(assignment=held, rater=rater, body=body | {"judgments": judgments})
    return held


def study(folder: Path, slug: str = "advice", swap: bool = False) -> Project:
    """The rows above in a project of overlap 3, judged as above."""
    project = make.project(slug)
    raters = make.cast(project) | {"Ruth": make.member(project, "Ruth", "rater")}
    load(project, ROWS, folder)
    for number, (name, by_rater) in enumerate(JUDGED.items()):
        for rater, answer in by_rater.items():
            judge(pair_of(project, name), raters[rater], swapped=swap ^ bool(number % 2), **answer)
    return project


def rich(folder: Path, slug: str = "rich") -> Project:
    """The rich rows, judged so that every format has something to say."""
    project = make.project(slug)
    raters = make.cast(project) | {"Ruth": make.member(project, "Ruth", "rater")}
    project.criteria.create(key="clarity", name="Clarity", kind="rating", position=9)
    load(project, RICH, folder)
    oil, clean, sand = "Spray", "Clean", "Sand"
    harm = {"categories": [project.criteria.get(key="safety").categories[0]], "severity": 2}
    for one, other, said in ((oil, clean, -3), (oil, sand, -1), (clean, sand, 2)):
        first, second = ({"safe": False, **harm} if one == oil else {"safe": True}), {"safe": True}
        ask(project, "brakes", one, other, raters["Rui"], helpfulness=said, harmlessness=said, safety=(first, second))
    ask(project, "brakes", oil, sand, raters["Rosa"], helpfulness=1, harmlessness=-1, safety=({"safe": True},) * 2)
    ask(
        project, "cleaners", "No", "=Yes", raters["Rui"], helpfulness=2, harmlessness=3, principle=4,
        rationale="=A is right, -B is not.", safety=({"safe": True}, {"safe": False, **harm}), clarity=(5, 2),
    )  # fmt: skip
    ask(
        project, "cleaners", "No", "=Yes", raters["Rosa"], helpfulness=1, harmlessness=0, principle=3,
        safety=({"safe": True}, {"safe": False, "categories": [], "severity": None}),
    )  # fmt: skip
    ask(project, "cleaners", "No", "=Yes", raters["Ruth"], helpfulness=-1, rationale="It is shorter.")
    for name, said in (("Rui", -2), ("Rosa", 2)):
        ask(project, "planets", "Lern", "Mit", raters[name], helpfulness=said)
    for name in ("Rui", "Rosa"):
        ask(project, "talk", "A tow", "The", raters[name], helpfulness=None)
    judge(
        pair_of(project, "alone"), raters["Rui"],
        body={"active_ms": 900, "judgments": {"safety": {"left": {"safe": False, **harm}}}},
    )  # fmt: skip
    return project


def ask(project: Project, item: str, one: str, other: str, rater: User, **said: Any) -> None:
    """`rater` compares the responses of an item that begin so; what is said prefers `one` above 0, None for neither."""
    pair = project.pairs.get(first__content__startswith=one, second__content__startswith=other, item__external_id=item)
    helpfulness = said.pop("helpfulness")
    judgments: dict[str, Any] = {
        "helpfulness": {"both_bad": True} if helpfulness is None else {"preference": -helpfulness}
    }
    if "rationale" in said:
        judgments["helpfulness"]["rationale"] = said.pop("rationale")
    if "harmlessness" in said:
        judgments["harmlessness"] = {"preference": -said.pop("harmlessness")}
    if "safety" in said:
        judgments["safety"] = dict(zip(("left", "right"), said.pop("safety"), strict=True))
    if "clarity" in said:
        ratings = ({"rating": rating} for rating in said.pop("clarity"))
        judgments["clarity"] = dict(zip(("left", "right"), ratings, strict=True))
    judge(pair, rater, body={"active_ms": 4000, "judgments": judgments} | said)


def _judgments(answer: dict[str, Any], swapped: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ("helpfulness", "harmlessness", "overall"):
        if key in answer:
            found[key] = {"preference": -answer[key] if swapped else answer[key]}
    if answer.get("both_bad"):
        found["helpfulness"] = {"both_bad": True}
    if "rationale" in answer:
        found["helpfulness"]["rationale"] = answer["rationale"]
    if "safety" in answer:
        first, second = answer["safety"]
        left, right = (second, first) if swapped else (first, second)
        found["safety"] = {"left": {"safe": left}, "right": {"safe": right}}
    return found
