"""What people change about themselves."""

from __future__ import annotations

from django.db import transaction

from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import User

LONGEST_NAME = 120


@transaction.atomic
def change_account(*, user: User, name: str, theme: str) -> User:
    """The person's name, as others see it, and the colours of their pages."""
    name = " ".join(name.split())
    errors = {}
    if len(name) > LONGEST_NAME or "\0" in name:
        errors["name"] = f"A name has at most {LONGEST_NAME} characters."
    if theme not in User.Theme.values:
        errors["theme"] = f"One of: {', '.join(User.Theme.values)}."
    if errors:
        raise Refused("invalid", " ".join(errors.values()), errors)
    user.name, user.theme = name, theme
    user.save(update_fields=["name", "theme"])
    record(user, "account.changed", user, project_id=None)
    return user


@transaction.atomic
def set_password(*, user: User, password: str, how: str) -> None:
    """A new password, already checked against the rules. `how`: "changed" knowing the old one, or "reset" by mail."""
    user.set_password(password)
    user.save(update_fields=["password"])
    record(user, f"password.{how}", user, project_id=None)
