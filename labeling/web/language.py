"""In which language a page speaks: what the person chose, else this browser's choice, else what the browser asks for.

Programs are always answered in English: they match on codes, and their logs are read by others.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from labeling.actions.account import change_language
from labeling.web.middleware import GetResponse

OF_PROGRAMS = ("/api/", "/livez", "/healthz")


def speak_the_language(get_response: GetResponse) -> GetResponse:
    """Stands behind the sign-in, because the person's own choice comes first."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        for_people = not request.path_info.startswith(OF_PROGRAMS)
        language = _language_of(request) if for_people else settings.LANGUAGE_CODE
        with translation.override(language):
            response = get_response(request)
        if for_people:
            response.headers.setdefault("Content-Language", language)
            patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response

    return middleware


@login_not_required
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep a choice with the person, and in this browser for the pages before the sign-in. Empty: as the browser asks.

    `next` is the page to come back to; an unknown language changes nothing.
    """
    chosen, back = request.POST.get("language", ""), request.POST.get("next", "")
    inside = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    answer = redirect(back if inside else "home")
    if chosen and chosen not in dict(settings.LANGUAGES):
        return answer
    if request.user.is_authenticated:
        change_language(user=request.user, language=chosen)
    if chosen:
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, chosen, max_age=settings.LANGUAGE_COOKIE_AGE, httponly=True,
            secure=settings.LANGUAGE_COOKIE_SECURE, samesite="Lax",
        )  # fmt: skip
    else:
        answer.delete_cookie(settings.LANGUAGE_COOKIE_NAME, samesite="Lax")
    return answer


def _language_of(request: HttpRequest) -> str:
    user = request.user
    chosen = user.language if user.is_authenticated else ""
    return chosen if chosen in dict(settings.LANGUAGES) else translation.get_language_from_request(request)
