"""Study plans: asked for, worked out by a worker, looked at, made a queue, and set beside what happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, plan_for, project_for
from labeling.actions.plans import MEASURED, make_queue, plan_study
from labeling.actions.refusals import Refused
from labeling.models import Project, StudyPlan
from labeling.reports.plans import measured_accuracies, people_at_work, seconds_a_judgment
from labeling.spreadsheets import csv_download
from labeling.tasks import enqueue_plan
from labeling.web.guards import PersonRequest
from labeling.web.plan_chart import plan_chart
from labeling.web.plan_forms import PlanForm

MOST_LISTED = 100
HEADER = [
    "rule", "accuracy", "low", "high", "judgments_a_pair", "judgments", "hours", "cost", "days", "cheapest",
]  # fmt: skip


@require_safe
def plans(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    rows = StudyPlan.objects.filter(project=project).select_related("queue", "created_by").order_by("-pk")
    return render(request, "labeling/plans.html", {"project": project, "plans": rows[:MOST_LISTED]})


@require_http_methods(["GET", "HEAD", "POST"])
def plan_new(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    accuracies = measured_accuracies(project)
    seconds, known_by = seconds_a_judgment(project)
    form = PlanForm(request.POST or None, initial=_start(project, seconds, accuracies), measured=bool(accuracies))
    if form.is_valid():
        try:
            made = plan_study(
                project=project, by=request.user, name=form.cleaned_data["name"], asked=form.asked()
            )  # fmt: skip
        except Refused as refused:
            for field, said in refused.errors.items():
                form.add_error(field, said)
        else:
            enqueue_plan(made)
            return redirect("plan", slug, made.pk)
    context = {"project": project, "form": form, "known_by": known_by, "known_raters": len(accuracies)}
    return render(request, "labeling/plan_new.html", context, status=422 if form.errors else 200)


@require_safe
def plan(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """The table, the chart and what happened; until it is ready htmx asks again."""
    found = plan_for(request.user, slug, pk)
    context: dict[str, Any] = {"project": found.project, "plan": found, "asked": found.asked}
    if found.found is not None:
        rows, cheapest = found.found["rows"], found.found["cheapest"]
        happened = found.found.get("happened")
        context |= {
            "rows": [(rule_in_words(row["rule"]), _percents(row), place == cheapest) for place, row in enumerate(rows)],
            "chart": plan_chart(rows, cheapest, found.asked["wished"]),
            "cheapest": None if cheapest is None else (rule_in_words(rows[cheapest]["rule"]), rows[cheapest]),
            "agree": 100 * found.found["agree"],
            "money": found.asked["price"] > 0,
            "chosen": rows[found.found["row"]] if "row" in found.found else None,
            "happened": happened and _so_far(happened),
        }
    part = "#outcome" if request.htmx else ""
    return render(request, f"labeling/plan.html{part}", context)


@require_POST
def plan_queue(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """A queue by the rules of one row."""
    found = plan_for(request.user, slug, pk)
    row = request.POST.get("row", "")
    number = int(row) if row.isascii() and row.isdecimal() and len(row) < 4 else -1
    try:
        made = make_queue(plan=found, by=request.user, row=number)
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect("plan", slug, pk)
    said = _("The queue is there, with every pair of the project. Look at its rules before it is worked on.")
    messages.success(request, said)
    return redirect("queue", slug, made.pk)


@require_safe
def plan_csv(request: PersonRequest, slug: str, pk: int) -> HttpResponseBase:
    found = plan_for(request.user, slug, pk)
    return csv_download(f"plan-{found.pk}.csv", HEADER, _lines(found))


@require_safe
def plan_json(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    found = plan_for(request.user, slug, pk)
    answer = JsonResponse({"name": found.name, "state": found.state, "asked": found.asked, "found": found.found})
    answer["Content-Disposition"] = f'attachment; filename="plan-{found.pk}.json"'
    return answer


def rule_in_words(rule: dict[str, Any]) -> str:
    if rule["trusted"]:
        return _("One to %(most)s, until %(sure)s%% sure") % {"most": rule["most"], "sure": round(100 * rule["sure"])}
    if rule["sure"]:
        return _("Two to %(most)s, until %(sure)s%% sure") % {"most": rule["most"], "sure": round(100 * rule["sure"])}
    if rule["third"]:
        return _("Two, and a third when they disagree")
    return _("%(overlap)s for every pair") % {"overlap": rule["overlap"]}


def _percents(row: dict[str, Any]) -> dict[str, Any]:
    shares = {"percent": "accuracy", "low_percent": "low", "high_percent": "high"}
    return row | {name: 100 * row[share] for name, share in shares.items()}


def _so_far(happened: dict[str, Any]) -> dict[str, Any]:
    agree = happened["agree"]
    told = {"at": datetime.fromisoformat(happened["at"]), "agree_percent": None if agree is None else 100 * agree}
    return happened | told


def _lines(found: StudyPlan) -> Iterable[list[Any]]:
    told = found.found or {"rows": [], "cheapest": None}
    for place, row in enumerate(told["rows"]):
        yield [rule_in_words(row["rule"]), *(row[name] for name in HEADER[1:-1]), place == told["cheapest"]]


def _start(project: Project, seconds: int, accuracies: list[float]) -> dict[str, Any]:
    """What a new plan is filled with: what is known of the project."""
    return {
        "name": _("Plan %(n)s") % {"n": StudyPlan.objects.filter(project=project).count() + 1},
        "pairs": project.pairs.count() or 1000, "raters": max(people_at_work(project), 2) if accuracies else 20,
        "crowd": MEASURED if accuracies else "mixed", "overlaps": [1, 2, 3, 5], "third": True, "sures": [0.8, 0.9],
        "trusted": True, "most": 5, "seconds": seconds, "price": 15, "gold_percent": 3, "hours_a_day": 4, "wished": 85,
    }  # fmt: skip
