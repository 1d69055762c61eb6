"""Headers of every page, and a way back for a person whose session ended under an open page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from labeling.web.sign_in_again import is_of_the_desk, sign_in_dialog

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def private_pages(get_response: GetResponse) -> GetResponse:
    """Keep what a signed-in person sees out of every cache, and answers of this site out of other sites."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def sign_in_on_a_page(get_response: GetResponse) -> GetResponse:
    """Lead whoever is not signed in through the sign-in and back to the page, not to the address of its form or part.

    A page of the desk asks for it in a dialog, so that nothing on it is lost.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        sign_in = resolve_url(settings.LOGIN_URL)
        by_htmx = request.headers.get("HX-Request") == "true"
        from_a_page = by_htmx or request.method == "POST"
        if not from_a_page or response.status_code != 302 or not response.headers["Location"].startswith(f"{sign_in}?"):
            return response
        if by_htmx and is_of_the_desk(request):
            return sign_in_dialog(request)
        page = urlsplit(request.headers.get("HX-Current-URL" if by_htmx else "Referer", "")).path
        back = f"{sign_in}?{urlencode({'next': page or '/'})}"
        return HttpResponseClientRedirect(back) if by_htmx else HttpResponseRedirect(back)

    return middleware
