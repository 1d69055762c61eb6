"""The forms of the account pages: they check what was typed and hand it to the verbs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, PasswordResetForm, SetPasswordForm

from labeling.actions.account import LONGEST_NAME, set_password
from labeling.actions.people import LONGEST_TOKEN_DAYS
from labeling.models import User
from labeling.models.users import normal_email

# The same words whoever it was and whatever was wrong: a stranger learns nothing about who has an account.
NO_MATCH = "That address and password do not go together. Check both; capital letters count in the password."


class SignInForm(AuthenticationForm):
    error_messages = dict.fromkeys(["invalid_login", "inactive"], NO_MATCH)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address"
        self.fields["username"].widget.attrs |= {"type": "email", "autocomplete": "username"}


class ForgottenPasswordForm(PasswordResetForm):
    def get_users(self, email: str) -> Iterable[User]:
        """Also people who never had a password: this is how they get their first one. External raters never sign in;
        crowd workers do so through their link only.
        """
        found = User.objects.filter(email=normal_email(email), is_active=True, is_external=False)
        return [user for user in found if not user.is_crowd]


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
        required=False, max_length=LONGEST_NAME, help_text="As others in your projects see it.",
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    theme = forms.ChoiceField(label="Colours", choices=User.Theme.choices, widget=forms.RadioSelect)


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=80, label="What is it for?", help_text="So that you know later which one to revoke."
    )
    days = forms.IntegerField(
        label="Days it lasts", min_value=1, max_value=LONGEST_TOKEN_DAYS, initial=90, widget=forms.NumberInput
    )
