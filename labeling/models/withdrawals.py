"""What must not be used any longer: a person's judgments, or an item with all that was said of it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.items import Item
from labeling.models.projects import Project
from labeling.models.users import User


class Withdrawal(models.Model):
    """No dataset made from now on holds it. The judgments stay as they were given; exports leave them out.

    Of a rater: what they judged until `created_at`, so that someone who comes back with a new consent counts again
    with what they judge then. Of an item: every judgment of it, whenever given.
    """

    class Why(models.TextChoices):
        CONSENT = "consent", _("Consent was taken back")
        RATER = "rater", _("A rater's judgments are not to be used")
        ITEM = "item", _("An item is not to be used")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="withdrawals", db_index=False)
    why = models.CharField(max_length=7, choices=Why.choices)
    rater = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    item = models.ForeignKey(Item, null=True, on_delete=models.CASCADE, related_name="withdrawals")
    note = models.CharField(max_length=300, blank=True, help_text="For the project's managers.")
    closes = models.BooleanField(help_text="Files that were made before and hold it cannot be fetched any more.")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    lifted_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    lifted_at = models.DateTimeField(
        null=True, help_text="Since when it does not count any more. Only what a manager set aside can be lifted."
    )

    class Meta:
        ordering = ["project", "id"]
        indexes = [models.Index(fields=["project", "id"], name="withdrawal_of_project")]
        constraints = [
            models.CheckConstraint(
                condition=Q(rater__isnull=False, item=None) | Q(rater=None, item__isnull=False),
                name="withdrawal_of_one",
            ),
            models.CheckConstraint(condition=Q(lifted_at=None) | ~Q(why="consent"), name="withdrawal_consent_stays"),
            models.UniqueConstraint(fields=["item"], condition=Q(lifted_at=None), name="withdrawal_item_once"),
        ]

    def __str__(self) -> str:
        return f"{self.why} withdrawn from {self.project_id}"
