"""What is known about a pair beforehand, in stored order; a rater never learns which pairs have it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.annotations import Annotation
from labeling.models.items import Pair, Response
from labeling.models.projects import Criterion, Project
from labeling.models.queues import Assignment
from labeling.models.users import User


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


class GoldPair(models.Model):
    """A pair with known answers that is mixed into the work, until it has been shown too often or was found wrong."""

    class Source(models.TextChoices):
        IMPORT = "import", _("Imported")
        HAND = "hand", _("Told by a manager")
        ADJUDICATION = "adjudication", _("Decided by an adjudicator")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="gold_pairs", db_index=False)
    pair = models.OneToOneField(Pair, on_delete=models.CASCADE, related_name="gold_pair")
    source = models.CharField(max_length=12, choices=Source.choices)
    explanation = models.TextField(blank=True, max_length=4000, help_text="Why the known answer is right.")
    principle = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of the guideline, if one decides.")
    shown = models.PositiveIntegerField(default=0, help_text="Answers it has had.")
    right = models.PositiveIntegerField(default=0, help_text="Of those, the ones that met every known answer.")
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_why = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["project", "-created_at"], name="gold_pair_newest")]

    def __str__(self) -> str:
        return f"pair {self.pair_id} with known answers"


class GoldResult(models.Model):
    """How one current annotation met what is known of its pair, criterion by criterion. Never shown as a score."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="gold_results", db_index=False)
    annotation = models.ForeignKey(Annotation, on_delete=models.CASCADE, related_name="gold_results", db_index=False)
    gold_pair = models.ForeignKey(GoldPair, on_delete=models.CASCADE, related_name="results")
    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, related_name="+", db_index=False)
    rater = models.ForeignKey(User, on_delete=models.PROTECT, related_name="gold_results", db_index=False)
    right = models.BooleanField()
    set_aside = models.BooleanField(default=False, help_text="A dispute was upheld: it counts for nobody.")
    told_at = models.DateTimeField(
        null=True, help_text="When the rater had read what is known. Only of a wrong answer are they told."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["annotation", "criterion"], name="gold_result_once")]
        indexes = [
            models.Index(fields=["project", "rater", "-created_at"], name="gold_result_of_rater"),
            # a probe of the desk: is there something to tell before the next pair?
            models.Index(
                fields=["rater", "project"],
                condition=Q(right=False, told_at=None, set_aside=False),
                name="gold_result_untold",
            ),
        ]

    def __str__(self) -> str:
        return "right" if self.right else "wrong"


class Dispute(models.Model):
    """A rater holds a known answer, or the guideline behind it, to be wrong. A manager or adjudicator answers."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld", _("The rater is right")
        REJECTED = "rejected", _("The known answer stands")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="disputes", db_index=False)
    annotation = models.OneToOneField(Annotation, on_delete=models.CASCADE, related_name="dispute")
    gold_pair = models.ForeignKey(GoldPair, on_delete=models.CASCADE, related_name="disputes")
    rater = models.ForeignKey(User, on_delete=models.PROTECT, related_name="disputes")
    text = models.TextField(max_length=2000)
    outcome = models.CharField(max_length=8, choices=Outcome.choices, blank=True, help_text="Empty while it is open.")
    answer = models.TextField(blank=True, max_length=2000)
    answered_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["project", "-created_at"], name="dispute_newest"),
            models.Index(fields=["project"], condition=Q(outcome=""), name="dispute_open"),
        ]

    def __str__(self) -> str:
        return f"dispute about pair {self.gold_pair_id}"


class SecondLook(models.Model):
    """What a rater answered when a pair came back to them with its sides swapped.

    Like an attempt at a lesson it is no annotation: it tells how far a rater agrees with themselves, fills no slot,
    and is part of no dataset.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="second_looks", db_index=False)
    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="second_look")
    rater = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    criterion = models.ForeignKey(Criterion, on_delete=models.CASCADE, related_name="+", db_index=False)
    preference = models.SmallIntegerField(null=True, help_text="In stored order, as everywhere; null is both bad.")
    before = models.SmallIntegerField(null=True, help_text="What the same rater had answered first.")
    active_ms = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["project", "rater"], name="second_look_of_rater")]

    def __str__(self) -> str:
        return f"{self.before} and then {self.preference}"
