"""The forms of known answers, disputes and of what a manager decides about a rater."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.actions.checks import LONGEST_WHY
from labeling.actions.disputes import LONGEST
from labeling.actions.withdrawals import LONGEST_NOTE
from labeling.models import Batch, Dispute
from labeling.web.entry_forms import LessonForm


class GoldForm(LessonForm):
    """What goes with known answers that are mixed in."""

    position = None  # type: ignore[assignment]  # what a lesson has and this has not

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["explanation"].help_text = _("Shown to raters whose answer was another one.")


class TakeInForm(forms.Form):
    """Which import's known answers to mix in; all of them where none is chosen."""

    batch = forms.ModelChoiceField(
        queryset=Batch.objects.none(), required=False, label=_("Import"), empty_label=_("All imports")
    )

    def __init__(self, *args: Any, batches: list[Batch], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["batch"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Batch.objects.filter(pk__in=[one.pk for one in batches]).order_by("-created_at")


class AnswerForm(forms.Form):
    """A manager's or adjudicator's answer to a rater who disagrees."""

    answer = forms.CharField(
        max_length=LONGEST, label=_("Your answer"), help_text=_("The rater reads it."),
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )  # fmt: skip
    outcome = forms.ChoiceField(choices=Dispute.Outcome.choices, label=_("Who is right"))


class PauseForm(forms.Form):
    why = forms.CharField(
        required=False, max_length=LONGEST_WHY, label=_("Why, in a sentence"), help_text=_("The rater reads it.")
    )


class SetAsideForm(forms.Form):
    note = forms.CharField(required=False, max_length=LONGEST_NOTE, label=_("Why, for your own records"))
    pause = forms.BooleanField(required=False, initial=True, label=_("Pause them as well, so that they judge no more"))
