"""The forms of the account pages: they check what was typed and hand it to the verbs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, PasswordResetForm, SetPasswordForm
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from labeling.actions.account import LONGEST_NAME, set_password
from labeling.actions.people import LONGEST_TOKEN_DAYS
from labeling.models import User
from labeling.models.users import normal_email

# The same words whoever it was and whatever was wrong: a stranger learns nothing about who has an account.
NO_MATCH = _("That address and password do not go together. Check both; capital letters count in the password.")


class SignInForm(AuthenticationForm):
    error_messages = dict.fromkeys(["invalid_login", "inactive"], NO_MATCH)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail address")
        self.fields["username"].widget.attrs |= {"type": "email", "autocomplete": "username"}


class ForgottenPasswordForm(PasswordResetForm):
    def get_users(self, email: str) -> Iterable[User]:
        """Also people who never had a password: this is how they get their first one. External raters never sign in;
        crowd workers do so through their link only.
        """
        found = User.objects.filter(email=normal_email(email), is_active=True, is_external=False)
        return [user for user in found if not user.is_crowd]

    def send_mail(
        self, subject_template_name: str, email_template_name: str, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> None:
        """In the language of whom it goes to, where they chose one; else in that of the page it was asked on."""
        with translation.override(context["user"].language or translation.get_language()):
            super().send_mail(subject_template_name, email_template_name, context, *args, **kwargs)


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    def save(self, commit: bool = True) -> User:
        set_password(user=self.user, password=self.cleaned_data["new_password1"], how="reset")
        user: User = self.user
        return user


class ChangePasswordForm(PasswordChangeForm):
    def save(self, commit: bool = True) -> User:
        set_password(user=self.user, password=self.cleaned_data["new_password1"], how="changed")
        return self.user


class AccountForm(forms.Form):
    name = forms.CharField(
        required=False, max_length=LONGEST_NAME, label=_("Your name"),
        help_text=_("As others in your projects see it."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    theme = forms.ChoiceField(label=_("Colours"), choices=User.Theme.choices, widget=forms.RadioSelect)


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=80, label=_("What is it for?"), help_text=_("So that you know later which one to revoke.")
    )
    days = forms.IntegerField(
        label=_("Days it lasts"), min_value=1, max_value=LONGEST_TOKEN_DAYS, initial=90, widget=forms.NumberInput
    )
