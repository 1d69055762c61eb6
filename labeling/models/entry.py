"""How a rater comes to a project: profile, consent, practice, qualification, and the door for crowd platforms."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.items import Pair
from labeling.models.projects import Project
from labeling.models.queues import Queue
from labeling.models.users import User

# What the demographics of a profile may hold, each a short text.
DEMOGRAPHICS = ("age", "gender", "region", "education", "first_language")


class RaterProfile(models.Model):
    """What a person says about themselves: languages, and demographics only with consent, which can be taken back."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="profile")
    languages = ArrayField(models.CharField(max_length=35), default=list, blank=True, help_text="Read fluently.")
    demographics = models.JSONField(default=dict, blank=True)
    demographics_consent_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"profile of {self.user_id}"


class ConsentText(models.Model):
    """What a rater agrees to, in Markdown, versioned. It never changes (trigger)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="consent_texts", db_index=False)
    version = models.PositiveIntegerField()
    text = models.TextField(max_length=50_000)
    html = models.TextField(editable=False, default="")
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "version"], name="consent_version")]

    def __str__(self) -> str:
        return f"consent version {self.version}"


class Participation(models.Model):
    """One person as a rater of one project: what they agreed to and how far they have come."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="participations", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="participations")
    consent = models.ForeignKey(ConsentText, null=True, on_delete=models.PROTECT, related_name="+")
    consented_at = models.DateTimeField(null=True, blank=True)
    topics = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="Keys of the topics they agreed to see."
    )
    practised_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Times tried to qualify, to the end.")
    extra_attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Tries that a manager allowed beyond the project's."
    )
    qualified_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True, help_text="When the rater was told that checks went wrong.")
    paused_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when they get no pair, until a manager has looked."
    )
    paused_why = models.CharField(max_length=300, blank=True, db_default="", help_text="Two numbers and one sentence.")
    resumed_at = models.DateTimeField(
        null=True, blank=True, help_text="When a manager let them go on: checks from before do not pause them again."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="participation_once")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.project_id}"


class Lesson(models.Model):
    """A pair with known answers, shown before the work: to practise on, with feedback, or to qualify by."""

    class Stage(models.TextChoices):
        PRACTICE = "practice", _("Practice, with feedback")
        QUALIFICATION = "qualification", _("Qualification")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="lessons", db_index=False)
    stage = models.CharField(max_length=13, choices=Stage.choices)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField(default=0)
    explanation = models.TextField(blank=True, max_length=4000, help_text="Why the known answer is right.")
    principle = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Of the guideline, if one decides.")

    class Meta:
        ordering = ["stage", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "stage", "pair"], name="lesson_once")]

    def __str__(self) -> str:
        return f"{self.stage} {self.position}"


class Attempt(models.Model):
    """What a person answered to a lesson. It is not an annotation and never part of a dataset."""

    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveSmallIntegerField(default=1, help_text="Which try at the stage it belongs to.")
    swapped = models.BooleanField(default=False)
    body = models.JSONField(help_text="The answers as sent, in the order shown.")
    right = models.PositiveSmallIntegerField(help_text="Known answers met.")
    known = models.PositiveSmallIntegerField(help_text="Known answers there were.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lesson", "user", "number"], name="attempt_once")]

    def __str__(self) -> str:
        return f"{self.right} of {self.known}"


class CrowdLink(models.Model):
    """A door for the workers of a crowd platform into one queue. The address is signed; closing the link shuts it."""

    class Platform(models.TextChoices):
        PROLIFIC = "prolific", "Prolific"
        MTURK = "mturk", "Amazon Mechanical Turk"
        OTHER = "other", _("Another platform")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="crowd_links", db_index=False)
    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="crowd_links")
    platform = models.CharField(max_length=8, choices=Platform.choices)
    name = models.CharField(max_length=120)
    pairs_wanted = models.PositiveSmallIntegerField(default=20, help_text="Pairs a worker; then the code is shown.")
    completion_code = models.CharField(max_length=60)
    screened_code = models.CharField(
        max_length=60, blank=True, help_text="Shown to who does not consent or does not qualify."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["project", "-created_at"], name="crowd_link_newest")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.closed_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class CrowdEntry(models.Model):
    """One worker who came through a link. The worker's id is the platform's and never leaves in a dataset."""

    link = models.ForeignKey(CrowdLink, on_delete=models.CASCADE, related_name="entries", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="crowd_entries")
    worker_id = models.CharField(max_length=120)
    study_id = models.CharField(max_length=120, blank=True)
    session_id = models.CharField(max_length=120, blank=True)
    key_digest = models.CharField(
        max_length=64, blank=True, help_text="Of the key in the one browser it is bound to; empty lets another one in."
    )
    entered_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    screened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "crowd entries"
        constraints = [models.UniqueConstraint(fields=["link", "worker_id"], name="crowd_entry_once")]

    def __str__(self) -> str:
        return self.worker_id
