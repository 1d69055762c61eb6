"""The forms of a project's questions: they check what was typed and hand it to the verbs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.actions.criteria import fields_of
from labeling.actions.own_words import ALWAYS, CONFLICT, SAMPLE, SEVERE
from labeling.consistency import USUAL_AT, USUAL_GAP
from labeling.models import Criterion
from labeling.taxonomies import TAXONOMIES

Kind = Criterion.Kind
NAMES = {
    Kind.PREFERENCE: _("Preference between the two"),
    Kind.RATING: _("Rating of each response"),
    Kind.SAFETY: _("Safe or unsafe, each response"),
    Kind.REASONS: _("Reasons to choose from"),
    Kind.TEXT: _("Text to write"),
}
SHORT = forms.TextInput
NUMBER = forms.NumberInput


class Lines(forms.CharField):
    """Short texts, one a line, as a list."""

    def __init__(self, rows: int, **kwargs: Any) -> None:
        area = forms.Textarea(attrs={"rows": rows, "dir": "auto"})
        super().__init__(required=False, max_length=20_000, widget=area, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        return list(dict.fromkeys(line for row in str(super().clean(value)).splitlines() if (line := row.strip())))


def _fields() -> dict[str, forms.Field]:
    """Every field of every kind, fresh, by the name it has on the model."""
    box = forms.BooleanField
    return {
        "name": forms.CharField(max_length=80, label=_("Name"), help_text=_("As raters see it above the answers.")),
        "question": forms.CharField(required=False, max_length=300, label=_("Question"), widget=SHORT),
        "better_word": forms.CharField(
            required=False, max_length=40, label=_("Word for better"), help_text=_("As in “A is clearly …”: safer.")
        ),
        "strengths": forms.IntegerField(min_value=1, max_value=4, initial=3, label=_("Grades a side")),
        "allow_tie": box(required=False, initial=True, label=_("“About the same” is an answer")),
        "allow_both_bad": box(required=False, label=_("“Neither is acceptable” is an answer")),
        "minimum": forms.IntegerField(min_value=-100, max_value=1000, initial=1, label=_("Lowest rating")),
        "maximum": forms.IntegerField(min_value=-100, max_value=1000, initial=5, label=_("Highest rating")),
        "grades": Lines(
            rows=4, label=_("Words of the grades"),
            help_text=_("One a line, from the weakest or lowest. Empty takes the usual ones."),
        ),
        "taxonomy": forms.ChoiceField(
            required=False, label=_("Taxonomy of harms"),
            choices=[("", _("Our own, written below")), *((one.key, _(one.name)) for one in TAXONOMIES.values())],
        ),
        "categories": Lines(
            rows=6, label=_("Categories"),
            help_text=_("One a line. “Domain › Part” puts a part below its domain. A taxonomy takes their place."),
        ),
        "severities": forms.IntegerField(
            min_value=0, max_value=4, initial=3, label=_("Severities"), help_text=_("0 asks none.")
        ),
        "min_words": forms.IntegerField(min_value=0, max_value=1000, initial=0, label=_("Words at least")),
        "max_words": forms.IntegerField(
            min_value=0, max_value=5000, initial=0, label=_("Words at most"), help_text=_("0 sets no limit.")
        ),
        "asked": forms.ChoiceField(choices=Criterion.Asked.choices, label=_("Asked")),
        "required": box(required=False, label=_("Refuse an answer without it, also from programs")),
        "guideline_section": forms.CharField(
            required=False, max_length=120, label=_("Section of the guideline"),
            help_text=_("Heading that explains it. Empty looks for its name."),
        ),
    }  # fmt: skip


class CriterionForm(forms.Form):
    """The fields of one kind, in the order in which one thinks of them; a new question also gets its key."""

    def __init__(self, kind: str, criterion: Criterion | None = None, data: Any = None) -> None:
        names = fields_of(kind)
        super().__init__(data, initial={name: getattr(criterion, name) for name in names} if criterion else None)
        if criterion is None:
            self.fields["key"] = forms.CharField(
                max_length=40, label=_("Key"),
                help_text=_("Its name in data: small letters, digits, hyphens, underscores. It stays."),
                widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
            )  # fmt: skip
        self.fields |= {name: field for name, field in _fields().items() if name in names}
        if kind == Kind.REASONS:
            self.fields["categories"].label = _("Reasons")
            self.fields["categories"].help_text = _("One a line. The first ten get a key.")
        if kind != Kind.PREFERENCE:
            never = (Criterion.Asked.ALWAYS, Criterion.Asked.NEVER)
            self.fields["asked"].choices = [(one.value, one.label) for one in never]  # type: ignore[attr-defined]


class HintsForm(forms.Form):
    """Each rule on or off, with its number where it has one."""

    preferred_unsafe = forms.BooleanField(
        required=False, label=_("The preferred response is marked unsafe, the other one safe")
    )
    far_from_ratings = forms.BooleanField(required=False, label=_("The preference is far from the ratings"))
    gap = forms.IntegerField(
        min_value=1, max_value=4, initial=USUAL_GAP,
        label=_("“The same” is far when the ratings lie apart by"), help_text=_("Grades, of five."),
    )  # fmt: skip
    neither_but_rated = forms.BooleanField(required=False, label=_("Neither is acceptable, but one is rated high"))
    at = forms.IntegerField(min_value=-100, max_value=1000, initial=USUAL_AT, label=_("High is a rating from"))

    @staticmethod
    def of(hints: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """What is set now, as the form's initial values."""
        return {key: value for rule in hints for key, value in ({rule["rule"]: True} | rule).items() if key != "rule"}

    def rules(self) -> list[dict[str, Any]]:
        typed = self.cleaned_data
        made: list[dict[str, Any]] = [
            {"rule": "preferred_unsafe"},
            {"rule": "far_from_ratings", "gap": typed["gap"]},
            {"rule": "neither_but_rated", "at": typed["at"]},
        ]
        return [rule for rule in made if typed[rule["rule"]]]


class RationaleForm(forms.Form):
    """When a reason in own words is asked for; nowhere ticked, there is no box for one."""

    when = forms.MultipleChoiceField(
        required=False, label=_("Asked for"), widget=forms.CheckboxSelectMultiple,
        choices=[
            (ALWAYS, _("always")), (CONFLICT, _("when preferences point different ways")),
            (SEVERE, _("when a harm is severe")), (SAMPLE, _("on a share of the comparisons")),
        ],
    )  # fmt: skip
    percent = forms.IntegerField(min_value=0, max_value=100, label=_("That share, in percent"))
    required = forms.BooleanField(required=False, label=_("Refuse an answer without it"))
    min_words = forms.IntegerField(min_value=0, max_value=1000, label=_("Words at least"))
    max_words = forms.IntegerField(
        min_value=0, max_value=2000, label=_("Words at most"), help_text=_("0 sets no limit.")
    )
