"""The forms by which a manager arranges how raters come in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.actions.consent import LONGEST
from labeling.actions.crowd_entry import MOST_PAIRS
from labeling.actions.lessons import LAST_POSITION, LONGEST_EXPLANATION
from labeling.models import CrowdLink, Project, Queue


class EntryRulesForm(forms.Form):
    pass_percent = forms.IntegerField(
        min_value=0, max_value=100, label=_("Right answers that qualify, in percent"),
        help_text=_("Of all known answers in the qualification."),
    )  # fmt: skip
    attempts = forms.IntegerField(min_value=1, max_value=100, label=_("Tries a person has"))


class ConsentForm(forms.Form):
    text = forms.CharField(
        max_length=LONGEST, strip=False, label=_("Text"),
        help_text=_("Markdown. Say what is done with the answers, what raters will see, and whom they can ask."),
        widget=forms.Textarea(attrs={"rows": 20, "class": "mono", "spellcheck": "true"}),
    )  # fmt: skip


class LessonForm(forms.Form):
    """What goes with the known answers of a lesson; `principles` are those of the guideline."""

    explanation = forms.CharField(
        required=False, max_length=LONGEST_EXPLANATION, label=_("Why this is right"),
        help_text=_("Shown after a practice answer."), widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
    )  # fmt: skip
    principle = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, label=_("Principle that decides"))
    position = forms.IntegerField(min_value=0, max_value=LAST_POSITION, label=_("Place among the lessons"))

    def __init__(self, *args: Any, principles: list[dict[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["principle"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [("", _("None")), *((one["number"], _short(one)) for one in principles)]


class CrowdLinkForm(forms.Form):
    name = forms.CharField(max_length=120, label=_("Name"), help_text=_("For you, such as “Pilot, 20 workers”."))
    platform = forms.ChoiceField(choices=CrowdLink.Platform.choices, label=_("Platform"))
    queue = forms.ModelChoiceField(queryset=Queue.objects.none(), empty_label=None, label=_("Queue"))
    pairs_wanted = forms.IntegerField(
        min_value=1, max_value=MOST_PAIRS, initial=20, label=_("Pairs a worker"),
        help_text=_("After these the completion code is shown."),
    )  # fmt: skip
    completion_code = forms.CharField(
        required=False, max_length=60, label=_("Completion code"),
        help_text=_("Paste the platform’s own; empty draws one for you."),
    )  # fmt: skip
    screened_code = forms.CharField(
        required=False, max_length=60, label=_("Screened-out code"),
        help_text=_("Shown to who does not consent or does not qualify. Empty shows none."),
    )  # fmt: skip
    expires_at = forms.DateTimeField(
        required=False, label=_("Open until (UTC)"), help_text=_("Empty: until you close it. Who is in may finish."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )  # fmt: skip

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["queue"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = project.queues.order_by("pk")


def _short(principle: dict[str, Any]) -> str:
    text = str(principle["text"])
    return f"{principle['number']}. {text[:90]}{'…' if len(text) > 90 else ''}"
