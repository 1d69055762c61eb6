"""Is this message from our server? By the conventions of Standard Webhooks: HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TOLERANCE = 300


class NotGenuine(Exception):
    """Not signed with this secret, changed on the way, or too old. Answer it with 400 and do nothing."""


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """`id` is the same each time a message is sent again: keep those you have seen."""

    id: str
    type: str
    timestamp: str
    data: dict[str, Any]


def verify(
    secret: str, headers: Mapping[str, str], body: bytes, *, tolerance: int = TOLERANCE, now: float | None = None
) -> WebhookMessage:
    """The message if it is genuine; raises NotGenuine. `body` must be the bytes as they came.

    `tolerance` is how many seconds its time may be off ours, either way: an old message sent again by a stranger is
    refused.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, stamp = given["webhook-id"], int(given["webhook-timestamp"])
        signatures = given["webhook-signature"].split()
    except (KeyError, ValueError):
        raise NotGenuine("The headers of a signed message are missing.") from None
    if abs((time.time() if now is None else now) - stamp) > tolerance:
        raise NotGenuine("The message is too old, or one of the clocks is wrong.")
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError("This is no secret of a webhook: whsec_ and base64.") from None
    signed = hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256)
    expected = "v1," + base64.b64encode(signed).decode()
    # After a change of the secret there are two signatures for a day.
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in signatures):
        raise NotGenuine("The signature does not fit.")
    read = json.loads(body)
    return WebhookMessage(message_id, read["type"], read["timestamp"], read["data"])
