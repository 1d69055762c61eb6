"""Import: choose a file, see its first rows as they will be read, start, watch it, read what was refused.

Between the upload and the start nothing is in the database: a signed text names the stored file, so that no one
can start a file that they did not send.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core import signing
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from labeling.access import MANAGERS, batch_for, project_for
from labeling.actions.import_items import StoredFile, start_batch, store_file
from labeling.importers import FORMATS, ItemFile, Unreadable
from labeling.models import Batch, Project
from labeling.spreadsheets import csv_download
from labeling.tasks import enqueue_import
from labeling.web.guards import PersonRequest

SALT = "labeling.import"
CONFIRM_WITHIN = 24 * 3600
SHOWN = 10
PAGE = 50


@require_GET
def imports(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    batches = project.batches.select_related("created_by").order_by("-created_at", "-id")
    page = Paginator(batches, PAGE).get_page(request.GET.get("page"))
    return render(request, "labeling/imports.html", {"project": project, "page": page})


# The token is in the body, and a body this size is not read for just anyone: right and size are looked at first,
# the token by the view below.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def import_new(request: PersonRequest, slug: str) -> HttpResponse:
    project = project_for(request.user, slug, MANAGERS)
    if int(request.META.get("CONTENT_LENGTH") or 0) > settings.UPLOAD_LIMIT:
        megabytes = settings.UPLOAD_LIMIT // 1024**2
        said = _("The file is larger than %(most)s MB. Pack it with gzip or split it.")
        return _choose(request, project, said % {"most": f"{megabytes:,}"}, 413)
    return _upload(request, project)


@csrf_protect
def _upload(request: PersonRequest, project: Project) -> HttpResponse:
    if request.method != "POST":
        return _choose(request, project)
    sent = request.FILES.get("file")
    if sent is None:
        return _choose(request, project, _("Choose a file first."), 422)
    facts = {"name": sent.name or "", "project": project.pk, "user": request.user.pk, **asdict(store_file(sent))}
    asked = {"upload": signing.dumps(facts, salt=SALT, compress=True)}
    return redirect(f"{reverse('import_preview', args=[project.slug])}?{urlencode(asked)}")


def _choose(request: PersonRequest, project: Project, error: str = "", status: int = 200) -> HttpResponse:
    shown = {"project": project, "formats": FORMATS, "error": error}
    return render(request, "labeling/import_new.html", shown, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def import_preview(request: PersonRequest, slug: str) -> HttpResponse:
    """The first rows of an uploaded file; posting starts the import."""
    project = project_for(request.user, slug, MANAGERS)
    asked = request.POST if request.method == "POST" else request.GET
    upload, format_name = asked.get("upload", ""), asked.get("format", "")
    facts = _facts(upload, project, request.user.pk)
    if facts is None:
        messages.error(request, _("This upload is over or belongs to someone else. Choose the file again."))
        return redirect("import_new", project.slug)
    if request.method == "POST":
        stored = StoredFile(facts["storage_name"], facts["sha256"], facts["size"])
        batch = start_batch(
            project=project, by=request.user, name=facts["name"], stored=stored, format_name=format_name
        )
        enqueue_import(batch)
        return redirect("import_detail", project.slug, batch.pk)
    shown = {
        "project": project,
        "upload": upload,
        "formats": FORMATS,
        "name": facts["name"],
        "size": facts["size"],
    }
    return render(request, "labeling/import_preview.html", shown | _preview(facts, format_name))


def _facts(upload: str, project: Project, user_id: int) -> dict[str, Any] | None:
    """What the signed text says, if it is this person's for this project and not too old."""
    try:
        facts: dict[str, Any] = signing.loads(upload, salt=SALT, max_age=CONFIRM_WITHIN)
    except signing.BadSignature:
        return None
    return facts if (facts["project"], facts["user"]) == (project.pk, user_id) else None


def _preview(facts: dict[str, Any], format_name: str) -> dict[str, Any]:
    """The first rows, or why there are none; the format as found or as asked for."""
    try:
        with default_storage.open(facts["storage_name"]) as stored:
            source = ItemFile(stored, name=facts["name"], format_name=format_name)
            source.recognise()
            drafts, refused = source.first(SHOWN)
    except Unreadable as error:
        return {"error": str(error), "in_english": True, "format": format_name}
    except FileNotFoundError:
        return {"error": _("The file is not there any more. Choose it again."), "format": format_name}
    return {
        "drafts": drafts,
        "refused": refused,
        "format": source.format_name,
        "label": FORMATS[source.format_name].label,
    }


@require_GET
def import_detail(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    batch = _batch(request, slug, pk)
    if request.htmx:
        moving = render(request, "labeling/import.html#progress", {"project": batch.project, "batch": batch})
        # The whole page has more to say once it is over: the refusals.
        return HttpResponse(headers={"HX-Refresh": "true"}) if batch.is_over else moving
    page = Paginator(batch.refusals.all(), PAGE).get_page(request.GET.get("page"))
    return render(request, "labeling/import.html", {"project": batch.project, "batch": batch, "page": page})


@require_GET
def import_refusals(request: PersonRequest, slug: str, pk: int) -> StreamingHttpResponse:
    batch = _batch(request, slug, pk)
    rows = batch.refusals.values_list("line", "field", "reason").iterator(chunk_size=2000)
    return csv_download(f"refused-{batch.pk}.csv", ["line", "field", "reason"], rows)


def _batch(request: PersonRequest, slug: str, pk: int) -> Batch:
    batch = batch_for(request.user, pk)
    if batch.project.slug != slug:
        raise Http404
    return batch
