from typing import Any

from django.http import HttpRequest


def chrome(request: HttpRequest) -> dict[str, Any]:
    """What the frame of every page needs; costs no query beyond the signed-in user."""
    user = getattr(request, "user", None)
    return {"theme": user.theme if user and user.is_authenticated else "auto"}
