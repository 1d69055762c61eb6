"""What is known about a pair beforehand, in stored order; a rater never learns which pairs have it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from labeling.models.items import Pair, Response
from labeling.models.projects import Criterion, Project


class GoldAnswer(models.Model):
    """The known answer to one criterion of a pair. A preference is matched by its side; its strength is advice."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="gold_answers", db_index=False)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="gold_answers", db_index=False)
    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, related_name="+", db_index=False)
    response = models.ForeignKey(Response, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    preference = models.SmallIntegerField(null=True)
    both_bad = models.BooleanField(default=False)
    rating = models.SmallIntegerField(null=True)
    safe = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "criterion", "response"], nulls_distinct=False, name="gold_once"),
            models.CheckConstraint(
                condition=Q(preference__isnull=False, response=None)
                | Q(both_bad=True, preference=None, response=None)
                | Q(rating__isnull=False, response__isnull=False)
                | Q(safe__isnull=False, response__isnull=False),
                name="gold_has_value",
            ),
        ]
        indexes = [models.Index(fields=["project", "pair"], name="gold_of_project")]

    def __str__(self) -> str:
        return f"gold of pair {self.pair_id}"
