"""Statistics of a project, computed off the request and kept until the next time."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from labeling.models.jobs import Job
from labeling.models.projects import Project
from labeling.models.queues import Queue
from labeling.models.users import User


class Analysis(Job):
    """One computation of all reports of a project. The newest that is done is what the pages show."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="analyses", db_index=False)
    up_to = models.BigIntegerField(default=0, help_text="Of the annotations' transactions, the first not counted.")
    judgments = models.PositiveIntegerField(default=0, help_text="Judgments counted.")
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name_plural = "analyses"
        indexes = [models.Index(fields=["project", "-id"], name="analysis_newest")]

    def __str__(self) -> str:
        return f"analysis {self.pk}"


class Finding(models.Model):
    """One report of one analysis, as plain JSON: agreement, raters, models, groups and so on."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="findings", db_index=False)
    analysis = models.ForeignKey(Analysis, on_delete=models.CASCADE, related_name="findings")
    name = models.CharField(max_length=40)
    data = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="finding_once")]

    def __str__(self) -> str:
        return self.name


class StudyPlan(Job):
    """What a study would need, found by simulation before it begins; and what then happened, beside it."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="study_plans", db_index=False)
    name = models.CharField(max_length=120)
    queue = models.ForeignKey(Queue, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    asked = models.JSONField(help_text="Pairs, raters, how good they are, policies, seconds and price of a judgment.")
    found = models.JSONField(null=True, blank=True, help_text="Accuracy, interval, judgments, hours and cost a policy.")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["project", "-id"], name="study_plan_newest")]

    def __str__(self) -> str:
        return self.name
