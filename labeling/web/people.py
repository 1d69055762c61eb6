"""A project's people: their roles, invitations by link, and the page behind such a link."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, invitation_for, membership_for, project_for
from labeling.actions.people import (
    accept_invitation,
    add_member,
    find_invitation,
    find_person,
    invite,
    join,
    remove_member,
    revoke_invitation,
)
from labeling.actions.refusals import Refused
from labeling.models import Invitation, Membership, Project
from labeling.reports.members import members_of, with_judged
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import InviteForm, JoinForm, MemberForm, add_refusal

PAGE = 100


@require_safe
def people(request: PersonRequest, slug: str) -> HttpResponse:
    return _page(request, project_for(request.user, slug, MANAGERS))


@require_POST
def member_add(request: PersonRequest, slug: str) -> HttpResponse:
    project, form = project_for(request.user, slug, MANAGERS), MemberForm(request.POST)
    if form.is_valid():
        try:
            person = find_person(email=form.cleaned_data["email"])
            add_member(project=project, user=person, role=form.cleaned_data["role"], by=request.user)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            role = Membership.Role(form.cleaned_data["role"]).label
            messages.success(
                request, _("%(name)s has the role %(role)s now.") % {"name": person.display_name, "role": role}
            )
            return redirect("people", slug)
    return _page(request, project, member_form=form)


@require_POST
def member_remove(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    membership = membership_for(request.user, pk)
    if membership.project.slug != slug:
        raise Http404
    try:
        remove_member(membership=membership, by=request.user)
        said = _("%(name)s no longer has the role %(role)s. Their answers stay.")
        words = {"name": membership.user.display_name, "role": membership.get_role_display()}
        messages.success(request, said % words)
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("people", slug) if membership.user != request.user else redirect("home")


@require_POST
@sensitive_variables("secret")
def invitation_make(request: PersonRequest, slug: str) -> HttpResponse:
    """The link is in this answer and nowhere else, so this one does not redirect."""
    project, form = project_for(request.user, slug, MANAGERS), InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, project, invite_form=form)
    invitation, secret = invite(project=project, by=request.user, **form.cleaned_data)
    # From the settings and not from the request: the Host header is whatever the asking client says it is.
    return _page(request, project, made=invitation, link=settings.PUBLIC_URL + reverse("join", args=[secret]))


@require_POST
def invitation_revoke(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    invitation = invitation_for(request.user, pk)
    if invitation.project.slug != slug:
        raise Http404
    revoke_invitation(invitation=invitation, by=request.user)
    messages.success(request, _("The invitation is withdrawn: its link leads nowhere now."))
    return redirect("people", slug)


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def join_by_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Behind an invitation's link: one button for who is signed in, a short form for who is new."""
    try:
        found = find_invitation(secret)
        if request.user.is_authenticated:
            return _accept(request, found, secret)
        return _join(request, found, secret)
    except Refused as refused:
        if refused.code == "invitation_for_other":
            return render(request, "labeling/join.html", {"invitation": found, "refused": refused}, status=403)
        return render(request, "labeling/join_over.html", status=404)


def _accept(request: HttpRequest, found: Invitation, secret: str) -> HttpResponse:
    if request.method != "POST":
        return render(request, "labeling/join.html", {"invitation": found})
    assert request.user.is_authenticated
    accept_invitation(secret=secret, user=request.user)
    messages.success(request, _("Welcome to %(project)s.") % {"project": found.project.name})
    return redirect("home")


def _join(request: HttpRequest, found: Invitation, secret: str) -> HttpResponse:
    form = JoinForm(request.POST or None, initial={"email": found.email})
    if form.is_valid():
        try:
            person = join(secret=secret, **form.cleaned_data)
        except Refused as refused:
            if refused.code == "invitation_over":
                raise
            add_refusal(form, refused)
        else:
            login(request, person, backend="django.contrib.auth.backends.ModelBackend")
            messages.success(request, _("Welcome to %(project)s.") % {"project": found.project.name})
            return redirect("home")
    sign_in = f"{reverse('sign_in')}?next={reverse('join', args=[secret])}"
    context = {"invitation": found, "form": form, "sign_in": sign_in}
    return render(request, "labeling/join.html", context, status=422 if form.errors else 200)


def _page(
    request: PersonRequest,
    project: Project,
    member_form: MemberForm | None = None,
    invite_form: InviteForm | None = None,
    **context: Any,
) -> HttpResponse:
    page = Paginator(members_of(project), PAGE).get_page(request.GET.get("page"))
    waiting = project.invitations.filter(used_at=None, revoked_at=None, expires_at__gt=timezone.now())
    context |= {
        "project": project,
        "page": page,
        "members": with_judged(project, page.object_list),
        "invitations": waiting.select_related("created_by").order_by("-created_at"),
        "member_form": member_form or MemberForm(),
        "invite_form": invite_form or InviteForm(),
    }
    return render(request, "labeling/people.html", context, status=422 if member_form or invite_form else 200)
