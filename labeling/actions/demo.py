"""The demo: a project with people of every role, fifty pairs written for it, and part of them already judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path

from django.core.files import File
from django.db import transaction

from labeling.actions.crowd import judge_next, person_of, simulate
from labeling.actions.guidelines import publish_guideline
from labeling.actions.import_items import run_step, start_batch, store_file
from labeling.actions.people import add_member, create_person
from labeling.actions.projects import create_project
from labeling.actions.queues import create_queue
from labeling.models import Membership, Project, User

SLUG = "everyday-help"
FOLDER = Path(__file__).resolve().parent.parent / "demo"
FILES = ("english.jsonl", "chinese-simplified.jsonl", "chinese-traditional.jsonl")
OPERATOR = "operator"
SEED, CROWD, JUDGED, JUDGED_BY_RUI = 3, 12, 64, 4


@dataclass(frozen=True, slots=True)
class Character:
    name: str
    role: str

    @property
    def email(self) -> str:
        return f"{self.name.lower()}@demo.annotate.example"


CAST = (
    Character("Rui", Membership.Role.RATER),
    Character("Rosa", Membership.Role.RATER),
    Character("Mara", Membership.Role.MANAGER),
    Character("Ada", Membership.Role.ADJUDICATOR),
    Character("Noor", Membership.Role.RESEARCHER),
    Character("Operator", OPERATOR),
)


@transaction.atomic
def seed_demo(*, passwords: Mapping[str, str]) -> bool:
    """Make the demo, whole or not at all; False if its project is there already. `passwords` are by address.

    Most pairs are left open, so that whoever signs in as a rater has work; of the two raters only Rui has begun.
    """
    if Project.objects.filter(slug=SLUG).exists():
        return False
    people = {one.name: _person(one, passwords) for one in CAST}
    mara = people["Mara"]
    project = create_project(
        slug=SLUG,
        name="Everyday help",
        by=mara,
        description="Advice, code and writing in English and Chinese: which of two models helps more, and harms less?",
    )
    for one in CAST:
        if one.role != OPERATOR:
            add_member(project=project, user=people[one.name], role=one.role, by=mara)
    guideline = (FOLDER / "guideline.md").read_text(encoding="utf-8")
    publish_guideline(project=project, by=mara, text=guideline, change_note="Written for everyday help")
    _queues(project, mara)
    for name in FILES:
        _import(project, mara, FOLDER / name)
    simulate(project=project, raters=CROWD, judgments=JUDGED, seed=SEED)
    rui = person_of(people["Rui"], SEED, skips=0.0)
    for _ in range(JUDGED_BY_RUI):
        judge_next(rui, project.queues.filter(name="English"))
    return True


def _person(one: Character, passwords: Mapping[str, str]) -> User:
    found = User.objects.filter(email=one.email).first()
    return found or create_person(
        email=one.email, name=one.name, password=passwords[one.email], superuser=one.role == OPERATOR
    )


def _queues(project: Project, by: User) -> None:
    """One queue a language, so that nobody meets a pair they cannot read, in place of the one for every pair."""
    project.queues.all().delete()
    create_queue(project=project, by=by, name="English", languages=["en"], overlap=3)
    create_queue(project=project, by=by, name="中文", languages=["zh-Hans", "zh-Hant"], overlap=2)


def _import(project: Project, by: User, path: Path) -> None:
    with path.open("rb") as content:
        stored = store_file(File(content, name=path.name))
    batch = start_batch(project=project, by=by, name=path.name, stored=stored)
    while run_step(batch, seconds=inf):
        pass
    if batch.state != batch.State.DONE or batch.refused:
        raise ValueError(f"{path.name}: {batch.error or f'{batch.refused} rows refused'}")
