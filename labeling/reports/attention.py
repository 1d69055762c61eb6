"""What in a project needs a manager now: each line says what, with its figures, and names the one thing to do.

Nothing here is computed: reports are read as they were found, the rest is counted along small indexes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from labeling.models import Batch, Escalation, Participation, Project, User, Webhook
from labeling.reports.disputes import disputed_principles
from labeling.reports.findings import Said, find_said
from labeling.reports.pseudonyms import people_by_pseudonym

BAD, WARN, INFO = "bad", "warn", "info"
MOST, MOST_RATERS = 8, 4
RECENT = timedelta(days=7)
# Flags of raters by which a label may be wrong; the others are for a talk.
SERIOUS = frozenset({"rater_unreliable", "rater_too_fast", "rater_known_answers"})
_REPORTS = ("biases", "contested", "agreement", "trends")
_ORDER = {BAD: 0, WARN: 1, INFO: 2}


@dataclass(frozen=True, slots=True)
class Need:
    """`route` with `args` is where it is done, under the word `verb`. `detail` may be empty."""

    level: str
    title: str
    detail: str
    verb: str
    route: str
    args: tuple[Any, ...]


def needs(project: Project, batches: Iterable[Batch]) -> list[Need]:
    """The most serious first, at most MOST; `batches` are the newest imports. Five queries, whatever the size."""
    said = find_said(project, "raters", *_REPORTS)
    paused, passed_on, failing = _waiting(project)
    reports = [one for name in _REPORTS for one in said.get(name, [])]
    found = [
        *_raters(project, said.get("raters", []), paused),
        *_findings(project, reports),
        *_people(project, len(paused), passed_on),
        *_failures(project, batches, failing),
    ]
    return sorted(found, key=lambda need: _ORDER[need.level])[:MOST]


def _raters(project: Project, sentences: list[Said], paused: set[int]) -> Iterator[Need]:
    """One line a flagged rater, with all that was noticed, those first whose labels may be wrong."""
    said: dict[str, list[Said]] = {}
    for one in sentences:
        if one.verb:
            said.setdefault(one.about["rater"], []).append(one)
    if not said:
        return
    people = people_by_pseudonym(project)
    waiting = {name: notices for name, notices in said.items() if getattr(people.get(name), "pk", None) not in paused}
    serious = sorted(waiting.items(), key=lambda item: not any(one.code in SERIOUS for one in item[1]))
    for name, notices in serious[:MOST_RATERS]:
        person: User | None = people.get(name)
        level = BAD if any(one.code in SERIOUS for one in notices) else WARN
        title = _("%(rater)s: %(notice)s") % {
            "rater": person.display_name if person else name,
            "notice": notices[0].text,
        }
        more = " ".join(one.text for one in notices[1:])
        yield Need(level, title, more, _("Review"), "rater", (project.slug, name))


def _findings(project: Project, sentences: list[Said]) -> Iterator[Need]:
    verbs = {
        "see_who": (WARN, _("See who"), "raters"),
        "decide": (WARN, _("Decide"), "disagreements"),
        "read_contested": (INFO, _("Read them"), "contested"),
    }
    for said in sentences:
        if said.verb in verbs:
            level, word, route = verbs[said.verb]
            yield Need(level, said.text, "", word, route, (project.slug,))


def _waiting(project: Project) -> tuple[set[int], int, list[int]]:
    """Raters that are paused, by id; pairs that were passed on; webhooks that take nothing, by id. One query."""
    paused = Participation.objects.filter(project=OuterRef("pk"), paused_at__isnull=False)
    passed_on = Escalation.objects.filter(project=OuterRef("pk"), closed_at=None)
    failing = Webhook.objects.filter(project=OuterRef("pk"), failing_since__isnull=False)
    row = Project.objects.filter(pk=project.pk).values_list(
        ArraySubquery(paused.values("user_id")),
        ArraySubquery(passed_on.values("pk")),
        ArraySubquery(failing.values("pk")),
    )
    people, pairs, hooks = row.get()
    return set(people), len(pairs), hooks


def _people(project: Project, paused: int, passed_on: int) -> Iterator[Need]:
    """Who waits for a word of a manager."""
    slug = (project.slug,)
    if paused:
        said = ngettext("%(n)s rater is paused", "%(n)s raters are paused", paused) % {"n": paused}
        yield Need(WARN, said, _("They wait for somebody to look at their answers."), _("Review"), "paused", slug)
    for principle in disputed_principles(project)[:2]:
        if principle.open:
            yield _disputed(project, principle.number, principle.disputes)
    if passed_on:
        said = ngettext("%(n)s pair was passed on to you", "%(n)s pairs were passed on to you", passed_on)
        yield Need(INFO, said % {"n": passed_on}, "", _("Answer"), "disagreements", slug)


def _disputed(project: Project, number: int | None, disputes: int) -> Need:
    counted = ngettext("%(n)s rater objected this week.", "%(n)s raters objected this week.", disputes) % {
        "n": disputes
    }
    if number is None:
        return Need(INFO, _("Known answers are disputed"), counted, _("Read"), "disputes", (project.slug,))
    title = _("Principle %(number)s of the guideline is disputed") % {"number": number}
    return Need(INFO, title, counted, _("Read"), "disputes", (project.slug,))


def _failures(project: Project, batches: Iterable[Batch], failing: list[int]) -> Iterator[Need]:
    since = timezone.now() - RECENT
    for batch in batches:
        if batch.state == Batch.State.FAILED and batch.created_at >= since:
            title = _("The import of “%(name)s” failed") % {"name": batch.name}
            yield Need(WARN, title, batch.error, _("Look"), "import", (project.slug, batch.pk))
    for hook in failing[:2]:
        yield Need(WARN, _("A webhook takes nothing"), "", _("Look"), "webhook", (project.slug, hook))
