"""The door for workers of crowd platforms: links, entering, and where their work ends.

Whoever has the link can claim any worker id, so an account is bound to the browser that began it: by a random key,
stored as a digest, of which the browser holds the text. Another browser is let in while nothing has been done in the
account, or after a manager released it; letting one in ends the sessions of the one before.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Any

from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.authors import claim_authorship
from labeling.actions.people import add_member
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import (
    Assignment,
    Attempt,
    CrowdEntry,
    CrowdLink,
    Membership,
    Participation,
    Project,
    Queue,
    User,
)
from labeling.models.users import CROWD_DOMAIN, digest
from labeling.reports.crowd_entry import known_worker, unfinished, workers

WORKER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{2,119}", re.ASCII)
MOST_PAIRS = 1000
CODE_SIGNS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that looks like another
_signer = signing.Signer(salt="labeling.crowd", sep=".")


@dataclass(frozen=True, slots=True)
class Entered:
    """`key` is new, for the browser to keep; None where the browser has proved itself."""

    entry: CrowdEntry
    key: str | None


def token_of(link: CrowdLink) -> str:
    """The part of a link's address that nobody can make up."""
    return _signer.sign(str(link.pk))


def link_of(token: str) -> CrowdLink:
    """The link of an address, open or not; Refused("no_such_link") when the signature does not fit."""
    try:
        pk = int(_signer.unsign(token))
    except (signing.BadSignature, ValueError):
        pk = 0
    found = CrowdLink.objects.select_related("project", "queue__project").filter(pk=pk).first()
    if found is None:
        raise Refused("no_such_link", _("This address is not complete, or was never one of ours."))
    return found


@transaction.atomic
def make_link(
    *,
    project: Project,
    queue: Queue,
    by: User,
    platform: str,
    name: str,
    pairs_wanted: int,
    completion_code: str = "",
    screened_code: str = "",
    expires_at: datetime | None = None,
) -> CrowdLink:
    """A door into one queue. Without a completion code one is drawn."""
    errors = {}
    if queue.project_id != project.pk:
        errors["queue"] = _("Choose a queue of this project.")
    if platform not in CrowdLink.Platform.values:
        errors["platform"] = _("Choose one of the platforms.")
    if not 1 <= pairs_wanted <= MOST_PAIRS:
        errors["pairs_wanted"] = _("From 1 to %(most)s pairs.") % {"most": MOST_PAIRS}
    if expires_at is not None and expires_at <= timezone.now():
        errors["expires_at"] = _("This time is past.")
    if completion_code and completion_code == screened_code:
        errors["screened_code"] = _("Take another code than for those who finish.")
    if errors:
        raise Refused("invalid", " ".join(errors.values()), errors)
    link = CrowdLink.objects.create(
        project=project, queue=queue, platform=platform, name=name.strip()[:120], pairs_wanted=pairs_wanted,
        completion_code=completion_code.strip() or _code(), screened_code=screened_code.strip(), expires_at=expires_at,
        created_by=by,
    )  # fmt: skip
    record(by, "crowd_link.made", link, project_id=project.pk, name=link.name, platform=platform)
    return link


@transaction.atomic
def close_link(*, link: CrowdLink, by: User) -> None:
    """Let nobody new in. Who is in may finish."""
    if CrowdLink.objects.filter(pk=link.pk, closed_at=None).update(closed_at=timezone.now()):
        record(by, "crowd_link.closed", link, project_id=link.project_id, name=link.name)


@transaction.atomic
def enter(
    *,
    link: CrowdLink,
    worker_id: str,
    study_id: str = "",
    session_id: str = "",
    key: str = "",
    signed_in: User | None = None,
) -> Entered:
    """A worker comes in, the first time or again. `key` is what the browser kept, `signed_in` who sits at it.

    The same worker through another link of the project is the same account. Refused: "worker_id", "link_closed",
    "entered_elsewhere", "entry_over".
    """
    check_worker_id(worker_id)
    project = Project.objects.select_for_update(no_key=True).get(pk=link.project_id)
    known = known_worker(project, link, worker_id)
    own = CrowdEntry.objects.filter(link=link, worker_id=worker_id).first() if known else None
    if own is None and not link.is_open:
        raise Refused("link_closed", _("This study takes nobody new any more."))
    if known is None:
        user, proved = _new_account(link, project), False
    else:
        user, proved = known.user, _proves(known.user, key, signed_in)
        _check_known(user, project, own, proved)
    entry = own or _new_entry(link, user, worker_id, _plain(study_id), _plain(session_id))
    if own is None:
        record(user, "crowd.entered", entry, project_id=project.pk, name=link.name)
    return Entered(entry, _bind(user, key, rebound=known is not None and not proved))


