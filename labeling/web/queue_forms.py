"""The form of a queue's rules, in groups: what it takes, who works on it, how many raters, what is mixed in, the order.

Shares are shown in percent and the lease in minutes; `rules` has them as the verbs take them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from labeling.actions.queue_rules import MOST_A_DAY, MOST_DAYS, MOST_GOLD, MOST_PRIORITY, MOST_REPEATS
from labeling.actions.refusals import Refused
from labeling.models import Criterion, Membership, Project, Queue, User
from labeling.models.queues import LONGEST_LEASE, MOST_OVERLAP

MOST_BATCHES = 50
_PERCENT = {"step": "1", "inputmode": "numeric"}


class Words(forms.CharField):
    """Short texts with commas between, as a list."""

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=2000, **kwargs)
        self.longest = longest

    def clean(self, value: Any) -> Any:
        words = [word.strip() for word in str(super().clean(value)).split(",") if word.strip()]
        if too_long := [word for word in words if len(word) > self.longest]:
            said = gettext("“%(word)s…” is longer than %(most)s characters.")
            raise forms.ValidationError(said % {"word": too_long[0][:40], "most": self.longest})
        return list(dict.fromkeys(words))


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    title: str | Promise
    text: str | Promise
    fields: list[forms.BoundField]

    @property
    def has_errors(self) -> bool:
        return any(field.errors for field in self.fields)


def _number(least: int, most: int, label: Any, help_text: Any, **more: Any) -> forms.IntegerField:
    return forms.IntegerField(min_value=least, max_value=most, label=label, help_text=help_text, **more)


class QueueForm(forms.Form):
    name = forms.CharField(max_length=120, label=_("Name"), help_text=_("Raters read it on their home page."))
    languages = Words(
        longest=35, label=_("Languages"),
        help_text=_("Only items in these, with commas between: en, zh-Hans. Empty takes all."),
    )  # fmt: skip
    tags = Words(longest=100, label=_("Tags"), help_text=_("Only items with one of these tags. Empty takes all."))
    categories = Words(
        longest=100, label=_("Categories"),
        help_text=_("Only items whose file says one of these in its column “category”. Empty takes all."),
    )  # fmt: skip
    batches = forms.TypedMultipleChoiceField(
        required=False, coerce=int, label=_("Imports"), widget=forms.CheckboxSelectMultiple,
        help_text=_("Only items of these files. None ticked takes all, also from later imports."),
    )  # fmt: skip
    pairing = forms.ChoiceField(
        choices=Queue.Pairing.choices, label=_("When an item has more than two responses"),
        help_text=_("Four responses make six pairs; three of them are enough to connect all four."),
    )  # fmt: skip

    raters = forms.TypedMultipleChoiceField(
        required=False, coerce=int, label=_("Only these people"), widget=forms.CheckboxSelectMultiple,
        help_text=_("None ticked lets in every rater whom the rules below let in."),
    )  # fmt: skip
    role = forms.ChoiceField(
        required=False, label=_("Who hold another role too"), help_text=_("For work that needs, say, an adjudicator.")
    )
    speaks = forms.BooleanField(
        required=False, label=_("Only pairs in the rater’s languages"),
        help_text=_("By their profile: a pair goes to raters who named its language."),
    )  # fmt: skip
    qualified = forms.BooleanField(
        required=False, label=_("Only who has qualified"),
        help_text=_("By the project’s qualification; set it up under “Getting in”."),
    )  # fmt: skip
    least_reliability = forms.FloatField(
        required=False, min_value=50, max_value=100, label=_("Least reliability, in percent"),
        help_text=_("At the lower end of its interval, so new raters are not let in. Empty asks for none."),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip
    daily_pairs = _number(
        0, MOST_A_DAY, _("Most comparisons a person and day"), _("A day is one of UTC. 0 sets no limit.")
    )

    stopping = forms.ChoiceField(
        choices=Queue.Stopping.choices, label=_("How many raters a pair gets"), widget=forms.RadioSelect,
        help_text=_("Asking two, and others only where they disagree, saves about a fifth. It may change at any time."),
    )  # fmt: skip
    overlap = _number(
        1, MOST_OVERLAP, _("Raters a pair"),
        _("A new number adds open answers, or takes them away, at once. What is judged stays."),
    )  # fmt: skip
    criterion = forms.ChoiceField(
        required=False, label=_("Which question decides"),
        help_text=_("A pair has enough when this preference is settled. Reliability is that of the same question."),
    )  # fmt: skip
    least = _number(1, MOST_OVERLAP, _("Fewest raters a pair"), _("Two, unless a single answer may settle a pair."))
    most = _number(1, MOST_OVERLAP, _("Most raters a pair"), _("Then it is left as it is, and goes to adjudicators."))
    sure = _number(
        55, 99, _("How sure, in percent"), _("How probable the better response has to be before nobody else is asked.")
    )
    trusted_singles = forms.BooleanField(
        required=False, label=_("One clear answer of a reliable rater may be enough"),
        help_text=_("Saves most. Never for pairs of the audit, and never for severe harm."),
    )  # fmt: skip
    audit_percent = _number(
        0, 100, _("Pairs drawn for the audit, in percent"),
        _("They always get a number of raters of their own, so that agreement can be told without favour."),
    )  # fmt: skip
    audit_overlap = _number(2, MOST_OVERLAP, _("Raters of an audited pair"), "")

    gold_percent = _number(
        0, MOST_GOLD, _("Pairs with a known answer, in percent"),
        _("Mixed in unseen, each once a rater. Two to five are usual; 0 mixes none in."),
    )  # fmt: skip
    repeat_percent = _number(
        0, MOST_REPEATS, _("Pairs that come back, in percent"),
        _("To the same rater, with the sides swapped: how far they agree with themselves. 0 brings none back."),
    )  # fmt: skip
    repeat_after_days = _number(1, MOST_DAYS, _("Days before a pair may come back"), "")

    order = forms.ChoiceField(
        choices=Queue.Order.choices, label=_("Order of its pairs"),
        help_text=_("A new order holds for whatever is open. Priorities come from the column “priority” of a file."),
    )  # fmt: skip
    priority = _number(
        -MOST_PRIORITY, MOST_PRIORITY, _("Priority among the queues"), _("Raters are offered the highest first.")
    )
    lease_minutes = forms.FloatField(
        min_value=1 / 60, max_value=LONGEST_LEASE / 60, label=_("Minutes a rater holds a pair"),
        help_text=_("Every renewal starts it again. A pair that is not answered in time goes to others."),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip
    blur_images = forms.BooleanField(
        required=False, label=_("Images stay blurred until the rater opens them"),
        help_text=_("A comfort, no protection: raters choose when to look."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, project: Project, queue: Queue | None = None) -> None:
        """Filled from `queue`, or with what is usual. A field that `data` leaves out, as programs do, stays as it is;
        but no browser sends a box that is not ticked."""
        now = _typed(queue or Queue(role=""))
        super().__init__(data, initial=now)
        if data is not None:
            self.data = filled = data.copy()
            for name, field in self.fields.items():
                if name not in data and not isinstance(field, forms.BooleanField | forms.TypedMultipleChoiceField):
                    filled[name] = now[name]
        self.project, self.queue = project, queue
        self._choices("batches", self._batches())
        self._choices("raters", self._raters())
        roles = [choice for choice in Membership.Role.choices if choice[0] != Membership.Role.RATER]
        self._choices("role", [("", gettext("No other role needed")), *roles])
        asked = project.criteria.filter(kind=Criterion.Kind.PREFERENCE)
        self.criteria = {criterion.key: criterion for criterion in asked}
        keys = [(key, criterion.name) for key, criterion in self.criteria.items()]
        self._choices("criterion", [("", gettext("The first preference")), *keys])

    @property
    def groups(self) -> list[Group]:
        return [Group(key, title, text, [self[name] for name in names]) for key, title, text, names in _GROUPS]

    def rules(self) -> dict[str, Any]:
        """As the verbs take them."""
        typed = dict(self.cleaned_data)
        reliability = typed["least_reliability"]
        return typed | {
            "lease_seconds": round(typed.pop("lease_minutes") * 60),
            "sure": typed["sure"] / 100,
            "least_reliability": None if reliability is None else reliability / 100,
            "criterion": self.criteria.get(typed["criterion"]),
        }

    def add_refusal(self, refused: Refused) -> None:
        """Say why the verb would not, each at its field."""
        names = {"lease_seconds": "lease_minutes"}
        said = {names.get(name, name): text for name, text in refused.errors.items()}
        known = {name: text for name, text in said.items() if name in self.fields}
        if not known or refused.code != "invalid":
            self.add_error(next(iter(known), None), refused.message)
            return
        for name, text in known.items():
            self.add_error(name, text)

    def _choices(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def _batches(self) -> list[tuple[int, str]]:
        chosen = self.queue.batches if self.queue else []
        rows = self.project.batches.order_by("-created_at", "-pk").values_list("pk", "name")
        newest = list(rows[:MOST_BATCHES])
        known = {pk for pk, _name in newest}
        return newest + list(rows.filter(pk__in=[pk for pk in chosen if pk not in known]))

    def _raters(self) -> list[tuple[int, str]]:
        """The project's raters, without those of crowd platforms, who come by a link, unless they are chosen."""
        chosen = self.queue.raters if self.queue else []
        members = Membership.objects.filter(project=self.project, role=Membership.Role.RATER)
        people = User.objects.filter(pk__in=members.values("user")).order_by("name", "email")
        return [(user.pk, user.display_name) for user in people if not user.is_crowd or user.pk in chosen]


