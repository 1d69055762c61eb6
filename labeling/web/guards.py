"""The request as every page of a signed-in person gets it, so that views need no casts."""

from __future__ import annotations

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from labeling.models import User


class PersonRequest(HttpRequest):
    """LoginRequiredMiddleware lets nobody else through; views open to strangers take a plain HttpRequest."""

    user: User
    htmx: HtmxDetails
