"""The forms of the care page."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.actions.care import LONGEST_BREAK_MINUTES, LONGEST_SUPPORT, MOST_BREAK_PAIRS
from labeling.actions.topics import KEY, MOST_MINUTES, MOST_PAIRS, USUAL_PAIRS
from labeling.models import Project, Topic

SEVERITIES = ((1, _("1 Mild")), (2, _("2 Serious")), (3, _("3 Severe")))


class CareForm(forms.Form):
    support = forms.CharField(
        required=False, max_length=LONGEST_SUPPORT, label=_("Whom raters can talk to"),
        help_text=_("Names, telephone numbers, addresses, hours: of people, not of machines."),
        widget=forms.Textarea(attrs={"rows": 5}),
    )  # fmt: skip
    break_after_minutes = forms.IntegerField(
        min_value=0, max_value=LONGEST_BREAK_MINUTES, label=_("Offer a break after so many minutes"),
        help_text=_("Of judging, with the pair in view. 0 offers none."),
    )  # fmt: skip
    break_after_pairs = forms.IntegerField(
        min_value=0, max_value=MOST_BREAK_PAIRS, label=_("… or after so many pairs"),
        help_text=_("0 offers none. After a severe pair a break is always offered."),
    )  # fmt: skip

    @classmethod
    def of(cls, project: Project) -> CareForm:
        return cls(initial={name: getattr(project, name) for name in cls.base_fields})


class TopicForm(forms.Form):
    name = forms.CharField(max_length=80, label=_("Name"), help_text=_("As in “This comparison is about …”."))
    description = forms.CharField(
        required=False, max_length=300, label=_("What a rater will meet"), widget=forms.Textarea(attrs={"rows": 2})
    )
    severity = forms.TypedChoiceField(
        choices=SEVERITIES, coerce=int, initial=2, label=_("The worst of it"),
        help_text=_("Raised, it asks everybody anew who chose the topic."),
    )  # fmt: skip
    daily_pairs = forms.IntegerField(
        min_value=1, max_value=MOST_PAIRS, initial=USUAL_PAIRS, label=_("Most pairs a person and day"),
        help_text=_("5 is usual for severe topics."),
    )  # fmt: skip
    daily_minutes = forms.IntegerField(
        min_value=1, max_value=MOST_MINUTES, initial=60, label=_("Most minutes a person and day")
    )

    @classmethod
    def of(cls, topic: Topic) -> TopicForm:
        return cls(initial={name: getattr(topic, name) for name in cls.base_fields}, prefix=f"topic{topic.pk}")


class NewTopicForm(TopicForm):
    key = forms.RegexField(
        regex=KEY, label=_("Tag of the items"),
        help_text=_("All items with this tag belong to the topic, also those of later imports."),
        widget=forms.TextInput(attrs={"list": "known-tags", "autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip
    field_order = ("key", *TopicForm.base_fields)
