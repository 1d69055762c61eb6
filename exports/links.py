"""Links that give a snapshot's files to whoever has them: made, counted, revoked, over with their maker's right."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from exports.access import check_open
from exports.models import DownloadLink, Export
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import User
from labeling.models.users import digest

LONGEST_DAYS = 90
MOST_LINKS = 50


@transaction.atomic
def make_link(*, export: Export, by: User, days: int = 7, note: str = "") -> tuple[DownloadLink, str]:
    """A link to a finished export, and the secret of its address, which is stored only as a digest."""
    if export.state != Export.State.DONE:
        raise Refused("not_ready", _("Only a finished export has files to share."))
    check_open(export)
    if not 1 <= days <= LONGEST_DAYS:
        said = _("A link lasts from 1 to %(most)s days.") % {"most": LONGEST_DAYS}
        raise Refused("invalid", said, {"days": said})
    if export.links.filter(revoked_at=None, expires_at__gt=timezone.now()).count() >= MOST_LINKS:
        raise Refused("too_many", _("There are %(most)s open links. Revoke some first.") % {"most": MOST_LINKS})
    secret = secrets.token_urlsafe(32)
    link = DownloadLink.objects.create(
        export=export, token_digest=digest(secret), note=" ".join(note.split())[:120], created_by=by,
        expires_at=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    record(by, "link.made", link, project_id=export.project_id, export=export.pk, days=days)
    return link, secret


@transaction.atomic
def revoke_link(*, link: DownloadLink, by: User) -> None:
    if DownloadLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(by, "link.revoked", link, project_id=link.export.project_id, export=link.export_id)


@transaction.atomic
def count_use(*, link: DownloadLink, path: str) -> None:
    """One download through the link, from its beginning on. Nobody in particular does it: a link has no person."""
    DownloadLink.objects.filter(pk=link.pk).update(uses=F("uses") + 1, last_used_at=timezone.now())
    record(None, "link.used", link, project_id=link.export.project_id, export=link.export_id, path=path)
