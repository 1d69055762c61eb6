"""Where raters differ: the list for those who decide, the way to the next, deciding on many, what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from labeling.access import ADJUDICATORS, project_for
from labeling.actions.adjudicate import MOST_AT_ONCE, decide_in_bulk
from labeling.actions.refusals import Refused
from labeling.models import Criterion, Disagreement, Project, Topic
from labeling.reports.crowd_choice import crowd_choices
from labeling.reports.decisions import decisions_of
from labeling.reports.disagreements import (
    MOST_COUNTED,
    Chosen,
    Cursor,
    choices,
    counted,
    mine_to_decide,
    next_for,
    page,
)
from labeling.web.decided import excerpt, name_of, words_of
from labeling.web.guards import PersonRequest

ROWS, SAMPLE = 25, 6


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list: what it is about, why it is here, and on which questions raters differ."""

    row: Disagreement
    excerpt: str
    kinds: list[str]
    criteria: list[str]

    @property
    def percent(self) -> int:
        return round(100 * self.row.split)


@require_safe
def disagreements_list(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, ADJUDICATORS)
    chosen, after = Chosen.of(request.GET), Cursor.parse(request.GET.get("after", ""))
    found, offered = page(project, chosen, after, ROWS), choices(project)
    context = {
        "project": project,
        "rows": [_row(one, offered["criteria"], offered["topics"]) for one in found.rows],
        "following": found.following,
        "newest": after is None,
        "count": counted(project, chosen),
        "most": MOST_COUNTED,
        "chosen": chosen,
        "query": urlencode(chosen.fields),
        "me": request.user,
    }
    return render(request, "labeling/disagreements.html", context | offered)


@require_safe
def disagreement_next(request: PersonRequest, slug: str) -> HttpResponse:
    """On to the next that this person may decide on; behind `after`, else from the top."""
    project = project_for(request.user, slug, ADJUDICATORS)
    return redirect(address_of_next(request, project, Chosen.of(request.GET), request.GET.get("after", "")))


def address_of_next(request: PersonRequest, project: Project, chosen: Chosen, after: str) -> str:
    """The page of the next disagreement, or the list, with a word, when there is none."""
    query = urlencode(chosen.fields)
    found = next_for(request.user, project, chosen, Cursor.parse(after))
    if found is not None:
        return f"{reverse('disagreement', args=[project.slug, found.pair_id])}?{query}".rstrip("?")
    messages.info(request, _("That was the last one of these."))
    return f"{reverse('disagreements', args=[project.slug])}?{query}".rstrip("?")


@require_http_methods(["GET", "HEAD", "POST"])
def disagreement_bulk(request: PersonRequest, slug: str) -> HttpResponse:
    """What would be decided, with a sample; then, with a reason, it is."""
    project = project_for(request.user, slug, ADJUDICATORS)
    chosen, refused = Chosen.of(request.POST or request.GET), None
    if request.method == "POST":
        try:
            done = decide_in_bulk(
                project=project, by=request.user, pairs=_ids(request.POST.get("pairs", "")),
                reason=request.POST.get("reason", ""),
            )  # fmt: skip
        except Refused as problem:
            refused = problem
        else:
            n = len(done.decided)
            text = ngettext("Decided on %(n)s pair.", "Decided on %(n)s pairs.", n) % {"n": n}
            messages.success(request, text)
            return redirect(f"{reverse('disagreements', args=[slug])}?{urlencode(chosen.fields)}".rstrip("?"))
    context = _bulk(request, project, chosen) | {
        "project": project, "chosen": chosen, "query": urlencode(chosen.fields), "refused": refused,
        "reason": request.POST.get("reason", ""), "most": MOST_AT_ONCE,
    }  # fmt: skip
    return render(request, "labeling/disagreement_bulk.html", context, status=422 if refused else 200)


@require_safe
def decisions(request: PersonRequest, slug: str) -> HttpResponse:
    """What was decided, newest first."""
    project = project_for(request.user, slug, ADJUDICATORS)
    before = request.GET.get("before", "")
    rows = decisions_of(project)
    if before.isascii() and before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found, topics = list(rows[: ROWS + 1]), list(Topic.objects.filter(project=project))
    shown = [
        (one, excerpt(one.pair.item, topics), name_of(one.criterion), words_of(one, one.criterion, one.pair.first_id))
        for one in found[:ROWS]
    ]
    context = {
        "project": project, "rows": shown, "newest": not before,
        "older": found[ROWS - 1].pk if len(found) > ROWS else None,
    }  # fmt: skip
    return render(request, "labeling/decisions.html", context)


def _row(row: Disagreement, criteria: list[Criterion], topics: list[Topic]) -> Row:
    kinds = dict(Disagreement.Kind.choices)
    names = [name_of(one) for one in criteria if one.pk in row.criteria]
    return Row(row, excerpt(row.pair.item, topics), [str(kinds[kind]) for kind in row.kinds if kind in kinds], names)


def _bulk(request: PersonRequest, project: Project, chosen: Chosen) -> dict[str, Any]:
    """At most MOST_AT_ONCE from the top: those with a choice of the crowd, and a sample of them."""
    looked = list(islice(mine_to_decide(request.user, project, chosen), MOST_AT_ONCE))
    taken = crowd_choices(project.pk, {row.pair_id: row.criteria for row in looked}) if looked else {}
    ready = [row for row in looked if taken[row.pair_id]]
    criteria = {one.pk: one for one in project.criteria.all()}
    topics = list(Topic.objects.filter(project=project))
    sample = [
        (
            row, excerpt(row.pair.item, topics),
            [
                (name_of(criteria[one.criterion_id]), words_of(one, criteria[one.criterion_id], row.pair.first_id))
                for one in taken[row.pair_id]
            ],
        )
        for row in ready[:: max(1, len(ready) // SAMPLE)][:SAMPLE]
    ]  # fmt: skip
    return {
        "ready": len(ready), "even": len(looked) - len(ready), "sample": sample, "full": len(looked) == MOST_AT_ONCE,
        "pairs": ",".join(str(row.pair_id) for row in ready),
    }  # fmt: skip


def _ids(text: str) -> list[int]:
    return [int(one) for one in text.split(",") if one.isascii() and one.isdecimal() and len(one) < 19]
