"""Rules about people whose answers differ from what is known: they warn and they pause. Nothing is ever deleted.

Both rules weigh all of a rater's newest known answers against what is believed of raters beforehand, so that a run of
bad luck does not pause anybody. Why not a share of the last twenty: a rater who is right 65 times in 100 falls below
60 % of some twenty in a row sooner or later (99.7 % of them within 200). By PAUSE the same rater is paused with 0.3 %,
one who is right 75 times with 0.01 %, and one who is right 40 times after 40 answers in the middle, 33 times after 26
(tests/actions/test_checks.py computes it anew).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import GoldResult, Participation, Project, User
from labeling.stats.checks import below

LONGEST_WHY = 300
NEWEST = 200  # known answers of a rater that are looked at, one a criterion
WARN_AGAIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Rule:
    """Act when P(share of right answers < `level`) > `sure`, after at least so many known answers."""

    level: float
    sure: float
    least: int

    def holds(self, right: int, known: int) -> bool:
        return known >= self.least and below(self.level, right=right, wrong=known - right) > self.sure


WARN = Rule(level=0.70, sure=0.95, least=10)
PAUSE = Rule(level=0.60, sure=0.99, least=20)


def look_at(*, project: Project, rater: User) -> None:
    """After an answer to a pair that is known, in its transaction: warn or pause its rater, if a rule says so."""
    mine, _made = Participation.objects.get_or_create(project=project, user=rater)
    mine = Participation.objects.select_for_update(no_key=True).get(pk=mine.pk)
    if mine.paused_at is not None:
        return
    right, known = tally(mine)
    if PAUSE.holds(right, known):
        said = _("Of your newest %(known)s answers that were checked, %(right)s were as known.")
        _pause(mine, None, said % {"right": right, "known": known})
    elif WARN.holds(right, known) and (mine.warned_at is None or mine.warned_at < timezone.now() - WARN_AGAIN):
        _warn(mine, None, right=right, known=known)


def tally(mine: Participation) -> tuple[int, int]:
    """Known answers met and looked at: the newest, those that still count, since a manager let the rater go on."""
    rows = GoldResult.objects.filter(project=mine.project_id, rater=mine.user_id, set_aside=False)
    since = Q() if mine.resumed_at is None else Q(created_at__gt=mine.resumed_at)
    met = list(rows.filter(since).order_by("-created_at", "-pk").values_list("right", flat=True)[:NEWEST])
    return sum(met), len(met)


@transaction.atomic
def warn_rater(*, project: Project, rater: User, by: User) -> Participation:
    """Tell a rater, on their home page, that answers differed from what is known. It costs them nothing."""
    mine = _lock(project, rater)
    right, known = tally(mine)
    _warn(mine, by, right=right, known=known)
    return mine


@transaction.atomic
def pause_rater(*, project: Project, rater: User, by: User, why: str = "") -> Participation:
    """Give a rater no pair until somebody resumes them. What they hold they may finish, what they judged stays.

    They read `why`. Refused("unchanged") who is paused already.
    """
    mine = _lock(project, rater)
    if mine.paused_at is not None:
        raise Refused("unchanged", _("This person is paused already."))
    _pause(mine, by, why)
    return mine


@transaction.atomic
def resume_rater(*, project: Project, rater: User, by: User) -> Participation:
    """Let a rater go on. Checks from before this moment do not pause them again."""
    mine = _lock(project, rater)
    if mine.paused_at is None:
        raise Refused("unchanged", _("This person is not paused."))
    why, mine.paused_at, mine.paused_why, mine.resumed_at = mine.paused_why, None, "", timezone.now()
    mine.save(update_fields=["paused_at", "paused_why", "resumed_at"])
    record(by, "rater.resumed", mine, project_id=project.pk, user=rater.pk, was=why)
    return mine


def _lock(project: Project, rater: User) -> Participation:
    mine, _made = Participation.objects.get_or_create(project=project, user=rater)
    return Participation.objects.select_for_update(of=("self",), no_key=True).select_related("user").get(pk=mine.pk)


def _pause(mine: Participation, by: User | None, why: str) -> None:
    mine.paused_at, mine.paused_why = timezone.now(), " ".join(why.replace("\0", "").split())[:LONGEST_WHY]
    mine.save(update_fields=["paused_at", "paused_why"])
    record(by, "rater.paused", mine, project_id=mine.project_id, user=mine.user_id, why=mine.paused_why)


def _warn(mine: Participation, by: User | None, **figures: int) -> None:
    mine.warned_at = timezone.now()
    mine.save(update_fields=["warned_at"])
    record(by, "rater.warned", mine, project_id=mine.project_id, user=mine.user_id, **figures)