def _typed(queue: Queue) -> dict[str, Any]:
    """A queue's rules as the form shows them."""
    names = set(QueueForm.base_fields) - {"lease_minutes", "criterion"}
    reliability = queue.least_reliability
    return {name: getattr(queue, name) for name in names} | {
        "languages": ", ".join(queue.languages),
        "tags": ", ".join(queue.tags),
        "categories": ", ".join(queue.categories),
        "lease_minutes": f"{queue.lease_seconds / 60:.6g}",
        "sure": round(queue.sure * 100),
        "least_reliability": "" if reliability is None else f"{reliability * 100:.4g}",
        "criterion": queue.criterion.key if queue.criterion else "",
    }


_GROUPS: tuple[tuple[str, Promise, Promise, tuple[str, ...]], ...] = (
    ("what", _("What it takes"), _("It takes pairs of items that are all of this, now and from later imports."),
     ("name", "languages", "tags", "categories", "batches", "pairing")),
    ("who", _("Who works on it"),
     _("Raters of the project; where several rules are set, all must hold. To others the queue is not shown."),
     ("raters", "role", "least_reliability", "speaks", "qualified", "daily_pairs")),
    ("many", _("How many raters"), _("Enough to be sure, and no more."),
     ("stopping", "overlap", "criterion", "least", "most", "sure", "trusted_singles", "audit_percent",
      "audit_overlap")),
    ("mixed", _("What is mixed in"), _("It looks like the rest of the work, and is never given alone."),
     ("gold_percent", "repeat_percent", "repeat_after_days")),
    ("order", _("Order and pace"), _("Which comes first, and how long it may take."),
     ("order", "priority", "lease_minutes", "blur_images")),
)  # fmt: skip
