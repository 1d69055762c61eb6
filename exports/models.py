"""What was asked for, and the files that answer it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models import Job, Project, User, Withdrawal
from labeling.models.jobs import JobQuerySet


class ExportQuerySet(JobQuerySet):
    def fetchable(self) -> Self:
        """Done, and not closed; nor is there a withdrawal that closes them as soon as somebody looks."""
        among = Func(OuterRef("raters"), F("rater"), function="array_position", output_field=models.IntegerField())
        standing = Withdrawal.objects.filter(project=OuterRef("project"), closes=True, lifted_at=None)
        later = standing.filter(pk__gt=OuterRef("withdrawals_seen"))
        closing = later.annotate(among=among).filter(Q(item__isnull=False) | Q(among__isnull=False))
        return self.filter(~Exists(closing), state=Job.State.DONE, closed_at=None)


class Export(Job):
    """A recipe applied once to a fixed set of judgments; once it is done, a snapshot.

    Downloadable only when done: the manifest is written last. Its files never change. What is withdrawn later marks it
    as superseded, and closes its files where the withdrawal says so.
    """

    class Why(models.TextChoices):
        CONSENT = "consent", _("A rater took their consent back")
        RATER = "rater", _("A rater was withdrawn")
        ITEM = "item", _("An item was withdrawn")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="exports", db_index=False)
    name = models.CharField(max_length=120)
    recipe = models.JSONField()
    judgments_as_of = models.TextField(
        blank=True,
        help_text="PostgreSQL's pg_snapshot at the first attempt: a later attempt reads exactly the same judgments.",
    )
    withdrawals = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=Value([]),
        help_text="Withdrawals that are honoured, fixed at the first attempt.",
    )
    raters = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=Value([]),
        help_text="Whose judgments count. It never leaves.",
    )
    withdrawals_seen = models.BigIntegerField(
        default=0, db_default=0, help_text="The last withdrawal of the project whose effect on this one was settled."
    )
    number = models.PositiveIntegerField(
        null=True, help_text="v1, v2 … of the project's exports of this name; given when it is done."
    )
    content_hash = models.CharField(
        max_length=64, blank=True, db_default="", help_text="SHA-256 over the paths and hashes of its files."
    )
    since = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="+", help_text="Only what changed since that one."
    )
    since_hash = models.CharField(
        max_length=64, blank=True, db_default="", help_text="Content hash of that one; it may have been deleted."
    )
    superseded_at = models.DateTimeField(null=True)
    superseded_why = models.CharField(max_length=7, choices=Why.choices, blank=True, db_default="")
    superseded_by = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="supersedes")
    closed_at = models.DateTimeField(null=True, help_text="Since when nobody can fetch its files any more.")
    rows_total = models.PositiveIntegerField(default=0, help_text="Pairs to read, for the progress bar.")
    rows_read = models.PositiveIntegerField(default=0)
    rows_written = models.PositiveIntegerField(default=0)
    bytes_written = models.BigIntegerField(default=0)
    manifest = models.JSONField(null=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    objects: ClassVar[models.Manager[Any]] = ExportQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["project", "-created_at"], name="export_newest"),
            models.Index(fields=["state"], condition=Q(state__in=["waiting", "running"]), name="export_unfinished"),
        ]
        constraints = [models.UniqueConstraint(fields=["project", "name", "number"], name="export_number")]

    def __str__(self) -> str:
        return self.name

    @property
    def version(self) -> str:
        """As people say it: v3; empty before it is done."""
        return f"v{self.number}" if self.number else ""

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


class StoredRecipe(models.Model):
    """A recipe under a name, for every researcher of its project. A version never changes (trigger); a change is the
    next version."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="recipes", db_index=False)
    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    recipe = models.JSONField(help_text="Every field, also those left to their default.")
    description = models.CharField(max_length=300, blank=True, help_text="What it is for, or what changed.")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name", "-version"]
        constraints = [models.UniqueConstraint(fields=["project", "name", "version"], name="recipe_version")]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


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
