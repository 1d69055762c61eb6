"""The audit log of a project, for its managers: searched on a page, taken along as CSV or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from django import forms
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from labeling.access import MANAGERS, project_for
from labeling.models import Project
from labeling.reports.log import Logged, Search, kinds, log_lines, log_page, people
from labeling.spreadsheets import csv_download
from labeling.web.guards import PersonRequest

COLUMNS = ["id", "at", "who", "act", "thing", "before", "after", "more"]

# What entries are about, by the beginnings of their acts.
KINDS: dict[str, Any] = {
    "project": gettext_lazy("the project"),
    "queue": gettext_lazy("queues"),
    "criterion": gettext_lazy("questions"),
    "hints": gettext_lazy("contradictions"),
    "rationale": gettext_lazy("own words"),
    "guideline": gettext_lazy("the guideline"),
    "member": gettext_lazy("roles"),
    "invitation": gettext_lazy("invitations"),
    "consent": gettext_lazy("consent"),
    "care": gettext_lazy("care"),
    "topic": gettext_lazy("sensitive topics"),
    "pair": gettext_lazy("pairs"),
    "pairs": gettext_lazy("many pairs at once"),
    "escalation": gettext_lazy("what was passed on"),
    "gold": gettext_lazy("known answers"),
    "dispute": gettext_lazy("objections"),
    "rater": gettext_lazy("raters"),
    "withdrawal": gettext_lazy("what is set aside"),
    "withdrawn": gettext_lazy("what is withdrawn"),
    "lesson": gettext_lazy("lessons"),
    "practice": gettext_lazy("practice"),
    "qualification": gettext_lazy("qualification"),
    "crowd_link": gettext_lazy("crowd links"),
    "crowd": gettext_lazy("crowd workers"),
    "batch": gettext_lazy("imports"),
    "judgments": gettext_lazy("imported judgments"),
    "recipe": gettext_lazy("recipes"),
    "export": gettext_lazy("exports"),
    "link": gettext_lazy("links to exports"),
    "push": gettext_lazy("pushes to a hub"),
    "webhook": gettext_lazy("webhooks"),
    "analysis": gettext_lazy("reports"),
    "plan": gettext_lazy("plans"),
    "annotation": gettext_lazy("answers"),
    "assignment": gettext_lazy("pairs in hand"),
    "assignments": gettext_lazy("pairs that went back"),
}


class SearchForm(forms.Form):
    kind = forms.ChoiceField(required=False, label=pgettext_lazy("topic", "About"))
    person = forms.TypedChoiceField(
        required=False, label=pgettext_lazy("who did it", "By"), coerce=int, empty_value=None
    )
    thing = forms.CharField(
        required=False, max_length=60, label=gettext_lazy("Thing"),
        widget=forms.TextInput(attrs={"placeholder": "queue 3", "autocomplete": "off"}),
    )  # fmt: skip
    since = forms.DateField(
        required=False,
        label=pgettext_lazy("day", "From"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        required=False,
        label=pgettext_lazy("day", "To"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    work = forms.BooleanField(required=False, label=gettext_lazy("With what raters do all day"))

    def __init__(self, data: Any, project: Project) -> None:
        super().__init__(data)
        for name, field in self.fields.items():
            if name != "work":
                field.widget.attrs["class"] = "input"
        names = [(kind, KINDS.get(kind, kind)) for kind in kinds(project)]
        self.fields["kind"].choices = [("", gettext_lazy("Everything")), *names]  # type: ignore[attr-defined]
        persons = [(user.pk, user.display_name) for user in people(project)]
        self.fields["person"].choices = [("", gettext_lazy("Everybody")), *persons]  # type: ignore[attr-defined]

    @property
    def search(self) -> Search:
        return Search(**self.cleaned_data) if self.is_valid() else Search()


@require_safe
def audit_log(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    form = SearchForm(request.GET, project)
    search = form.search
    before = request.GET.get("before", "")
    page = log_page(project, search, before=int(before) if before.isdecimal() and len(before) < 18 else None)
    kept = request.GET.copy()
    kept.pop("before", None)
    context = {
        "project": project, "form": form, "page": page, "kept": kept.urlencode(), "newest": not before,
        "searched": search.anything,
    }  # fmt: skip
    return render(request, "labeling/audit_log.html", context, status=200 if form.is_valid() else 422)


@require_safe
def audit_log_csv(request: PersonRequest, slug: str) -> HttpResponseBase:
    project = project_for(request.user, slug, MANAGERS)
    lines = log_lines(project, SearchForm(request.GET, project).search)
    return csv_download(f"{slug}-audit-log.csv", COLUMNS, (_cells(line) for line in lines))


@require_safe
def audit_log_json(request: PersonRequest, slug: str) -> HttpResponseBase:
    """One entry a line."""
    project = project_for(request.user, slug, MANAGERS)
    lines = log_lines(project, SearchForm(request.GET, project).search)
    answer = StreamingHttpResponse(_json(lines), content_type="application/x-ndjson")
    name = f"{slug}-audit-log.jsonl"
    answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return answer


def _cells(line: Logged) -> list[Any]:
    before = {field: value for field, value, _ in line.changes}
    after = {field: value for field, _, value in line.changes}
    told = [orjson.dumps(part).decode() if part else "" for part in (before, after, line.more)]
    return [line.pk, line.at.isoformat(), line.who, line.act, line.thing, *told]


def _json(lines: Iterator[Logged]) -> Iterator[bytes]:
    for line in lines:
        whole = dict(zip(COLUMNS, _cells(line)[:5], strict=False))
        changes = [{"field": field, "before": old, "after": new} for field, old, new in line.changes]
        yield orjson.dumps(whole | {"changes": changes, "more": line.more}) + b"\n"
