"""Webhooks: who is told, what is to be told, and what became of it. Sending itself is the worker's: no network here."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling import egress
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Delivery, Project, User, Webhook
from labeling.sealing import new_signing_secret, seal, sign, unseal

PURPOSE = "webhook secret"
MOST_WEBHOOKS = 10
LEASE = timedelta(seconds=60)
# After each attempt that failed: three days and a bit in all.
DELAYS = [timedelta(seconds=s) for s in (5, 60, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)]
FAILING_FOR = timedelta(days=3)
BOTH_SECRETS_FOR = timedelta(hours=24)
KEPT_FOR = timedelta(days=30)
GONE = 410
LONGEST_ANSWER = 2000
State = Delivery.State


@transaction.atomic
def add_webhook(*, project: Project, by: User, url: str, events: list[str]) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is shown once. The address must be one that this server may call."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    if project.webhooks.count() >= MOST_WEBHOOKS:
        raise Refused("too_many", _("A project has at most %(most)s webhooks.") % {"most": MOST_WEBHOOKS})
    _check_events(events)
    try:
        egress.check(url)
    except egress.Forbidden:
        said = _(
            "This address leads to nothing that this server may call. It takes https addresses on port 443 whose name "
            "leads to the public internet; for others, the operator lists their origin in ALLOWED_ENDPOINT_ORIGINS."
        )
        raise Refused("address_refused", said, {"url": _("Not an address that may be called.")}) from None
    secret = new_signing_secret()
    made = Webhook.objects.create(
        project=project, url=url, events=sorted(set(events)), sealed_secret=seal(secret, PURPOSE), created_by=by
    )
    record(by, "webhook.added", made, project_id=project.pk, events=made.events)
    return made, secret


@transaction.atomic
def rotate_secret(*, webhook: Webhook, by: User) -> str:
    """A new secret, shown once. For a day both sign, so that the receiver can change over in its own time."""
    secret = new_signing_secret()
    webhook.former_secret, webhook.sealed_secret = webhook.sealed_secret, seal(secret, PURPOSE)
    webhook.secret_since = timezone.now()
    webhook.save(update_fields=["former_secret", "sealed_secret", "secret_since"])
    record(by, "webhook.secret_rotated", webhook, project_id=webhook.project_id)
    return secret


@transaction.atomic
def pause_webhook(*, webhook: Webhook, by: User | None) -> None:
    """Nothing more is written or sent for it. `by` is empty when it is paused because it takes nothing."""
    if Webhook.objects.filter(pk=webhook.pk, paused_at=None).update(paused_at=timezone.now()):
        record(by, "webhook.paused" if by else "webhook.stopped", webhook, project_id=webhook.project_id)


@transaction.atomic
def resume_webhook(*, webhook: Webhook, by: User) -> None:
    found = Webhook.objects.filter(pk=webhook.pk, paused_at__isnull=False)
    if found.update(paused_at=None, failing_since=None):
        record(by, "webhook.resumed", webhook, project_id=webhook.project_id)


@transaction.atomic
def delete_webhook(*, webhook: Webhook, by: User) -> None:
    record(by, "webhook.deleted", webhook, project_id=webhook.project_id)
    webhook.delete()


@transaction.atomic
def send_test(*, webhook: Webhook, by: User) -> Delivery:
    """A delivery that says only that it is a test, also to a webhook that is paused: then it goes when it is not."""
    record(by, "webhook.tested", webhook, project_id=webhook.project_id)
    (made,) = _write([webhook], "test", {"project": webhook.project.slug})
    return made


@transaction.atomic
def send_again(*, delivery: Delivery, by: User) -> None:
    """Try a delivery that is over once more, from the first delay on, under the same message id."""
    again = Delivery.objects.filter(pk=delivery.pk).exclude(state=State.WAITING)
    if again.update(state=State.WAITING, attempts=0, next_at=timezone.now(), ended_at=None):
        record(by, "webhook.sent_again", delivery.webhook, project_id=delivery.webhook.project_id, delivery=delivery.pk)


def announce(project: Project, event: str, data: dict[str, Any]) -> None:
    """Write what the project's webhooks are to be told. Runs in the transaction of the event, without a broker."""
    hooks = Webhook.objects.filter(project=project, paused_at=None, events__contains=[event])
    _write(list(hooks), event, {"project": project.slug} | data)


