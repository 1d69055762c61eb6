"""What raters said. Append-only: triggers refuse every change but the retiring of a revised annotation.

Chosen and rejected, margins and consensus are computed from these rows at export, never stored.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value
from django.db.models.expressions import RawSQL
from django.utils import timezone

from labeling.models.items import Pair, Response
from labeling.models.projects import LONGEST_CATEGORY, Criterion, Guideline, Project
from labeling.models.queues import Assignment
from labeling.models.users import User


class TransactionId(models.Field):  # type: ignore[type-arg]
    """PostgreSQL's `xid8`: the transaction that wrote the row, by which a reader can tell what may still be coming."""

    def db_type(self, connection: Any) -> str:
        return "xid8"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else str(value)


class Annotation(models.Model):
    """What one rater left on one pair. A revision is a new row; exactly one a assignment is current."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="annotations", db_index=False)
    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="annotations", db_index=False)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="annotations", db_index=False)
    rater = models.ForeignKey(User, on_delete=models.PROTECT, related_name="annotations", db_index=False)
    guideline = models.ForeignKey(Guideline, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    revision = models.PositiveSmallIntegerField(default=1)
    current = models.BooleanField(default=True)
    body_digest = models.CharField(
        max_length=64, help_text="SHA-256 of the answers as sent: the same body is the same annotation."
    )
    instrument = models.PositiveSmallIntegerField(
        default=1, db_default=1, help_text="The project's instrument it was made with."
    )
    principle = models.PositiveSmallIntegerField(
        null=True, help_text="Number of the guideline's principle that decided, if the rater named one."
    )
    kept_hints = ArrayField(
        models.CharField(max_length=40),
        default=list,
        db_default=Value([]),
        help_text="Contradictions that the rater was asked about and meant.",
    )
    viewport = models.CharField(
        max_length=8, blank=True, db_default="", help_text="Size of the screen: phone, tablet or desktop."
    )
    pointer = models.CharField(
        max_length=8, blank=True, db_default="", help_text="How it was answered: keyboard, mouse or touch."
    )
    active_ms = models.PositiveIntegerField(null=True, help_text="Time with the pair in view, in milliseconds.")
    created_at = models.DateTimeField(default=timezone.now)
    transaction = TransactionId(editable=False, db_default=RawSQL("pg_current_xact_id()", ()))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assignment", "revision"], name="annotation_revision"),
            models.UniqueConstraint(fields=["assignment"], condition=Q(current=True), name="annotation_one_current"),
        ]
        indexes = [
            models.Index(fields=["project", "transaction", "id"], condition=Q(current=True), name="annotation_feed"),
            models.Index(fields=["project", "pair"], condition=Q(current=True), name="annotation_of_pair"),
        ]

    def __str__(self) -> str:
        return f"annotation {self.pk}"


class Judgment(models.Model):
    """One annotation, one criterion, one value (of one response, for safety and rating).

    `preference` is signed in stored order: negative prefers the first response, 0 is a tie; `both_bad` stands
    apart. A trigger keeps every value within its criterion's scale.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="judgments", db_index=False)
    criterion = models.ForeignKey(Criterion, on_delete=models.PROTECT, related_name="+", db_index=False)
    response = models.ForeignKey(Response, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    preference = models.SmallIntegerField(null=True)
    both_bad = models.BooleanField(default=False)
    rating = models.SmallIntegerField(null=True)
    safe = models.BooleanField(null=True)
    categories = ArrayField(models.CharField(max_length=LONGEST_CATEGORY), default=list)
    severity = models.PositiveSmallIntegerField(null=True)
    text = models.TextField(
        blank=True, max_length=10_000, help_text="The rationale, or the answer of a text criterion."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["annotation", "criterion", "response"], nulls_distinct=False, name="judgment_once"
            ),
            models.CheckConstraint(
                condition=Q(preference__isnull=False, response=None)
                | Q(both_bad=True, preference=None, response=None)
                | Q(rating__isnull=False, response__isnull=False)
                | Q(safe__isnull=False, response__isnull=False)
                | (~Q(text="") & Q(preference=None, rating=None, safe=None))
                | (~Q(categories=[]) & Q(preference=None, rating=None, safe=None, response=None)),
                name="judgment_has_value",
            ),
        ]

    def __str__(self) -> str:
        return f"judgment {self.pk}"
