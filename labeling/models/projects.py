"""A study, what its raters are told, and what they are asked."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.users import User

LONGEST_CATEGORY = 120
LONGEST_GRADE = 80


def new_pseudonym_key() -> bytes:
    return secrets.token_bytes(32)


def usual_hints() -> list[dict[str, Any]]:
    """The contradictions that a new project asks about; labeling/consistency.py knows every rule."""
    return [{"rule": "preferred_unsafe"}, {"rule": "far_from_ratings"}, {"rule": "neither_but_rated", "at": 4}]


def usual_rationale() -> dict[str, Any]:
    """When own words are asked for: always, on a conflict, on severe harm, or on `percent` of the comparisons.

    They are only demanded where `required` says so; `min_words` and `max_words` of 0 set no limit.
    """
    return {"when": ["conflict", "severe", "sample"], "percent": 15, "required": False, "min_words": 0, "max_words": 0}


class Project(models.Model):
    slug = models.SlugField(max_length=60, unique=True, validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$")])
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, max_length=2000)
    revise_minutes = models.PositiveIntegerField(
        default=7 * 24 * 60, help_text="How long a rater may change an answer, in minutes; 0 forbids it."
    )
    preset = models.CharField(max_length=40, blank=True, help_text="What its criteria were made from.")
    instrument = models.PositiveSmallIntegerField(
        default=1, db_default=1, editable=False, help_text="Raised whenever what raters are asked changes."
    )
    hints = models.JSONField(default=usual_hints, blank=True, help_text="Contradictions a rater is asked about.")
    rationale = models.JSONField(default=usual_rationale, blank=True, help_text="When own words are asked for.")
    break_after_minutes = models.PositiveSmallIntegerField(
        default=25, help_text="A break is offered after so many minutes of judging; 0 offers none."
    )
    break_after_pairs = models.PositiveSmallIntegerField(
        default=20, help_text="A break is offered after so many pairs; 0 offers none."
    )
    support = models.TextField(
        blank=True, max_length=2000, help_text="Whom a rater can talk to; needed before sensitive topics are shown."
    )
    pass_percent = models.PositiveSmallIntegerField(
        default=80, validators=[MaxValueValidator(100)], help_text="Right answers needed to qualify, in percent."
    )
    attempts = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1)], help_text="How often one may try to qualify."
    )
    pseudonym_key = models.BinaryField(
        default=new_pseudonym_key, editable=False, help_text="Keys the rater pseudonyms."
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name


class Guideline(models.Model):
    """The written instructions, in Markdown. A draft has no version; a published one never changes (trigger)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="guidelines")
    version = models.PositiveIntegerField(null=True, blank=True)
    text = models.TextField(max_length=200_000)
    html = models.TextField(editable=False, default="")
    principles = models.JSONField(
        default=list, editable=False, help_text="Its numbered sentences: [{number, text, anchor}], in order."
    )
    change_note = models.CharField(max_length=300, blank=True)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "version"], name="guideline_version"),
            models.UniqueConstraint(fields=["project"], condition=Q(version=None), name="guideline_one_draft"),
            models.CheckConstraint(
                condition=Q(version=None, published_at=None) | Q(version__isnull=False, published_at__isnull=False),
                name="guideline_published_has_version",
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.version}" if self.version else "draft"


class Acknowledgement(models.Model):
    """A rater has read a published version of the guideline."""

    guideline = models.ForeignKey(Guideline, on_delete=models.CASCADE, related_name="acknowledgements", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["guideline", "user"], name="acknowledgement_once")]

    def __str__(self) -> str:
        return f"{self.user_id} has read {self.guideline_id}"


class Criterion(models.Model):
    """One question. A preference lies between two responses; safety and rating are of one response."""

    class Kind(models.TextChoices):
        PREFERENCE = "preference", _("Preference between two responses")
        SAFETY = "safety", _("Safety of one response")
        RATING = "rating", _("Rating of one response")
        TEXT = "text", _("Text")
        REASONS = "reasons", _("Reasons to choose from")

    class Asked(models.TextChoices):
        ALWAYS = "always", _("Always")
        ON_CONFLICT = "on_conflict", _("When the other preferences point different ways")
        NEVER = "never", _("Never; it came with imported judgments")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="criteria")
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    question = models.CharField(max_length=300, blank=True)
    better_word = models.CharField(max_length=40, blank=True, help_text="As in “A is clearly … ”: more helpful, safer.")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    asked = models.CharField(max_length=11, choices=Asked.choices, default=Asked.ALWAYS)
    required = models.BooleanField(default=False, help_text="Refuse an answer without it, also from programs.")
    position = models.PositiveSmallIntegerField(default=0)
    strengths = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(4)], help_text="Grades a side of a preference."
    )
    grades = ArrayField(
        models.CharField(max_length=LONGEST_GRADE),
        default=list,
        blank=True,
        help_text="Words of a preference's grades from the weakest, or of ratings from the lowest; empty: the usual.",
    )
    allow_tie = models.BooleanField(default=True)
    allow_both_bad = models.BooleanField(default=False)
    minimum = models.SmallIntegerField(default=1, help_text="Lowest rating.")
    maximum = models.SmallIntegerField(default=5, help_text="Highest rating.")
    taxonomy = models.CharField(max_length=40, blank=True, help_text="Where the categories come from.")
    categories = ArrayField(
        models.CharField(max_length=LONGEST_CATEGORY),
        default=list,
        blank=True,
        help_text="Harms, or reasons, to choose from; “Domain › Part” puts a part below its domain.",
    )
    severities = models.PositiveSmallIntegerField(default=3, help_text="Grades of harm; 0 asks none.")
    min_words = models.PositiveSmallIntegerField(default=0, help_text="Of a text; 0 sets no limit.")
    max_words = models.PositiveSmallIntegerField(default=0, help_text="Of a text; 0 sets no limit.")
    guideline_section = models.CharField(
        max_length=120, blank=True, help_text="Heading of the guideline that explains it; empty looks for its name."
    )

    class Meta:
        ordering = ["position", "id"]
        verbose_name_plural = "criteria"
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="criterion_key"),
            models.CheckConstraint(condition=Q(strengths__gte=1, strengths__lte=4), name="criterion_strengths"),
            models.CheckConstraint(condition=Q(minimum__lt=F("maximum")), name="criterion_rating_range"),
        ]

    def __str__(self) -> str:
        return self.key