def due_deliveries() -> list[int]:
    """The oldest that is due of each webhook: one that answers slowly holds up nothing but itself."""
    due = Delivery.objects.filter(state=State.WAITING, next_at__lte=timezone.now(), webhook__paused_at=None)
    return list(due.order_by("webhook", "pk").distinct("webhook").values_list("pk", flat=True))


def take_delivery(delivery_id: int) -> Delivery | None:
    """Become the only worker of a delivery that is due, or None."""
    now = timezone.now()
    due = Delivery.objects.filter(pk=delivery_id, state=State.WAITING, next_at__lte=now, webhook__paused_at=None)
    if not due.update(attempts=F("attempts") + 1, next_at=now + LEASE):
        return None
    found: Delivery | None = Delivery.objects.filter(pk=delivery_id).select_related("webhook").first()
    return found


def message(delivery: Delivery, now: int) -> tuple[bytes, dict[str, str]]:
    """The body and the headers to send at a time in seconds; raises Unsealable."""
    hook, body = delivery.webhook, delivery.body.encode()
    sealed = [hook.sealed_secret]
    if hook.former_secret and timezone.now() < hook.secret_since + BOTH_SECRETS_FOR:
        sealed.append(hook.former_secret)
    signatures = [sign(unseal(each, PURPOSE), delivery.message_id, now, body) for each in sealed]
    return body, {
        "Content-Type": "application/json",
        "webhook-id": delivery.message_id,
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(signatures),
    }


@transaction.atomic
def note_answer(delivery: Delivery, *, status: int | None, answer: str, ms: int | None = None) -> None:
    """What came of an attempt. Not 2xx: it is due again later, until the delays are used up. 410 pauses the webhook."""
    now, hook = timezone.now(), delivery.webhook
    taken = status is not None and 200 <= status < 300
    over = taken or delivery.attempts > len(DELAYS) or status == GONE
    state = State.DONE if taken else State.FAILED if over else State.WAITING
    mine = Delivery.objects.filter(pk=delivery.pk, attempts=delivery.attempts, state=State.WAITING)
    found = mine.update(
        state=state, status=status, answer=answer[:LONGEST_ANSWER], answer_ms=ms, ended_at=now if over else None,
        next_at=now if over else now + DELAYS[delivery.attempts - 1],
    )  # fmt: skip
    if not found:
        return
    if taken:
        Webhook.objects.filter(pk=hook.pk, failing_since__isnull=False).update(failing_since=None)
        return
    Webhook.objects.filter(pk=hook.pk, failing_since=None).update(failing_since=now)
    if status == GONE or (over and hook.failing_since and hook.failing_since < now - FAILING_FOR):
        pause_webhook(webhook=hook, by=None)


def forget_deliveries() -> int:
    """Remove what was over a month ago. Returns how many."""
    over = Delivery.objects.exclude(state=State.WAITING).filter(ended_at__lt=timezone.now() - KEPT_FOR)
    return over.delete()[0]


def _write(hooks: list[Webhook], event: str, data: dict[str, Any]) -> list[Delivery]:
    now = timezone.now().isoformat()
    body = orjson.dumps({"type": event, "timestamp": now, "data": data}).decode()
    rows = [Delivery(webhook=hook, event=event, message_id=f"msg_{secrets.token_hex(16)}", body=body) for hook in hooks]
    return Delivery.objects.bulk_create(rows)


def _check_events(events: list[str]) -> None:
    if not events or set(events) - set(Webhook.Event.values):
        known = ", ".join(Webhook.Event.values)
        raise Refused("invalid", _("Choose at least one event."), {"events": _("Of: %(known)s.") % {"known": known}})
