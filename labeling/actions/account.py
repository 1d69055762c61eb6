"""What people change about themselves."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

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
        errors["name"] = _("A name has at most %(most)s characters.") % {"most": LONGEST_NAME}
    if theme not in User.Theme.values:
        errors["theme"] = _("One of: %(choices)s.") % {"choices": ", ".join(User.Theme.values)}
    if errors:
        raise Refused("invalid", " ".join(errors.values()), errors)
    user.name, user.theme = name, theme
    user.save(update_fields=["name", "theme"])
    record(user, "account.changed", user, project_id=None)
    return user


@transaction.atomic
def change_language(*, user: User, language: str) -> User:
    """The language of the person's pages and mail; empty leaves it to each of their browsers."""
    choices = ["", *dict(settings.LANGUAGES)]
    if language not in choices:
        message = _("One of: %(choices)s.") % {"choices": ", ".join(choices[1:])}
        raise Refused("invalid", message, {"language": message})
    user.language = language
    user.save(update_fields=["language"])
    record(user, "account.changed", user, project_id=None)
    return user


@transaction.atomic
def set_password(*, user: User, password: str, how: str) -> None:
    """A new password, already checked against the rules. `how`: "changed" knowing the old one, or "reset" by mail."""
    user.set_password(password)
    user.save(update_fields=["password"])
    record(user, f"password.{how}", user, project_id=None)
