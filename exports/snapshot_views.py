"""Pages about finished snapshots: the dataset card, what lies between two of them, and what was withdrawn."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from exports.access import export_for, exports_for
from exports.actions import request_export
from exports.comparing import KINDS, Between, between
from exports.files import open_file
from exports.models import Export, ExportFile
from exports.tasks import enqueue_export
from exports.withdrawn import settle_withdrawals
from labeling.access import MANAGERS, RESEARCHERS, project_for, roles_in
from labeling.actions.refusals import Refused
from labeling.actions.withdrawals import find_item, find_rater, withdraw_item, withdraw_rater
from labeling.models import Item, Project
from labeling.rendering import render as render_text
from labeling.web.guards import PersonRequest

LONGEST_CARD = 256 * 1024
MOST_CHOICES = 100
NAMES = {
    "in": gettext_noop("Came in"), "out": gettext_noop("Gone"), "flipped": gettext_noop("Turned around"),
    "changed": gettext_noop("Changed"), "new_votes": gettext_noop("new votes"),
    "revised": gettext_noop("an answer was revised"), "withdrawn": gettext_noop("votes were withdrawn"),
    "decided": gettext_noop("an adjudicator decided"),
    "recipe": gettext_noop("the recipe differs"), "other": gettext_noop("tags, queues or the software differ"),
    "first": gettext_noop("first"), "second": gettext_noop("second"), "tie": gettext_noop("tie"),
    "both_bad": gettext_noop("neither"), "mixed": gettext_noop("both ways"), "": "–",
}  # fmt: skip


@require_safe
def export_card(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    found = _done(request, slug, pk)
    context = _frame(request, found.project) | {"export": found, "card": _rendered(found)}
    return render(request, "exports/card_page.html", context)


@require_safe
def export_compare(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, RESEARCHERS)
    done = exports_for(request.user).filter(project=project, state=Export.State.DONE).order_by("-pk")[:MOST_CHOICES]
    context = _frame(request, project) | {"choices": done}
    chosen = [_number(request.GET.get(name)) for name in ("one", "other")]
    status = 200
    if all(chosen):
        one, other = (_done(request, slug, pk) for pk in chosen)
        kind = request.GET.get("kind", "")
        try:
            found = between(one, other, kind=kind if kind in KINDS else "", after=request.GET.get("after", ""))
            context |= _compared(found, kind)
        except Refused as refused:
            messages.error(request, " ".join([refused.message, *refused.errors.values()]))
            status = 422
    return render(request, "exports/compare.html", context | {"chosen": chosen}, status=status)


@require_POST
def export_since(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """A new export with the same recipe and name, of what is new or changed since this one."""
    found = _done(request, slug, pk)
    try:
        made = request_export(project=found.project, by=request.user, recipe=found.recipe, name=found.name, since=found)
    except Refused as refused:
        messages.error(request, " ".join([refused.message, *refused.errors.values()]))
        return redirect("export", slug, pk)
    enqueue_export(made)
    return redirect("export", slug, made.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def withdrawals(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    status = 200
    if request.method == "POST":
        try:
            _withdraw(request, project)
            return redirect("withdrawals", slug)
        except Refused as refused:
            messages.error(request, refused.message)
            status = 422
    rows = project.withdrawals.select_related("item", "rater", "created_by").order_by("-pk")[:MOST_CHOICES]
    context = _frame(request, project) | {"withdrawals": rows}
    return render(request, "exports/withdrawals.html", context, status=status)


def _withdraw(request: PersonRequest, project: Project) -> None:
    given = request.POST
    how: dict[str, Any] = {
        "by": request.user, "note": given.get("note", ""), "closes": given.get("closes") == "yes",
    }  # fmt: skip
    if given.get("what") == "item":
        withdraw_item(item=find_item(project=project, name=given.get("name", "")), **how)
    else:
        withdraw_rater(project=project, rater=find_rater(project=project, name=given.get("name", "")), **how)
    made = settle_withdrawals()
    for successor in made:
        enqueue_export(successor)
    messages.success(
        request, _("It is in no dataset made from now on. Snapshots that hold it are marked and made again.")
    )


def _compared(found: Between, kind: str) -> dict[str, Any]:
    prompts = _prompts(found)
    kinds = [(each, NAMES[each], found.kinds[each]) for each in KINDS]
    changes = [
        (change, NAMES[change.kind], NAMES[change.before], NAMES[change.after], [NAMES[why] for why in change.why],
         prompts.get(change.item, ""))
        for change in found.changes
    ]  # fmt: skip
    whys = [(NAMES[why], count) for why, count in found.whys.most_common()]
    return {"found": found, "kinds": kinds, "kind": kind, "changes": changes, "whys": whys}


def _prompts(found: Between) -> dict[str, str]:
    """The end of each changed comparison's conversation, by the half of its item's fingerprint that a ledger keeps."""
    halves = {change.item for change in found.changes}
    if not halves:
        return {}
    beginning = reduce(or_, (Q(fingerprint__gte=half, fingerprint__lt=f"{half}g") for half in sorted(halves)))
    items = Item.objects.filter(beginning, project=found.before.project_id)
    return {item.fingerprint[:32]: _last_words(item.conversation) for item in items}


def _last_words(conversation: list[dict[str, Any]]) -> str:
    content = conversation[-1]["content"] if conversation else ""
    if isinstance(content, str):
        return content
    return " ".join(part["text"] for part in content if part["type"] == "text")


def _rendered(found: Export) -> dict[str, Any] | None:
    """The card below its front matter, as what the `rendered` filter takes; None if its file is gone."""
    file = ExportFile.objects.filter(export=found, path="README.md").first()
    if file is None:
        return None
    try:
        with open_file(file) as stored:
            text = stored.read(LONGEST_CARD).decode(errors="replace").partition("\n---\n")[2]
            text = text.partition("\n## Guideline, version ")[0]  # they have pages of their own
    except OSError:
        return None
    return render_text(text)._asdict()


def _done(request: PersonRequest, slug: str, pk: int) -> Export:
    found = export_for(request.user, pk)
    if found.project.slug != slug or found.state != Export.State.DONE:
        raise Http404
    return found


def _frame(request: PersonRequest, project: Project) -> dict[str, Any]:
    return {"project": project, "roles": roles_in(request.user, project)}


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else 0
