"""An ordered supply of pairs, and who has which.

One row a slot makes the overlap exact: a pair wanted n times has n slots, and a slot is leased by one rater.

Why a claim costs the same whatever the size and the history: every slot has a `rank`, drawn from its queue's
counter under a lock on the queue's row, so ranks become visible in their own order. A slot that comes back
(skipped, released, expired) gets a new rank at the end. A rater's `passed` only moves up, and what is open
below it was passed because the rater could not have it; so the search is one index range from `passed`.

Slots lie in lanes, and all of that holds for each lane by itself: a rater has a `passed` for each, a lane that was
never walked starts at 0, and an open slot that changes its lane gets a new rank, at the end. The lane of an *open*
slot is always that of its item's tags today; a slot that is leased or done keeps the one it had, and finds its lane
anew when it comes back.
"""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labeling.models.items import Pair
from labeling.models.projects import Criterion, Guideline, Project
from labeling.models.users import User

MOST_OVERLAP = 50
LONGEST_LANE = 300
EVERYDAY = ""
HIDDEN = "!"  # no topic can be called so: the lane that nobody walks
MOST_IN_A_ROW = 3
AWAY = timedelta(minutes=5)  # so long without an answer is a break
SEVERE = 10_000  # a severe pair counts for so many: a break is due whatever the project's numbers are
SHORTEST_LEASE, LONGEST_LEASE = 1, 7 * 24 * 3600
GOLD = "="  # nor so: the lane of known answers that are mixed into the work, of all topics alike


