"""A session that ended under an open pair: the sign-in comes in a dialog over it, and the answer then goes on.

The page says whose it is, and each answer names who is signed in now: nobody's answers are sent as another person's.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login, views
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.csrf import csrf_failure as django_csrf_failure
from django_htmx.http import reswap, retarget, trigger_client_event

from labeling.web.forms import SignInForm
from labeling.web.guards import PersonRequest

DESK = "compare_"  # how the names of its addresses begin


class SignInAgain(views.LoginView):
    http_method_names = ("post",)
    form_class = SignInForm
    template_name = "registration/_sign_in_again.html"

    def form_valid(self, form: Any) -> HttpResponse:
        login(self.request, form.get_user())
        return _who_is_here(self.request)


def is_of_the_desk(request: HttpRequest) -> bool:
    """Whether it comes from a page with the dialog."""
    return request.resolver_match is not None and (request.resolver_match.url_name or "").startswith(DESK)


def sign_in_dialog(request: HttpRequest) -> HttpResponse:
    """The sign-in, to be put into the page's dialog whatever the request was to replace.

    A draft asks for nothing: the device keeps it meanwhile, and whoever writes is not interrupted.
    """
    if request.resolver_match is not None and request.resolver_match.url_name == "compare_draft":
        return HttpResponse(status=401)
    answer = render(request, SignInAgain.template_name, {"form": SignInForm()})
    return reswap(retarget(answer, "#sign-in"), "innerHTML")


def csrf_failure(request: PersonRequest, reason: str = "") -> HttpResponseBase:
    """A desk whose token is out of date, because somebody signed in again in another tab, gets a new one to go on with.

    Only pages of this site can read it, and those have one anyway.
    """
    if not request.htmx or not is_of_the_desk(request):
        return django_csrf_failure(request, reason)
    if not request.user.is_authenticated:
        return sign_in_dialog(request)
    answer = _who_is_here(request)
    answer.status_code = 403
    return answer


def _who_is_here(request: HttpRequest) -> HttpResponse:
    here = {"person": request.user.pk, "token": get_token(request)}
    return trigger_client_event(HttpResponse(status=204), "signedIn", here)
