"""Sensitive topics: who has agreed to see what, how much of it, and how they are."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.projects import Project
from labeling.models.users import User

MILD, SEVERE = 1, 3


class Topic(models.Model):
    """A kind of content that is shown only to raters who chose it. Items have it by a tag of the same name."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="topics", db_index=False)
    key = models.CharField(
        max_length=40, validators=[RegexValidator(r"^[\w-]+$")], help_text="The tag of the items it covers."
    )
    name = models.CharField(max_length=80, help_text="As in “This comparison is about …”.")
    description = models.CharField(max_length=300, blank=True, help_text="What a rater will meet.")
    severity = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(MILD), MaxValueValidator(SEVERE)], help_text="The worst of it, 1 to 3."
    )
    daily_pairs = models.PositiveSmallIntegerField(default=20, help_text="Most pairs a person and day.")
    daily_minutes = models.PositiveSmallIntegerField(default=60, help_text="Most minutes a person and day.")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="topic_once")]

    def __str__(self) -> str:
        return self.name


class Exposure(models.Model):
    """How much of a topic a person was shown on a day (UTC). Counts only, never what."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="exposures", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    topic = models.CharField(max_length=40, help_text="The topic's key; it outlives the topic.")
    day = models.DateField()
    shown = models.PositiveIntegerField(default=0, help_text="Pairs opened.")
    milliseconds = models.PositiveBigIntegerField(default=0, help_text="Judging time of those submitted.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "project", "day", "topic"], name="exposure_once")]
        indexes = [models.Index(fields=["project", "day"], name="exposure_of_project")]

    def __str__(self) -> str:
        return f"{self.shown} of {self.topic} on {self.day}"


class CheckIn(models.Model):
    """How a person said they felt after sensitive work. Theirs alone, unless they chose to share it."""

    class Feeling(models.TextChoices):
        FINE = "fine", _("Fine")
        OFF = "off", _("A bit off")
        NOT_GOOD = "not_good", _("Not good")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="check_ins", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="check_ins")
    feeling = models.CharField(max_length=8, choices=Feeling.choices)
    shared = models.BooleanField(default=False, help_text="The managers of the project may read it.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["project", "-created_at"], name="check_in_newest")]

    def __str__(self) -> str:
        return self.feeling
