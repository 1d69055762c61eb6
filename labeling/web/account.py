"""Sign-in and sign-out, passwords, and a person's own account: name, colours, keys for programs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import views
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from labeling.actions.account import change_account
from labeling.actions.people import create_token, revoke_token
from labeling.models import User
from labeling.web.forms import (
    AccountForm,
    ChangePasswordForm,
    ForgottenPasswordForm,
    NewPasswordForm,
    SignInForm,
    TokenForm,
)
from labeling.web.guards import PersonRequest


class SignIn(views.LoginView):
    form_class = SignInForm
    template_name = "registration/sign_in.html"
    redirect_authenticated_user = True


class SignOut(views.LogoutView):
    http_method_names = ["post"]


class ForgottenPassword(views.PasswordResetView):
    form_class = ForgottenPasswordForm
    template_name = "registration/forgotten_password.html"
    email_template_name = "registration/forgotten_password_mail.txt"
    subject_template_name = "registration/forgotten_password_subject.txt"
    success_url = reverse_lazy("forgotten_password_sent")
    # From the settings and not from the request: the Host header is whatever the asking client says it is.
    extra_email_context = {"public_url": settings.PUBLIC_URL}


class ForgottenPasswordSent(views.PasswordResetDoneView):
    template_name = "registration/forgotten_password_sent.html"


class NewPassword(views.PasswordResetConfirmView):
    form_class = NewPasswordForm
    template_name = "registration/new_password.html"
    success_url = reverse_lazy("sign_in")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, _("Your new password is set. Sign in with it."))
        return super().form_valid(form)


class ChangePassword(views.PasswordChangeView):
    form_class = ChangePasswordForm
    template_name = "registration/change_password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(self.request, _("Your password is changed. Other devices are signed out."))
        return super().form_valid(form)


@require_http_methods(["GET", "POST"])
def account(request: PersonRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, initial={"name": request.user.name, "theme": request.user.theme})
    if request.method == "POST" and form.is_valid():
        change_account(user=request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("account")
    return _account_page(request, form=form)


@require_POST
@sensitive_variables("secret")
def make_token(request: PersonRequest) -> HttpResponse:
    """The text of the new token is in this answer and nowhere else, so this one does not redirect."""
    if request.user.is_crowd:
        raise Http404
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _account_page(request, token_form=form)
    token, secret = create_token(user=request.user, **form.cleaned_data)
    return _account_page(request, made=token, secret=secret)


@require_POST
def revoke(request: PersonRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(request.user.api_tokens, pk=pk)
    revoke_token(token=token, by=request.user)
    messages.success(
        request, _("“%(name)s” is revoked: whatever uses it is refused from now on.") % {"name": token.name}
    )
    return redirect("account")


def _account_page(request: PersonRequest, **context: Any) -> HttpResponse:
    user: User = request.user
    forms = {
        "form": AccountForm(initial={"name": user.name, "theme": user.theme}),
        "token_form": TokenForm(),
    }
    live = user.api_tokens.filter(revoked_at=None).order_by("-created_at")
    agreed = user.participations.filter(consented_at__isnull=False).select_related("project", "consent")
    context = forms | {"tokens": live, "agreed": agreed.order_by("project__name")} | context
    bad = any(form.is_bound and not form.is_valid() for form in (context["form"], context["token_form"]))
    return render(request, "labeling/account.html", context, status=422 if bad else 200)