@transaction.atomic
def release_worker(*, entry: CrowdEntry, by: User) -> None:
    """Let the worker come back with another browser, once: whoever opens the link next with this id."""
    CrowdEntry.objects.filter(user=entry.user_id).update(key_digest="")
    record(by, "crowd.released", entry, project_id=entry.link.project_id, user=entry.user_id)


def has_room(*, queue: Queue, rater: User) -> bool:
    """Whether a worker's link asks for more pairs of this queue. Two queries."""
    entry = unfinished(rater, queue)
    return entry is not None and not workers([entry])[0].has_enough


def finish(*, queue: Queue, rater: User) -> None:
    """The worker has judged what was wanted, or nothing is left: from now on the completion code is shown.

    Runs in the transaction that found out.
    """
    entry = unfinished(rater, queue)
    if entry is not None:
        CrowdEntry.objects.filter(pk=entry.pk).update(finished_at=Now())
        record(rater, "crowd.finished", entry, project_id=queue.project_id)


def screen(*, project: Project, user: User) -> None:
    """A crowd worker who does not go on, or may not: the screened-out code is shown. Nothing happens to others."""
    if not user.is_crowd:
        return
    for entry in CrowdEntry.objects.filter(user=user, link__project=project, finished_at=None, screened_at=None):
        CrowdEntry.objects.filter(pk=entry.pk).update(screened_at=Now())
        record(user, "crowd.screened", entry, project_id=project.pk)


def check_worker_id(worker_id: str) -> None:
    if not WORKER_ID.fullmatch(worker_id):
        raise Refused(
            "worker_id",
            _("The platform did not send who you are. Open the study from the platform’s own page, not from a copy."),
            {"worker_id": "missing or odd"},
        )


def _new_account(link: CrowdLink, project: Project) -> User:
    """An account that no password opens, under an address that no mail reaches."""
    made = secrets.token_hex(16)
    user = User.objects.create_user(f"{made}@{CROWD_DOMAIN}", None, name=f"Worker {made[:4].upper()}")
    add_member(project=project, user=user, role=Membership.Role.RATER, by=link.created_by)
    return user


def _new_entry(link: CrowdLink, user: User, worker_id: str, study_id: str, session_id: str) -> CrowdEntry:
    """By the database's clock, as the end of an assignment is: what was judged for which entry is told by time."""
    made = CrowdEntry.objects.create(
        link=link, user=user, worker_id=worker_id, study_id=study_id, session_id=session_id, entered_at=Now()
    )
    made.refresh_from_db(fields=["entered_at"])
    claim_authorship(project_id=link.project_id, user_id=user.pk, name=worker_id)
    return made


def _check_known(user: User, project: Project, own: CrowdEntry | None, proved: bool) -> None:
    if not proved and _bound(user) and _has_worked(user):
        raise Refused(
            "entered_elsewhere",
            _("This worker id has begun in another browser. Go on there, or ask the researcher to let you in again."),
        )
    over = own is not None and (own.finished_at or own.screened_at)
    member = Membership.objects.filter(project=project, user=user, role=Membership.Role.RATER)
    if not user.is_active or not (over or member.exists()):
        raise Refused("entry_over", _("You have left this study, or were taken out of it, and cannot come in again."))


def _proves(user: User, key: str, signed_in: User | None) -> bool:
    if signed_in is not None and signed_in.pk == user.pk:
        return True
    digests = CrowdEntry.objects.filter(user=user).exclude(key_digest="").values_list("key_digest", flat=True)
    return bool(key) and any(compare_digest(stored, digest(key)) for stored in digests)


def _bound(user: User) -> bool:
    return CrowdEntry.objects.filter(user=user).exclude(key_digest="").exists()


def _has_worked(user: User) -> bool:
    done: list[QuerySet[Any]] = [
        Assignment.objects.filter(rater=user),
        Attempt.objects.filter(user=user),
        Participation.objects.filter(user=user),
        CrowdEntry.objects.filter(user=user, screened_at__isnull=False),
    ]
    return any(rows.exists() for rows in done)


def _bind(user: User, key: str, *, rebound: bool) -> str | None:
    """Bind every entry of the account to this browser's key, or to a new one, which is returned."""
    entries = CrowdEntry.objects.filter(user=user)
    if key and entries.filter(key_digest=digest(key)).exists():
        entries.update(key_digest=digest(key))
        return None
    made = secrets.token_urlsafe(32)
    entries.update(key_digest=digest(made))
    if rebound:  # a new unusable password ends every session that began under the old one
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return made


def _plain(identifier: str) -> str:
    """A study's or session's id as the platform sends it, only for the manager's list; what is none is left out."""
    return identifier if WORKER_ID.fullmatch(identifier) else ""


def _code() -> str:
    return "".join(secrets.choice(CODE_SIGNS) for _place in range(8))
