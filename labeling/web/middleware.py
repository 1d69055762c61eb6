"""Headers of every page, and a way back for a person whose session ended under an open page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url

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
    """Show the sign-in as a page, not in the part of one that htmx asked for; it leads back to that page."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        sign_in = resolve_url(settings.LOGIN_URL)
        asked_by_htmx = request.headers.get("HX-Request") == "true"
        if not asked_by_htmx or response.status_code != 302 or not response.headers["Location"].startswith(sign_in):
            return response
        page = urlsplit(request.headers.get("HX-Current-URL", "")).path
        answer = HttpResponse(status=204)
        answer.headers["HX-Redirect"] = f"{sign_in}?{urlencode({'next': page})}" if page else sign_in
        return answer

    return middleware