class Queue(models.Model):
    class Order(models.TextChoices):
        RANDOM = "random", _("Random")
        OLDEST = "oldest", _("Oldest first")
        PRIORITY = "priority", _("By the items’ priority")

    class Pairing(models.TextChoices):
        ALL = "all", _("Every pair of an item’s responses")
        CONNECTED = "connected", _("As few pairs as connect all of an item’s responses")
        INFORMATIVE = "informative", _("Connected first, then the pairs that would tell most")

    class Stopping(models.TextChoices):
        FIXED = "fixed", _("The same number of raters for every pair")
        THIRD = "third", _("Two raters, and a third when they disagree")
        MODEL = "model", _("As many as it takes to be sure")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="queues", db_index=False)
    name = models.CharField(max_length=120)
    overlap = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(MOST_OVERLAP)], help_text="Raters wanted a pair."
    )
    lease_seconds = models.PositiveIntegerField(
        default=1200,
        validators=[MinValueValidator(SHORTEST_LEASE), MaxValueValidator(LONGEST_LEASE)],
        help_text="How long a rater holds a pair, in seconds; every renewal starts it again.",
    )
    paused = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Since when it gives out no pair for good.")
    priority = models.SmallIntegerField(
        default=0, db_default=0, help_text="Raters are offered the queue with the highest one first."
    )
    order = models.CharField(
        max_length=8, choices=Order.choices, default=Order.RANDOM, db_default=Order.RANDOM, help_text="Of its pairs."
    )
    pairing = models.CharField(
        max_length=11,
        choices=Pairing.choices,
        default=Pairing.ALL,
        db_default=Pairing.ALL,
        help_text="Which pairs of an item with more than two responses.",
    )
    blur_images = models.BooleanField(default=False, help_text="Images stay blurred until the rater opens them.")
    languages = ArrayField(
        models.CharField(max_length=35),
        default=list,
        blank=True,
        help_text="Only items in these languages; empty takes all.",
    )
    tags = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        help_text="Only items with one of these tags; empty takes all.",
    )
    batches = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        db_default=Value([]),
        help_text="Only items of these imports.",
    )
    categories = ArrayField(
        models.CharField(max_length=100),
        default=list,
        blank=True,
        db_default=Value([]),
        help_text="Only items whose metadata names one of these as its category.",
    )
    # Who may work on it, beside being a rater of the project. Every condition that is set must hold.
    raters = ArrayField(
        models.BigIntegerField(), default=list, blank=True, db_default=Value([]), help_text="Only these people, by id."
    )
    role = models.CharField(
        max_length=11, blank=True, db_default="", help_text="Only raters who hold this role of the project as well."
    )
    speaks = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Only raters whose profile has the item's language, or one of the queue's.",
    )
    qualified = models.BooleanField(default=False, db_default=False, help_text="Only raters who have qualified.")
    least_reliability = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.5), MaxValueValidator(1)],
        help_text="Only raters whose reliability is at least this, at the lower end of its interval.",
    )
    daily_pairs = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Most pairs a person and day (UTC); 0 sets no limit."
    )
    # What is mixed in
    gold_percent = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        validators=[MaxValueValidator(50)],
        help_text="Pairs with a known answer among what a rater gets, in percent.",
    )
    repeat_percent = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        validators=[MaxValueValidator(20)],
        help_text="Pairs that come back to the same rater with the sides swapped, in percent.",
    )
    repeat_after_days = models.PositiveSmallIntegerField(
        default=7, db_default=7, help_text="How old the first answer is before a pair may come back."
    )
    # When a pair has enough
    stopping = models.CharField(
        max_length=5, choices=Stopping.choices, default=Stopping.FIXED, db_default=Stopping.FIXED
    )
    criterion = models.ForeignKey(
        Criterion,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The preference that decides when a pair is settled; empty takes the project's first.",
    )
    least = models.PositiveSmallIntegerField(
        default=2, db_default=2, validators=[MinValueValidator(1)], help_text="Fewest raters a pair, when it adapts."
    )
    most = models.PositiveSmallIntegerField(
        default=5, db_default=5, validators=[MaxValueValidator(MOST_OVERLAP)], help_text="Most raters a pair."
    )
    sure = models.FloatField(
        default=0.8,
        db_default=0.8,
        validators=[MinValueValidator(0.55), MaxValueValidator(0.99)],
        help_text="How probable the better side has to be before a pair is settled.",
    )
    trusted_singles = models.BooleanField(
        default=False, db_default=False, help_text="One clear answer of a rater known to be reliable may settle a pair."
    )
    audit_percent = models.PositiveSmallIntegerField(
        default=5,
        db_default=5,
        validators=[MaxValueValidator(100)],
        help_text="Pairs drawn at random that always get the audit's overlap, in percent, when it adapts.",
    )
    audit_overlap = models.PositiveSmallIntegerField(
        default=5, db_default=5, validators=[MinValueValidator(2), MaxValueValidator(MOST_OVERLAP)]
    )
    last_rank = models.BigIntegerField(default=0, editable=False)
    lanes = ArrayField(
        models.CharField(max_length=LONGEST_LANE),
        default=list,
        db_default=Value([]),
        editable=False,
        help_text="The sensitive lanes that its slots may be in. Kept by the verbs that put slots into lanes.",
    )
    pair_count = models.PositiveIntegerField(default=0, editable=False, help_text="Kept by the verbs that add pairs.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="queue_name"),
            models.CheckConstraint(condition=Q(overlap__gte=1, overlap__lte=MOST_OVERLAP), name="queue_overlap"),
            models.CheckConstraint(
                condition=Q(lease_seconds__gte=SHORTEST_LEASE, lease_seconds__lte=LONGEST_LEASE), name="queue_lease"
            ),
            models.CheckConstraint(
                condition=Q(least__gte=1, least__lte=F("most"), most__lte=MOST_OVERLAP), name="queue_least_and_most"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def gives(self) -> bool:
        """Whether it gives out pairs to anybody."""
        return not self.paused and self.closed_at is None

    @property
    def mixes_in(self) -> bool:
        """Whether raters meet pairs beside its own: then nobody has an end to count to."""
        return bool(self.gold_percent or self.repeat_percent)


class Slot(models.Model):
    """One rater wanted on one pair of a queue. `swapped` alternates over a pair's slots: balance is by construction.

    `lane` names the sensitive topics of the pair's item, sorted and joined by a space; empty is everyday, and HIDDEN
    holds pairs that were found broken. A claim searches only the lanes that are open to the rater, each as its own
    range of ranks.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        LEASED = "leased", _("Leased")
        DONE = "done", _("Done")

    # its queue's, so it needs no check of its own (labeling/models/items.py)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="slots", db_index=False)
    # no index of its own: the unique constraint below and `slot_open` serve every query
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="slots", db_index=False)
    number = models.PositiveSmallIntegerField()
    lane = models.CharField(max_length=LONGEST_LANE, blank=True, default="", db_default="")
    rank = models.BigIntegerField()
    swapped = models.BooleanField(help_text="Shown with the second response on the left.")
    state = models.CharField(max_length=6, choices=State.choices, default=State.OPEN)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["queue", "pair", "number"], name="slot_once"),
            models.CheckConstraint(condition=Q(state__in=["open", "leased", "done"]), name="slot_state"),
        ]
        indexes = [
            # the claim's only search
            models.Index(fields=["queue", "lane", "rank"], condition=Q(state="open"), name="slot_open"),
        ]

    def __str__(self) -> str:
        return f"slot {self.number} of pair {self.pair_id}"


class Passage(models.Model):
    """How far a rater has come in a lane of a queue: no open slot up to `passed` is for this rater.

    The everyday lane's row also counts the rater's work in the whole queue, and since the last break.
    """

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="+", db_index=False)
    rater = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    lane = models.CharField(max_length=LONGEST_LANE, blank=True, default="", db_default="")
    passed = models.BigIntegerField(default=0)
    done = models.PositiveIntegerField(default=0, help_text="Pairs this rater has judged here.")
    swept_at = models.DateTimeField(
        null=True, help_text="When the whole queue was last searched for a slot left behind."
    )
    since_break = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Pairs judged since the last break; a severe one counts as SEVERE."
    )
    since_break_ms = models.PositiveBigIntegerField(default=0, db_default=0, help_text="Judging time since then.")
    sensitive_run = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Sensitive pairs in a row, up to now."
    )
    run_at = models.DateTimeField(null=True, help_text="When the last of that run was opened.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "rater", "lane"], name="passage_once")]

    def __str__(self) -> str:
        return f"rater {self.rater_id} in queue {self.queue_id}"

    def break_due(self, project: Project) -> bool:
        """Whether to offer a break before the next pair. Of the everyday lane's row."""
        minutes, pairs = project.break_after_minutes, project.break_after_pairs
        return (
            self.since_break >= SEVERE or 0 < pairs <= self.since_break or 0 < minutes * 60_000 <= self.since_break_ms
        )


class Assignment(models.Model):
    """One rater's lease on one pair. It names its slot while it is open or submitted, so an open slot is named by none;
    an external rater's has neither queue nor slot.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        SUBMITTED = "submitted", _("Submitted")
        SKIPPED = "skipped", _("Skipped")
        RELEASED = "released", _("Released")
        EXPIRED = "expired", _("Expired")

    class SkipReason(models.TextChoices):
        LANGUAGE = "language", _("Not my language")
        UPSETTING = "upsetting", _("Too upsetting")
        BROKEN = "broken", _("Something is broken")
        CANNOT_TELL = "cannot_tell", _("I cannot tell")
        OTHER = "other", _("Something else")

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    queue = models.ForeignKey(Queue, null=True, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    slot = models.OneToOneField(Slot, null=True, on_delete=models.SET_NULL, related_name="assignment")
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="assignments", db_index=False)
    rater = models.ForeignKey(User, on_delete=models.PROTECT, related_name="assignments", db_index=False)
    guideline = models.ForeignKey(Guideline, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    swapped = models.BooleanField(default=False)
    lane = models.CharField(max_length=LONGEST_LANE, blank=True, default="", db_default="")
    opened_at = models.DateTimeField(null=True, help_text="When the rater chose to see a sensitive pair.")
    claimed_at = models.DateTimeField(default=timezone.now, editable=False)
    lease_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    skip_reason = models.CharField(max_length=11, choices=SkipReason.choices, blank=True)
    skip_comment = models.CharField(max_length=1000, blank=True)
    draft = models.JSONField(null=True, blank=True)
    draft_at = models.DateTimeField(null=True, blank=True)
    repeats = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.CASCADE,
        related_name="repeated",
        db_index=False,
        help_text="The rater's own first look at the pair, when it came back to them. It has no slot.",
    )

    class Meta:
        constraints = [
            # Nobody gets a pair twice: open, answered and skipped count; expired and released do not.
            models.UniqueConstraint(
                fields=["pair", "rater"],
                condition=Q(state__in=["open", "submitted", "skipped"], repeats=None),
                name="assignment_pair_rater_once",
            ),
            models.UniqueConstraint(
                fields=["repeats"],
                condition=Q(repeats__isnull=False, state__in=["open", "submitted", "skipped"]),
                name="assignment_repeated_once",
            ),
            models.CheckConstraint(
                condition=Q(slot=None) | Q(state__in=["open", "submitted"]), name="assignment_ended_names_no_slot"
            ),
            models.UniqueConstraint(fields=["queue", "rater"], condition=Q(state="open"), name="assignment_one_open"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "submitted", "skipped", "released", "expired"]), name="assignment_state"
            ),
        ]
        indexes = [
            models.Index(fields=["queue", "lease_until"], condition=Q(state="open"), name="assignment_lease"),
            # a person's own work, newest first; in one project or in all
            models.Index(
                fields=["rater", "-ended_at"],
                condition=Q(state__in=["submitted", "skipped"]),
                name="assignment_my_work",
            ),
            models.Index(
                fields=["rater", "project", "-ended_at"],
                condition=Q(state__in=["submitted", "skipped"]),
                name="assignment_my_project",
            ),
            models.Index(fields=["project", "pair"], name="assignment_of_pair"),
            # pairs that a rater could not judge, for whoever decides on them
            models.Index(
                fields=["project", "ended_at"],
                condition=Q(state="skipped", skip_reason__in=["cannot_tell", "broken"]),
                name="assignment_marked",
            ),
        ]

    def __str__(self) -> str:
        return f"assignment {self.pk}"

    @property
    def sensitive(self) -> bool:
        """Whether it was claimed in a lane of sensitive topics."""
        return self.lane not in (EVERYDAY, GOLD)

    @property
    def unopened(self) -> bool:
        """A sensitive pair that its rater has not chosen to see: nothing of its text may be shown."""
        return self.sensitive and self.opened_at is None
