"""The bytes of an image, to members of its project. Everyone else gets the same 404 as for an image that is none.

A rater needs no assignment of it: addresses are 128 random bits, so nobody knows one but from a page that shows it.
"""

from __future__ import annotations

from django.http import HttpResponseBase
from django.views.decorators.http import require_safe

from labeling.access import image_for
from labeling.delivery import image_response
from labeling.web.guards import PersonRequest


@require_safe
def image(request: PersonRequest, token: str) -> HttpResponseBase:
    return image_response(image_for(request.user, token))
