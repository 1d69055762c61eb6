"""What protects who reads sensitive pairs: opening by choice, caps, the run, how they are, whom they can talk to.

Exposure is counted per person, day and topic, never per pair. What is counted and what the caps say is decided under a
lock on the rater's participation (its place in the order of locks: labeling/actions/queues.py), so a person with two
tabs is one person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.assign import claim, release
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Assignment, CheckIn, Participation, Project, Queue, Topic, User
from labeling.models.care import SEVERE
from labeling.models.queues import AWAY, MOST_IN_A_ROW
from labeling.reports.exposure import capped_topics, run_length

State = Assignment.State
LONGEST_BREAK_MINUTES, MOST_BREAK_PAIRS, LONGEST_SUPPORT = 240, 1000, 2000
TRIES = 3

_COUNT = """
INSERT INTO labeling_exposure (project_id, user_id, topic, day, shown, milliseconds)
SELECT %(project)s, %(rater)s, topic, %(day)s, %(shown)s, %(ms)s FROM unnest(%(topics)s::text[]) AS topic
ON CONFLICT (user_id, project_id, day, topic) DO UPDATE
SET shown = labeling_exposure.shown + excluded.shown,
    milliseconds = labeling_exposure.milliseconds + excluded.milliseconds
"""
_LENGTHEN_RUN = """
INSERT INTO labeling_passage (queue_id, rater_id, lane, passed, done, sensitive_run, run_at)
VALUES (%(queue)s, %(rater)s, '', 0, 0, 1, clock_timestamp())
ON CONFLICT (queue_id, rater_id, lane) DO UPDATE SET run_at = excluded.run_at, sensitive_run = 1 + CASE
    WHEN labeling_passage.run_at > now() - %(away)s THEN labeling_passage.sensitive_run ELSE 0 END
"""


@dataclass(frozen=True, slots=True)
class Opened:
    """The assignment, and why it could not be opened and was given back: "capped", "run", "not_chosen", or ""."""

    assignment: Assignment
    refused: str = ""


@transaction.atomic
def open_pair(*, assignment: Assignment, rater: User) -> Opened:
    """Show a sensitive pair to its rater, who asked for it: counted for the day, and for how many came in a row.

    The cap may have been reached, or the choice taken back, since the pair was claimed: then it goes back to others.
    Opening again changes nothing.
    """
    held = _locked(assignment, rater)
    if held.state != State.OPEN or not held.unopened:
        return Opened(held)
    if why := _why_not(held):
        return Opened(release(assignment=held, rater=rater), why)
    held.opened_at = timezone.now()
    held.save(update_fields=["opened_at"])
    _count(held, shown=1, ms=0)
    run: dict[str, Any] = {"queue": held.queue_id, "rater": rater.pk, "away": AWAY}
    with connection.cursor() as cursor:
        cursor.execute(_LENGTHEN_RUN, run)
    record(rater, "assignment.opened", held, project_id=held.project_id)
    return Opened(held)


def claim_opened(*, queue: Queue, rater: User, given: Assignment | None = None) -> Assignment | None:
    """For programs, which get the text with the claim: the next pair, or the one `given`, opened and counted.

    A pair that may not be opened any more went back; the next claim knows why, and gives another.
    """
    for _try in range(TRIES):
        given = given or claim(queue=queue, rater=rater)
        if given is None or not given.unopened:
            return given
        opened = open_pair(assignment=given, rater=rater)
        if not opened.refused:
            return opened.assignment
        given = None
    return None


def count_time(held: Assignment, ms: int) -> bool:
    """Add the judging time of a sensitive pair to its topics' exposure; returns whether one is of the worst kind.

    Runs in the submit's transaction.
    """
    keys = held.lane.split()
    Participation.objects.select_for_update(no_key=True).filter(project=held.project_id, user=held.rater_id).first()
    _count(held, shown=0, ms=ms)
    return Topic.objects.filter(project=held.project_id, key__in=keys, severity__gte=SEVERE).exists()


@transaction.atomic
def check_in(*, project: Project, user: User, feeling: str, shared: bool) -> CheckIn:
    """Keep how somebody says they are. Not in the audit log, which managers read: it is theirs unless they share it."""
    if feeling not in CheckIn.Feeling.values:
        raise Refused("invalid", _("Choose one of the three, or none."), {"feeling": "unknown"})
    return CheckIn.objects.create(project=project, user=user, feeling=feeling, shared=shared)


@transaction.atomic
def stop_sharing(*, user: User, check_in: CheckIn) -> None:
    """Take a shared answer back from the managers."""
    CheckIn.objects.filter(pk=check_in.pk, user=user).update(shared=False)


@transaction.atomic
def change_care(*, project: Project, by: User | None, **changes: Any) -> Project:
    """Whom raters can talk to, and when breaks are offered (0: never by that number)."""
    errors = {}
    if changes.keys() - {"support", "break_after_minutes", "break_after_pairs"}:
        raise Refused("unchangeable", _("These stay as they are."), dict.fromkeys(changes, "fixed"))
    for field, most in (("break_after_minutes", LONGEST_BREAK_MINUTES), ("break_after_pairs", MOST_BREAK_PAIRS)):
        if not 0 <= changes.get(field, 0) <= most:
            errors[field] = _("From 0 to %(most)s.") % {"most": most}
    if "support" in changes:
        changes["support"] = changes["support"].strip()
        if len(changes["support"]) > LONGEST_SUPPORT:
            errors["support"] = _("At most %(most)s characters.") % {"most": LONGEST_SUPPORT}
    if errors:
        raise Refused("invalid", " ".join(errors.values()), errors)
    before = {name: getattr(project, name) for name in changes}
    for name, value in changes.items():
        setattr(project, name, value)
    project.save(update_fields=list(changes))
    record(by, "care.changed", project, project_id=project.pk, before=before, after=changes)
    return project


def _locked(assignment: Assignment, rater: User) -> Assignment:
    rows = Assignment.objects.select_for_update(of=("self",)).select_related("queue", "project")
    return rows.get(pk=assignment.pk, rater=rater)


def _why_not(held: Assignment) -> str:
    mine = Participation.objects.select_for_update(no_key=True).filter(project=held.project_id, user=held.rater_id)
    chosen = [key for one in mine for key in one.topics]
    known = set(Topic.objects.filter(project=held.project_id).values_list("key", flat=True))
    if not set(held.lane.split()) & known <= set(chosen) or not held.project.support:
        return "not_chosen"
    if capped_topics(held.project_id, held.rater_id, held.lane):
        return "capped"
    return "run" if run_length(held.project_id, held.rater_id) >= MOST_IN_A_ROW else ""


def _count(held: Assignment, *, shown: int, ms: int) -> None:
    facts: dict[str, Any] = {
        "project": held.project_id,
        "rater": held.rater_id,
        "day": datetime.now(UTC).date(),
        "topics": held.lane.split(),
        "shown": shown,
        "ms": ms,
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, facts)
