"""Who calls: `Authorization: Token ann_<prefix>_<secret>`."""

from __future__ import annotations

import re
from datetime import timedelta
from hmac import compare_digest
from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from labeling.models import ApiToken, User
from labeling.models.users import digest

KEY = re.compile(r"ann_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
NOTE_USE_EVERY = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """One query finds the token with its user; once a minute a second one notes that it was used."""

    keyword = "Token"

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != self.keyword.lower():
            return None
        token = _find(key.strip())
        if token is None:
            raise AuthenticationFailed(
                "This token is not known. Make one under your name, or with `manage.py create_token`."
            )
        _check(token)
        _note_use(token)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


class BearerAuthentication(TokenAuthentication):
    """As programs send it that know no other scheme."""

    keyword = "Bearer"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes it; drf-spectacular knows it from here on."""

    target_class = "labeling.api.tokens.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token ann_…`: a key made under your name, or by `manage.py create_token`.",
        }


def _find(key: str) -> ApiToken | None:
    """The token with this text. The prefix is no secret; the secret is compared by digest, in constant time."""
    parts = KEY.fullmatch(key)
    if parts is None:
        return None
    token = ApiToken.objects.select_related("user").filter(prefix=parts[1]).first()
    return token if token and compare_digest(token.secret_digest, digest(parts[2])) else None


def _check(token: ApiToken) -> None:
    """Only who knows the secret learns why it does not work any more."""
    if token.revoked_at is not None:
        raise AuthenticationFailed("This token was revoked. Make a new one.")
    if not token.is_live:
        raise AuthenticationFailed(f"This token expired on {token.expires_at:%Y-%m-%d}. Make a new one.")
    if not token.user.is_active or token.user.is_external:
        raise AuthenticationFailed("The person of this token can no longer sign in.")


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - NOTE_USE_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
