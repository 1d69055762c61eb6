"""Who did what to which thing. Append-only by trigger; names things by type and id, so it survives them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

# What raters do all day. Everything else is little, and has an index of its own, so that it is found at once.
ROUTINE = (
    "annotation.submitted", "annotation.revised", "assignment.renewed", "assignment.released", "assignment.skipped",
    "assignment.opened", "assignments.expired", "break.taken", "break.declined",
)  # fmt: skip


class AuditEntry(models.Model):
    at = models.DateTimeField(default=timezone.now, editable=False)
    project_id = models.BigIntegerField(null=True)
    actor_id = models.BigIntegerField(null=True, help_text="Empty when the clock did it.")
    act = models.CharField(max_length=60)
    target_type = models.CharField(max_length=40)
    target_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["project_id", "-id"], name="audit_newest"),
            models.Index(fields=["project_id", "-id"], condition=~Q(act__in=ROUTINE), name="audit_not_routine"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.target_type} {self.target_id}"
