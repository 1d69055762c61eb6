"""A study, what its raters are told, and what they are asked."""

from __future__ import annotations

import secrets

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from labeling.models.users import User


def new_pseudonym_key() -> bytes:
    return secrets.token_bytes(32)


class Project(models.Model):
    slug = models.SlugField(max_length=60, unique=True, validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$")])
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, max_length=2000)
    revise_minutes = models.PositiveIntegerField(
        default=7 * 24 * 60, help_text="How long a rater may change an answer, in minutes; 0 forbids it."
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


class Criterion(models.Model):
    """One question. A preference lies between two responses; safety and rating are of one response."""

    class Kind(models.TextChoices):
        PREFERENCE = "preference", "Preference between two responses"
        SAFETY = "safety", "Safety of one response"
        RATING = "rating", "Rating of one response"
        TEXT = "text", "Text"

    class Asked(models.TextChoices):
        ALWAYS = "always", "Always"
        ON_CONFLICT = "on_conflict", "When the other preferences point different ways"
        NEVER = "never", "Never; it came with imported judgments"

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
    allow_tie = models.BooleanField(default=True)
    allow_both_bad = models.BooleanField(default=False)
    minimum = models.SmallIntegerField(default=1, help_text="Lowest rating.")
    maximum = models.SmallIntegerField(default=5, help_text="Highest rating.")
    categories = ArrayField(
        models.CharField(max_length=80), default=list, blank=True, help_text="Harms to choose from."
    )
    severities = models.PositiveSmallIntegerField(default=3, help_text="Grades of harm; 0 asks none.")

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
