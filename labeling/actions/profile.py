"""What people say about themselves: the languages they read, and demographics for as long as they agree to that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import RaterProfile, User
from labeling.models.entry import DEMOGRAPHICS

LONGEST_ANSWER, MOST_LANGUAGES = 80, 50


@transaction.atomic
def change_languages(*, user: User, languages: Iterable[str]) -> RaterProfile:
    """The languages that this person reads fluently, as BCP 47 tags."""
    chosen = list(dict.fromkeys(languages))
    if len(chosen) > MOST_LANGUAGES or any(not tag or len(tag) > 35 for tag in chosen):
        raise Refused("invalid", _("Choose languages from the list."), {"languages": "not understood"})
    profile, _made = RaterProfile.objects.update_or_create(user=user, defaults={"languages": chosen})
    record(user, "profile.changed", profile, project_id=None)
    return profile


@transaction.atomic
def change_demographics(*, user: User, answers: Mapping[str, str], consent: bool) -> RaterProfile:
    """Keep what this person says about themselves, while they agree to that; without consent, delete all of it."""
    told = {name: " ".join(answers.get(name, "").split()) for name in DEMOGRAPHICS}
    told = {name: text for name, text in told.items() if text}
    if too_long := [name for name, text in told.items() if len(text) > LONGEST_ANSWER or "\0" in text]:
        raise Refused("invalid", _("That is too long."), dict.fromkeys(too_long, _("At most 80 characters.")))
    if told and not consent:
        message = _("Tick that you agree, or leave these empty: without your consent nothing of this is kept.")
        raise Refused("consent_missing", message, {"consent": message})
    profile, _made = RaterProfile.objects.get_or_create(user=user)
    profile.demographics = told
    profile.demographics_consent_at = (profile.demographics_consent_at or timezone.now()) if consent else None
    profile.save(update_fields=["demographics", "demographics_consent_at"])
    record(user, "demographics.kept" if consent else "demographics.deleted", profile, project_id=None)
    return profile
