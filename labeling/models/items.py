"""What is judged: conversations, the models' responses to them, and the pairs made of those.

An import makes these rows, and slots, by the hundred thousand, and half of its time went into checking keys. So the
database checks each way up once: a response's project is that of its item, whose project is that of its batch; a pair's
item is that of its responses. Keys that follow from others in the same row have no constraint of their own.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform

from labeling.models.jobs import Job
from labeling.models.projects import Project
from labeling.models.users import User


class Batch(Job):
    """Items that came in together. `read = kept + duplicate + refused` once it is done."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="batches", db_index=False)
    name = models.CharField(max_length=200)
    format = models.CharField(max_length=40, blank=True, help_text="An importer's name; empty until it is guessed.")
    storage_name = models.CharField(max_length=400, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    bytes_total = models.BigIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        verbose_name_plural = "batches"
        indexes = [
            models.Index(fields=["project", "-created_at"], name="batch_newest"),
            models.Index(fields=["state"], condition=Q(state__in=["waiting", "running"]), name="batch_unfinished"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def percent(self) -> int:
        if self.state == self.State.DONE:
            return 100
        return min(99, round(100 * self.bytes_read / self.bytes_total)) if self.bytes_total else 0


class Refusal(models.Model):
    """One row of a file that was not taken, and why."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="refusals", db_index=False)
    line = models.PositiveIntegerField()
    field = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500)

    class Meta:
        ordering = ["batch", "line", "id"]
        indexes = [models.Index(fields=["batch", "line", "id"], name="refusal_order")]

    def __str__(self) -> str:
        return f"line {self.line}: {self.field}: {self.reason}"


class Item(models.Model):
    """A conversation: [{"role", "content"}], ending before the responses. Its fingerprint covers the responses too.

    Content is a text, or parts where it has images: {"type": "text", "text"}, and {"type": "image", "image", "alt",
    "width", "height", "greys"}, in which `image` is the token of an Image.
    """

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="items", db_index=False, db_constraint=False
    )
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    external_id = models.CharField(max_length=255, blank=True)
    fingerprint = models.CharField(max_length=64, editable=False)
    conversation = models.JSONField()
    conversation_html = models.JSONField(default=list, help_text="One safe HTML text a message.")
    language = models.CharField(max_length=35, blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    gold = models.JSONField(null=True, blank=True, help_text="Known answers by criterion, in stored order.")
    author = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="Never judges it."
    )
    priority = models.SmallIntegerField(default=0, db_default=0, help_text="The highest first, in queues that ask it.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "fingerprint"], name="item_once")]
        indexes = [
            models.Index(fields=["project", "external_id"], condition=~Q(external_id=""), name="item_external_id"),
            # whoever wrote an item and is not in the project yet: looked up when somebody comes in
            models.Index(
                "project",
                KeyTextTransform("author", "metadata"),
                condition=Q(author=None, metadata__has_key="author"),
                name="item_author_to_come",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id or f"item {self.pk}"


class Response(models.Model):
    """A model's answer. `model_name` never reaches a rater; `html` is rendered once, at import.

    Two models may say the same: that is two responses, between which a rater finds no difference.
    """

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="responses", db_index=False)
    position = models.PositiveSmallIntegerField()
    fingerprint = models.CharField(max_length=64, editable=False)
    content = models.TextField(help_text="As it came; where it has images, its text only.")
    parts = models.JSONField(null=True, blank=True, help_text="Text and images in order, where it has images.")
    model_name = models.CharField(max_length=200, blank=True)
    html = models.TextField()
    renderer = models.PositiveSmallIntegerField(
        help_text="Version of the renderer that made `html`; 0 shows plain text."
    )

    class Meta:
        ordering = ["item", "position"]
        constraints = [
            models.UniqueConstraint(fields=["item", "fingerprint", "model_name"], name="response_once"),
            models.UniqueConstraint(fields=["item", "position"], name="response_position"),
        ]

    def __str__(self) -> str:
        return f"response {self.position} of item {self.item_id}"


class Image(models.Model):
    """A picture of an item, decoded and written anew at import: nothing of the sent file but its pixels is kept."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="images", db_index=False)
    sha256 = models.CharField(max_length=64, help_text="Of the bytes as sent.")
    storage_name = models.CharField(max_length=400)
    media_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField(help_text="Pixels.")
    height = models.PositiveIntegerField(help_text="Pixels.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "sha256"], name="image_once"),
            models.UniqueConstraint(fields=["storage_name"], name="image_file_once"),
        ]

    def __str__(self) -> str:
        return f"{self.width} × {self.height} {self.media_type}"

    @property
    def token(self) -> str:
        """Its address and the name of its file: drawn at random, so that it tells nothing."""
        return self.storage_name.rpartition("/")[2]


def stretch_of(fingerprint: str) -> int:
    """The first 64 bits of a fingerprint as the signed number that orders like it."""
    return int(fingerprint[:16], 16) - (1 << 63)


class Pair(models.Model):
    """What a rater judges at once. `second` is empty when the item has a single response.

    `stretch` is what an export is shared out by: pairs whose numbers lie in a range are found by an index, and their
    order is that of the texts' hashes, the same on every machine.
    """

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="pairs", db_index=False, db_constraint=False
    )
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="pairs", db_index=False, db_constraint=False)
    first = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="+", db_index=False)
    second = models.ForeignKey(Response, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    stretch = models.BigIntegerField(
        editable=False, help_text="As stretch_of says: 64 bits of its responses' smaller fingerprint."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "first", "second"], nulls_distinct=False, name="pair_once"),
            models.CheckConstraint(condition=Q(second=None) | Q(first__lt=F("second")), name="pair_order"),
        ]
        indexes = [
            models.Index(fields=["project", "id"], name="pair_project"),
            models.Index(fields=["project", "stretch"], name="pair_stretch"),
        ]

    def __str__(self) -> str:
        return f"pair {self.pk}"
