"""Plain functions that make what a test needs, through the verbs where there is one."""

from __future__ import annotations

import hashlib
from functools import cache
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password

from labeling.actions.lessons import add_lesson
from labeling.actions.people import add_member, create_person, create_token
from labeling.actions.projects import create_project
from labeling.actions.queues import add_slots
from labeling.actions.webhooks import PURPOSE
from labeling.models import Batch, Item, Lesson, Membership, Pair, Project, Queue, Response, User, Webhook
from labeling.rendering import render
from labeling.sealing import new_signing_secret, seal

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def person(name: str, **fields: Any) -> User:
    """A person of the cast, by first name: Mara, Rui, Rosa, Ada, Noor, Otto. All have PASSWORD."""
    made = create_person(email=f"{name.lower()}@example.org", name=name, **fields)
    made.password = _encoded_password()
    made.save(update_fields=["password"])
    return made


@cache
def _encoded_password() -> str:
    """The real hasher, once a run: it is slow on purpose."""
    return make_password(PASSWORD)


def member(project: Project, name: str, role: str) -> User:
    user = User.objects.filter(email=f"{name.lower()}@example.org").first() or person(name)
    add_member(project=project, user=user, role=role, by=None)
    return user


def project(slug: str = "advice", name: str = "Everyday advice", overlap: int = 3) -> Project:
    """A project with its one queue, managed by nobody yet."""
    made = create_project(slug=slug, name=name, by=None)
    made.queues.update(overlap=overlap)
    return made


def cast(of: Project) -> dict[str, User]:
    """Mara manages, Rui and Rosa rate, Ada adjudicates, Noor researches, Otto is nobody here."""
    role = Membership.Role
    roles = {
        "Mara": role.MANAGER,
        "Rui": role.RATER,
        "Rosa": role.RATER,
        "Ada": role.ADJUDICATOR,
        "Noor": role.RESEARCHER,
    }
    people = {name: member(of, name, what) for name, what in roles.items()}
    return people | {"Otto": User.objects.filter(email="otto@example.org").first() or person("Otto")}


def queue(of: Project) -> Queue:
    return of.queues.get(name="Every pair")


def token(user: User) -> str:
    return create_token(user=user, name="test")[1]


def pair(of: Project, first: str = "", second: str | None = "", **fields: Any) -> Pair:
    """An item with two responses (`second=None`: with one) and its slots in every queue of the project."""
    number = next(_numbers)
    batch, _ = Batch.objects.get_or_create(project=of, name="made by tests", defaults={"state": Batch.State.DONE})
    fields.setdefault("conversation", [{"role": "user", "content": f"Question {number}?"}])
    html = [
        {"html": (r := render(message["content"])).html, "renderer": r.renderer} for message in fields["conversation"]
    ]
    item = Item.objects.create(
        project=of, batch=batch, fingerprint=_hash(f"{number}"), conversation_html=html, **fields
    )
    texts = [first or f"First answer {number}."] + (
        [second or f"Second answer {number}."] if second is not None else []
    )
    responses = [
        Response.objects.create(
            project=of, item=item, position=place, fingerprint=_hash(text), content=text, model_name=f"model-{place}",
            html=render(text).html, renderer=render(text).renderer,
        )
        for place, text in enumerate(texts)
    ]  # fmt: skip
    made = Pair.objects.create(
        project=of, item=item, first=responses[0], second=responses[1] if len(responses) > 1 else None
    )
    for each in of.queues.all():
        add_slots(queue=each, pair_ids=[made.pk])
    return made


def pairs(of: Project, number: int) -> list[Pair]:
    return [pair(of) for _ in range(number)]


def lesson(of: Project, stage: str = "practice", **known: Any) -> Lesson:
    """A lesson on a new pair with one known answer a criterion; without any, B (the second) is more helpful."""
    taught = pair(of, gold=known or {"helpfulness": 2})
    by = User.objects.filter(memberships__project=of, memberships__role=Membership.Role.MANAGER).first()
    return add_lesson(project=of, pair=taught, stage=stage, by=by or person("Mara"))


def webhook(of: Project, url: str = "https://receiver.example/hook", secret: str = "") -> Webhook:
    """One that is told of everything. Its name is not looked up: that is what `add_webhook` is for."""
    sealed = seal(secret or new_signing_secret(), PURPOSE)
    return Webhook.objects.create(project=of, url=url, events=Webhook.Event.values, sealed_secret=sealed)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
