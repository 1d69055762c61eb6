"""An export for others: links for people without an account, a push to a hub, and what programs load it by."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from exports.access import export_for, link_for, open_link
from exports.downloads import archive_response, begins, file_response
from exports.links import LONGEST_DAYS, count_use, make_link, revoke_link
from exports.models import DownloadLink, Export, HubToken
from exports.naming import snapshot_of
from exports.pushes import LONGEST_TOKEN, forget_token, request_push
from exports.tasks import enqueue_push
from labeling.access import roles_in
from labeling.actions.refusals import Refused
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import add_refusal

ARCHIVE = "all.zip"
PUSHES = 20


class LinkForm(forms.Form):
    note = forms.CharField(
        required=False, max_length=120, label=gettext_lazy("For whom"),
        help_text=gettext_lazy("So that you know later which one to revoke."),
    )  # fmt: skip
    days = forms.IntegerField(
        label=gettext_lazy("Days it lasts"), min_value=1, max_value=LONGEST_DAYS, initial=7, widget=forms.NumberInput
    )


class PushForm(forms.Form):
    repo_id = forms.CharField(
        max_length=193, label=gettext_lazy("Repository"), help_text=gettext_lazy("Owner and name, as in lab/advice."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )  # fmt: skip
    private = forms.BooleanField(
        required=False, initial=True, label=gettext_lazy("Private"),
        help_text=gettext_lazy("For a repository that is made now; one that is there stays as it is."),
    )  # fmt: skip
    token = forms.CharField(
        required=False, max_length=LONGEST_TOKEN, label=gettext_lazy("Token of the hub"),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    keep_token = forms.BooleanField(
        required=False, label=gettext_lazy("Keep the token for my later pushes"),
        help_text=gettext_lazy("Stored sealed, used for your pushes only, never shown again."),
    )  # fmt: skip


@require_safe
def share(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    return _page(request, _finished(request, slug, pk))


@require_POST
@sensitive_variables("secret")
def link_make(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """The link is in this answer and nowhere else, so this one does not redirect."""
    export, form = _finished(request, slug, pk), LinkForm(request.POST)
    if form.is_valid():
        try:
            made, secret = make_link(export=export, by=request.user, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            # From the settings and not from the request: the Host header is whatever the asking client says it is.
            return _page(request, export, made=made, link=settings.PUBLIC_URL + reverse("linked", args=[secret]))
    return _page(request, export, link_form=form)


@require_POST
def link_revoke(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    link = link_for(request.user, slug, pk)
    revoke_link(link=link, by=request.user)
    messages.success(request, _("The link is revoked: it leads nowhere now."))
    return redirect("export_share", slug, link.export_id)


@require_POST
@sensitive_post_parameters("token")
def push_make(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    export, form = _finished(request, slug, pk), PushForm(request.POST)
    if form.is_valid():
        try:
            push = request_push(export=export, by=request.user, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            enqueue_push(push)
            messages.success(request, _("It is on its way to %(repo)s.") % {"repo": push.repo_id})
            return redirect("export_share", slug, pk)
    return _page(request, export, push_form=form)


@require_POST
def token_forget(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    _finished(request, slug, pk)
    forget_token(user=request.user)
    messages.success(request, _("Your token of the hub is forgotten here."))
    return redirect("export_share", slug, pk)


@login_not_required
@require_safe
def linked(request: HttpRequest, secret: str) -> HttpResponse:
    """What a link offers, for whoever has it."""
    link = open_link(secret)
    context = {"link": link, "export": link.export, "files": link.export.files.all(), "secret": secret}
    context["address"] = settings.PUBLIC_URL + reverse("linked", args=[secret])
    return render(request, "exports/linked.html", context)


@login_not_required
@require_safe
def linked_archive(request: HttpRequest, secret: str) -> HttpResponseBase:
    link = open_link(secret)
    _count(request, link, ARCHIVE)
    return archive_response(request, link.export)


@login_not_required
@require_safe
def linked_file(request: HttpRequest, secret: str, path: str) -> HttpResponseBase:
    link = open_link(secret)
    file = link.export.files.filter(path=path).first()
    if file is None:
        raise Http404
    _count(request, link, path)
    return file_response(request, file)


def _count(request: HttpRequest, link: DownloadLink, path: str) -> None:
    if begins(request):
        count_use(link=link, path=path)


def _finished(request: PersonRequest, slug: str, pk: int) -> Export:
    found = export_for(request.user, pk)
    if found.project.slug != slug or not Export.objects.fetchable().filter(pk=found.pk).exists():
        raise Http404
    return found


def _page(
    request: PersonRequest,
    export: Export,
    link_form: LinkForm | None = None,
    push_form: PushForm | None = None,
    **context: Any,
) -> HttpResponse:
    snapshot = snapshot_of(export)
    name = snapshot.repository if snapshot else ""
    pushes = list(export.pushes.select_related("created_by").order_by("-pk")[:PUSHES])
    context |= {
        "export": export, "project": export.project, "roles": roles_in(request.user, export.project),
        "links": export.links.filter(revoked_at=None).select_related("created_by").order_by("-pk"),
        "pushes": pushes, "going": any(not push.is_over for push in pushes),
        "kept_token": HubToken.objects.filter(user=request.user).exists(),
        "link_form": link_form or LinkForm(), "push_form": push_form or PushForm(),
        "snapshot": snapshot, "endpoint": settings.PUBLIC_URL, "hub": settings.HF_ENDPOINT,
        "repository": f"{export.project.slug}/{name}",
    }  # fmt: skip
    template = "exports/share.html#pushes" if getattr(request, "htmx", None) else "exports/share.html"
    return render(request, template, context, status=422 if link_form or push_form else 200)
