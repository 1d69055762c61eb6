"""What raters agree to before they work: publishing it, agreeing, and taking it back."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.assign import release
from labeling.actions.crowd_entry import screen
from labeling.actions.refusals import Refused
from labeling.actions.withdrawals import withdraw_for_consent
from labeling.audit import record
from labeling.models import Assignment, ConsentText, Membership, Participation, Project, User
from labeling.rendering import render

LONGEST = 50_000


def current_consent(project: Project) -> ConsentText | None:
    """The newest text, or None where nothing is asked: there is none, or its asking was ended."""
    newest = project.consent_texts.order_by("-version").first()
    return newest if newest is not None and newest.text else None


@transaction.atomic
def publish_consent(*, project: Project, by: User | None, text: str) -> ConsentText:
    """A new version. From now on nobody gets a new pair before agreeing to it; what is open stays open."""
    text = text.replace("\r\n", "\n")
    if not text.strip():
        raise Refused("invalid", _("A consent text needs some text."), {"text": "empty"})
    if len(text) > LONGEST or "\0" in text:
        raise Refused("invalid", _("A consent text has at most 50,000 characters and no NUL."), {"text": "too long"})
    return _next_version(project, by, text)


@transaction.atomic
def stop_asking_consent(*, project: Project, by: User | None) -> ConsentText:
    """Ask for no consent any more. It is a version of its own, without text; what people agreed to stays on record."""
    return _next_version(project, by, "")


@transaction.atomic
def give_consent(*, project: Project, user: User, version: int) -> Participation:
    """The person agrees to the version they have read, which must still be the current one."""
    asked = current_consent(project)
    if asked is None or asked.version != version:
        raise Refused("consent_changed", _("The text has changed since you opened it. Please read the new one."))
    agreed = {"consent": asked, "consented_at": timezone.now()}
    mine, _made = Participation.objects.update_or_create(project=project, user=user, defaults=agreed)
    record(user, "consent.given", mine, project_id=project.pk, version=version)
    return mine


@transaction.atomic
def decline_consent(*, project: Project, user: User) -> None:
    """Nothing is stored of a person who says no; a crowd worker's entry notes that they were screened out."""
    screen(project=project, user=user)


@transaction.atomic
def withdraw_consent(*, project: Project, user: User) -> None:
    """Take consent back: the person leaves the project as a rater, and what they hold goes to others.

    What they judged is in no dataset made from now on, and files that hold it close. A new invitation begins with the
    consent again; what they judge then counts.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    mine = Participation.objects.select_for_update().filter(project=project, user=user, consented_at__isnull=False)
    for one in mine:
        one.consent, one.consented_at = None, None
        one.save(update_fields=["consent", "consented_at"])
        record(user, "consent.withdrawn", one, project_id=project.pk)
    held = Assignment.objects.filter(project=project, rater=user, state=Assignment.State.OPEN)
    for assignment in held.order_by("pk"):
        release(assignment=assignment, rater=user)
    Membership.objects.filter(project=project, user=user, role=Membership.Role.RATER).delete()
    withdraw_for_consent(project=project, rater=user)
    screen(project=project, user=user)


def _next_version(project: Project, by: User | None, text: str) -> ConsentText:
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    newest = project.consent_texts.order_by("-version").first()
    if (newest.text if newest else "") == text:
        raise Refused("unchanged", _("Nothing has changed, so there is nothing to publish."))
    html = render(text).html if text else ""
    version = newest.version + 1 if newest else 1
    made = ConsentText.objects.create(project=project, version=version, text=text, html=html, author=by)
    record(by, "consent.published" if text else "consent.ended", made, project_id=project.pk, version=version)
    return made
