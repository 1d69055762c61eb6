"""Secrets that must be used again, so that a digest will not do: sealed in the database, opened only to be used.

The key is derived from SECRET_KEY, a different one for each purpose, so what was sealed for one use opens for no
other. After a change of SECRET_KEY the old one belongs into SECRET_KEY_FALLBACKS until everything is sealed anew.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PREFIX = "whsec_"


class Unsealable(Exception):
    """Sealed under another key, or for another purpose."""


def seal(text: str, purpose: str) -> str:
    return _box(purpose).encrypt(text.encode()).decode()


def unseal(sealed: str, purpose: str) -> str:
    """What was sealed; raises Unsealable."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unsealable(f"{purpose}: sealed under another SECRET_KEY") from None


def new_signing_secret() -> str:
    """A key for `sign`, as Standard Webhooks writes it: whsec_ and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """A signature as in Standard Webhooks: v1, and HMAC-SHA256 in base64 over id, time in seconds and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _box(purpose: str) -> MultiFernet:
    return MultiFernet([Fernet(_key(each, purpose)) for each in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret: str, purpose: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"annotate: {purpose}".encode())
    return base64.urlsafe_b64encode(derived.derive(secret.encode()))
