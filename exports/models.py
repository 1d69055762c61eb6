"""What was asked for, and the files that answer it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from labeling.models import Job, Project, User


class Export(Job):
    """A recipe applied once to a fixed set of judgments. Downloadable only when done: the manifest is written last."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="exports", db_index=False)
    name = models.CharField(max_length=120)
    recipe = models.JSONField()
    judgments_as_of = models.TextField(
        blank=True,
        help_text="PostgreSQL's pg_snapshot at the first attempt: a later attempt reads exactly the same judgments.",
    )
    rows_total = models.PositiveIntegerField(default=0, help_text="Pairs to read, for the progress bar.")
    rows_read = models.PositiveIntegerField(default=0)
    rows_written = models.PositiveIntegerField(default=0)
    bytes_written = models.BigIntegerField(default=0)
    manifest = models.JSONField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["project", "-created_at"], name="export_newest"),
            models.Index(fields=["state"], condition=Q(state__in=["waiting", "running"]), name="export_unfinished"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def percent(self) -> int:
        if self.state == self.State.DONE:
            return 100
        return min(99, round(100 * self.rows_read / self.rows_total)) if self.rows_total else 0


class ExportFile(models.Model):
    """One file of a finished export, under `exports/<export id>/` of the storage."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="files", db_index=False)
    path = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    rows = models.PositiveIntegerField(null=True)
    crc32 = models.BigIntegerField(null=True, help_text="For archives. Empty until one is asked for, in old exports.")

    class Meta:
        ordering = ["export", "path"]
        constraints = [models.UniqueConstraint(fields=["export", "path"], name="export_file_once")]

    def __str__(self) -> str:
        return self.path


class DownloadLink(models.Model):
    """An address that gives the files of one export to whoever has it, as long as its maker may have them.

    Only the digest of its secret is stored. `uses` counts downloads from their beginning on, not the parts of one.
    """

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="links")
    token_digest = models.CharField(max_length=64, unique=True)
    note = models.CharField(max_length=120, blank=True, help_text="For whom, in its maker's words.")
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    uses = models.PositiveIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"link to export {self.export_id}"

    @property
    def is_open(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()


class HubToken(models.Model):
    """A person's key for the hub, sealed; it is used for their own pushes only, and shown to nobody."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    sealed = models.TextField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"hub token of {self.user_id}"


class HubPush(Job):
    """The files of one export on their way to a repository of the hub. Doing it again puts the same files there."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="pushes")
    repo_id = models.CharField(max_length=193, help_text="owner/name at the hub.")
    private = models.BooleanField(default=True, help_text="Of a repository that is made by the push.")
    sealed_token = models.TextField(
        blank=True, editable=False, help_text="Given for this push only; removed when it is over."
    )
    bytes_total = models.BigIntegerField(default=0)
    bytes_sent = models.BigIntegerField(default=0)
    commit = models.CharField(max_length=64, blank=True, help_text="What the hub calls it.")
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        indexes = [
            models.Index(fields=["state"], condition=Q(state__in=["waiting", "running"]), name="push_unfinished")
        ]

    def __str__(self) -> str:
        return f"{self.export_id} to {self.repo_id}"

    @property
    def percent(self) -> int:
        if self.state == self.State.DONE:
            return 100
        return min(99, round(100 * self.bytes_sent / self.bytes_total)) if self.bytes_total else 0
