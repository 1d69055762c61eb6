"""One entry for every verb, in the verb's own transaction."""

from __future__ import annotations

from typing import Any

from django.db import models

from labeling.models import AuditEntry, User


def record(actor: User | None, act: str, target: models.Model, *, project_id: int | None, **data: Any) -> None:
    """Write who did what to which thing. `act` is stable and namespaced (`queue.paused`); `data` is JSON. One query."""
    AuditEntry.objects.create(
        actor_id=actor.pk if actor else None,
        act=act,
        target_type=str(target._meta.model_name),
        target_id=target.pk,
        project_id=project_id,
        data=data,
    )
