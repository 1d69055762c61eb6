"""The forms of a project's pages: they check what was typed and hand it to the verbs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from labeling.actions.refusals import Refused
from labeling.models import Membership, User
from labeling.presets import PRESETS, USUAL

LONGEST_REVISING_DAYS = 3650


class NewProjectForm(forms.Form):
    name = forms.CharField(max_length=120, label=_("Name"))
    slug = forms.CharField(
        max_length=60, label=_("Short name"),
        help_text=_("For addresses: small letters, digits and hyphens. It stays."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )  # fmt: skip
    description = forms.CharField(
        required=False, max_length=2000, label=_("Description"), widget=forms.Textarea(attrs={"rows": 3})
    )
    preset = forms.ChoiceField(
        required=False, label=_("Questions to start from"), choices=[(one.key, one.name) for one in PRESETS.values()]
    )

    def clean_preset(self) -> str:
        return str(self.cleaned_data["preset"]) or USUAL


class ProjectForm(forms.Form):
    name = forms.CharField(max_length=120, label=_("Name"))
    description = forms.CharField(
        required=False, max_length=2000, label=_("Description"), widget=forms.Textarea(attrs={"rows": 3})
    )
    revise_days = forms.FloatField(
        min_value=0, max_value=LONGEST_REVISING_DAYS, label=_("Days in which an answer may be changed"),
        help_text=_("Counted from the first answer; 0 forbids it. Earlier answers are kept beside the changed one."),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip


class MemberForm(forms.Form):
    email = forms.EmailField(
        max_length=254, label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(label=_("Role"), choices=Membership.Role.choices)


class InviteForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"), choices=Membership.Role.choices)
    email = forms.EmailField(
        required=False, max_length=254, label=_("Only for this address"),
        help_text=_("Leave it empty for a link that works for whoever opens it first."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip


class JoinForm(forms.Form):
    name = forms.CharField(max_length=120, label=_("Your name"), widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        max_length=254, label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        max_length=1000, strip=False, label=_("Password"),
        help_text=_("At least 12 characters. A sentence you can remember is good."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        typed = dict(super().clean() or {})
        if password := typed.get("password"):
            try:
                validate_password(password, User(email=typed.get("email", ""), name=typed.get("name", "")))
            except forms.ValidationError as weak:
                self.add_error("password", weak)
        return typed


class GuidelineForm(forms.Form):
    text = forms.CharField(
        max_length=200_000, strip=False, label=_("Text"),
        help_text=_("Markdown. Number the sentences that decide, 1. 2. 3.: raters can cite them."),
        widget=forms.Textarea(attrs={"rows": 24, "class": "mono", "spellcheck": "true"}),
    )  # fmt: skip
    change_note = forms.CharField(
        required=False, max_length=300, label=_("What changed"), help_text=_("Raters read this before they go on.")
    )


def add_refusal(form: forms.Form, refused: Refused) -> None:
    """Say why a verb would not, at the field that it names."""
    field = next((name for name in refused.errors if name in form.fields), None)
    form.add_error(field, refused.message)
