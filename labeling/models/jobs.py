"""A job is a row first; the broker only says "look now". What every such row needs, in one place.

A worker takes a job by raising its fencing number; every later write names that number, so a worker that
was presumed dead and comes back changes nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LEASE = timedelta(seconds=90)
MOST_ATTEMPTS = 5


class LostJob(Exception):
    """Another worker has this job now, or it was cancelled: stop without writing anything."""


class JobQuerySet(models.QuerySet[Any]):
    def due(self) -> Self:
        """Waiting, or running under a lease that has passed."""
        waiting = Q(state=Job.State.WAITING)
        abandoned = Q(state=Job.State.RUNNING, lease_until__lt=timezone.now())
        return self.filter(waiting | abandoned)


class Job(models.Model):
    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    fence = models.PositiveIntegerField(default=0, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = JobQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def is_over(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED)

    def take(self) -> bool:
        """Become this job's only worker; False if another has it, it is over, or it has failed too often.

        Two statements at most; the instance carries the new fencing number afterwards.
        """
        taken = (
            type(self)
            ._default_manager.filter(pk=self.pk, attempts__lt=MOST_ATTEMPTS)
            .due()
            .update(
                state=self.State.RUNNING,
                fence=F("fence") + 1,
                attempts=F("attempts") + 1,
                lease_until=timezone.now() + LEASE,
            )
        )
        self.refresh_from_db()
        if not taken and self.attempts >= MOST_ATTEMPTS and not self.is_over:
            type(self)._default_manager.filter(pk=self.pk).due().update(
                state=self.State.FAILED,
                finished_at=timezone.now(),
                error=f"Given up after {MOST_ATTEMPTS} attempts: the worker died each time. See the worker's log.",
            )
            self.refresh_from_db()
        return bool(taken)

    def keep(self, **fields: Any) -> None:
        """Write `fields` and renew the lease, or raise LostJob if this worker no longer holds the job."""
        fields.setdefault("lease_until", timezone.now() + LEASE)
        mine = type(self)._default_manager.filter(pk=self.pk, fence=self.fence, state=self.State.RUNNING)
        if not mine.update(**fields):
            raise LostJob(f"{self._meta.model_name} {self.pk}")
        for name, value in fields.items():
            setattr(self, name, value)

    def finish(self, **fields: Any) -> None:
        self.keep(state=self.State.DONE, finished_at=timezone.now(), lease_until=None, **fields)

    def fail(self, error: str, **fields: Any) -> None:
        self.keep(state=self.State.FAILED, finished_at=timezone.now(), lease_until=None, error=error, **fields)
