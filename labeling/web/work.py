"""My work: a person's own judgments and skips, in all projects, and one of them with its history."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from labeling.access import assignment_for
from labeling.actions.annotate import may_revise
from labeling.models import Adjudication, Assignment
from labeling.models.queues import GOLD
from labeling.reports.decisions import decisions_on
from labeling.reports.desk import Shown, shown
from labeling.reports.work import DONE, Cursor, Work, history, own_work, rated_projects
from labeling.web.decided import name_of, words_of
from labeling.web.gold_told import known_of
from labeling.web.guards import PersonRequest
from labeling.web.questions import Asked, Question, Safety, asked

ROWS = 25


@dataclass(frozen=True, slots=True)
class Row:
    """A pair of the list. `said` is what was answered, in words."""

    work: Work
    said: list[tuple[str, str]]
    may_revise: bool

    @property
    def excerpt(self) -> str:
        """The beginning of what the responses answer, to know the pair again; of a sensitive pair, what it is about."""
        if self.work.assignment.sensitive:
            return _("About: %(topics)s") % {"topics": ", ".join(self.work.assignment.lane.split())}
        content = self.work.assignment.pair.item.conversation[-1]["content"]
        if not isinstance(content, str):
            content = " ".join(part.get("text", "") for part in content)
        return str(content)


@require_GET
def work(request: PersonRequest) -> HttpResponse:
    slug, before = request.GET.get("project", ""), Cursor.parse(request.GET.get("before", ""))
    projects = list(rated_projects(request.user))
    wanted = [project for project in projects if slug in ("", project.slug)]
    if slug and not wanted:
        raise Http404
    page = own_work(request.user, projects=wanted, before=before, limit=ROWS)
    context = {
        "rows": [_row(one) for one in page.rows],
        "older": page.older,
        "wanted": slug,
        "projects": projects,
        "newest": before is None,
    }
    return render(request, "labeling/work.html", context)


@require_GET
def detail(request: PersonRequest, pk: int) -> HttpResponse:
    """The pair as it was shown, what was said of it, and every change."""
    assignment = assignment_for(request.user, pk)
    if assignment.state not in DONE or assignment.unopened:
        raise Http404
    seen = shown(assignment)
    revisions = history(seen.assignment) if assignment.state == Assignment.State.SUBMITTED else []
    context = {
        "shown": seen,
        "assignment": seen.assignment,
        "queue": seen.assignment.queue,
        "revisions": [(one, in_words(asked(seen, one.body))) for one in revisions],
        "may_revise": bool(revisions) and may_revise(seen.assignment),
        "back": "work",
        "decisions": _decided(seen) if revisions else [],
    }
    if assignment.lane == GOLD and (known := known_of(seen.assignment, seen, request.user)):
        context |= known
    return render(request, "labeling/work_detail.html", context)


def _decided(seen: Shown) -> list[tuple[str, str, Adjudication]]:
    """What stands decided on the pair, as (question, answer, decision), with A on the side where the rater saw it."""
    pair, swapped = seen.assignment.pair, seen.assignment.swapped
    current = [one for one in decisions_on(pair) if one.current]
    return [
        (name_of(one.criterion), words_of(one, one.criterion, pair.first_id, swapped=swapped), one) for one in current
    ]


def _row(one: Work) -> Row:
    pair = one.assignment.pair
    seen = Shown(
        assignment=one.assignment,
        item=pair.item,
        left=pair.first,
        right=pair.second,
        criteria=one.criteria,
        guideline_version=None,
        done=0,
        of=0,
    )
    answered = one.annotation is not None
    return Row(one, in_words(asked(seen, one.body)) if answered else [], answered and may_revise(one.assignment))


def in_words(form: Asked) -> list[tuple[str, str]]:
    """What a filled form says, as (question, answer); what was left open is left out."""
    said = [(question.title, _answer(question)) for question in form.questions]
    for column in form.columns:
        said += [(f"{safety.name}: {column.letter}", _of_safety(safety)) for safety in column.safeties]
    own = [words.value for words in (form.words, *(question.words for question in form.questions)) if words]
    said += [(_("In your own words"), value) for value in own]
    return [(question, answer) for question, answer in said if answer]


def _answer(question: Question) -> str:
    chosen = [choice for choice in [*question.choices, question.both_bad] if choice and choice.checked]
    return _(", ").join(choice.word or choice.name for choice in chosen) or question.value


def _of_safety(safety: Safety) -> str:
    if safety.safe is None:
        return ""
    choices = [part for domain in safety.domains for part in [domain.choice, *domain.parts] if part]
    harms = [choice.name for choice in [*choices, *safety.severities] if choice.checked]
    return _("safe") if safety.safe else _(", ").join([_("unsafe"), *harms])
