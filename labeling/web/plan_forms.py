"""What a plan of a study asks for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.actions.plans import CROWDS, MEASURED, NUMBERS, OVERLAPS, SURES

_CROWDS = {
    "trained": _("Trained: from 75 to 97 in 100 right, no spam"),
    "mixed": _("Mixed: from 60 to 95 in 100 right, 5% answer anything"),
    "open": _("Open crowd: as mixed, and 15% answer anything"),
    MEASURED: _("As measured in this project"),
}


def _number(label: Any, name: str, *, step: str = "1", scale: float = 1, help_text: Any = "") -> forms.FloatField:
    least, most = (limit * scale for limit in NUMBERS[name])
    widget = forms.NumberInput(attrs={"class": "input", "step": step})
    return forms.FloatField(label=label, min_value=least, max_value=most, widget=widget, help_text=help_text)


class PlanForm(forms.Form):
    """Numbers as people say them; `asked` is how the verb takes them."""

    name = forms.CharField(label=_("Name"), max_length=120, widget=forms.TextInput(attrs={"class": "input"}))
    pairs = _number(_("Pairs"), "pairs")
    raters = _number(_("Raters"), "raters")
    crowd = forms.ChoiceField(label=_("How good they are"), widget=forms.Select(attrs={"class": "input"}))
    overlaps = forms.TypedMultipleChoiceField(
        label=_("The same number of raters for every pair"), choices=[(n, str(n)) for n in OVERLAPS], coerce=int,
        required=False, widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    third = forms.BooleanField(label=_("Two raters, and a third when they disagree"), required=False)
    sures = forms.TypedMultipleChoiceField(
        label=_("As many as it takes to be so sure"), choices=[(n, f"{n:.0%}") for n in SURES], coerce=float,
        required=False, widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    trusted = forms.BooleanField(
        label=_("And the same, where one clear answer of a reliable rater may be enough"), required=False
    )
    most = _number(_("Most raters a pair, when it adapts"), "most")
    seconds = _number(_("Seconds a judgment"), "seconds")
    price = _number(_("Price of an hour"), "price", step="0.01", help_text=_("In any currency; 0 leaves money out."))
    gold_percent = _number(_("Known answers mixed in, in percent"), "gold_percent")
    hours_a_day = _number(_("Hours a rater works a day"), "hours_a_day", step="0.1")
    wished = _number(
        _("Right labels you wish for, in percent"), "wished", step="0.1", scale=100,
        help_text=_("Of pairs that have a better side."),
    )  # fmt: skip

    def __init__(self, data: Any, *, initial: dict[str, Any], measured: bool) -> None:
        super().__init__(data, initial=initial)
        offered = [name for name in (*CROWDS, MEASURED) if measured or name != MEASURED]
        self.fields["crowd"].choices = [(name, _CROWDS[name]) for name in offered]  # type: ignore[attr-defined]

    def asked(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        del given["name"]
        for name in ("pairs", "raters", "most", "gold_percent"):
            given[name] = round(given[name])
        given["wished"] = round(given["wished"] / 100, 5)
        return given
