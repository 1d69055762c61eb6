"""Snapshots to a hub: asked for, done by a worker, tried again. The token is sealed, and gone when the push is over."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from exports.access import check_open, exports_for
from exports.hub_client import HubRefused, HubTrouble, check_repository, upload
from exports.models import Export, HubPush, HubToken
from exports.naming import snapshot_of
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import LostJob, User
from labeling.models.jobs import MOST_ATTEMPTS
from labeling.sealing import Unsealable, seal, unseal

logger = logging.getLogger(__name__)

PURPOSE = "hub token"
LONGEST_TOKEN = 500
SECONDS_BETWEEN_NOTES = 2
DELAYS = [timedelta(seconds=s) for s in (15, 60, 300, 900)]


@transaction.atomic
def request_push(
    *, export: Export, by: User, repo_id: str, private: bool = True, token: str = "", keep_token: bool = False
) -> HubPush:
    """A push of a finished export to owner/name, with a token for it or the person's kept one; raises Refused.

    Asked for again while it is on its way, it is the one that there is.
    """
    if export.state != Export.State.DONE:
        raise Refused("not_ready", _("Only a finished export has files to push."))
    check_open(export)
    if not check_repository(repo_id):
        said = _("Owner and name with a slash between, of letters, digits, - _ and . only.")
        raise Refused("invalid", said, {"repo_id": said})
    token = token.strip()
    if not token.isascii() or not token.isprintable() or " " in token or len(token) > LONGEST_TOKEN:
        raise Refused("invalid", _("This is no token of a hub."), {"token": _("Not a token.")})
    if token and keep_token:
        HubToken.objects.update_or_create(user=by, defaults={"sealed": seal(token, PURPOSE)})
        record(by, "hub_token.kept", by, project_id=None)
    elif not token and not HubToken.objects.filter(user=by).exists():
        raise Refused("invalid", _("Give a token of the hub that may write."), {"token": _("Needed.")})
    unfinished = [HubPush.State.WAITING, HubPush.State.RUNNING]
    found: HubPush | None = export.pushes.filter(repo_id=repo_id, created_by=by, state__in=unfinished).first()
    if found is not None:
        return found
    push = HubPush.objects.create(
        export=export, repo_id=repo_id, private=private, created_by=by, bytes_total=export.bytes_written,
        sealed_token=seal(token, PURPOSE) if token and not keep_token else "",
    )  # fmt: skip
    record(by, "push.requested", push, project_id=export.project_id, export=export.pk, repo_id=repo_id)
    return push


@transaction.atomic
def forget_token(*, user: User) -> None:
    if HubToken.objects.filter(user=user).delete()[0]:
        record(user, "hub_token.forgotten", user, project_id=None)


def due_pushes() -> list[int]:
    return list(HubPush.objects.filter(pk__in=HubPush.objects.due()).order_by("pk").values_list("pk", flat=True))


def run_push(*, push: HubPush) -> None:
    """One attempt. A worker that lost the job writes nothing more; files that arrived are not sent again."""
    if not push.take():
        return
    try:
        commit = _send(push)
        with transaction.atomic():
            push.finish(commit=commit, bytes_sent=push.bytes_total, error="", sealed_token="")
            about = {"export": push.export_id, "repo_id": push.repo_id, "commit": commit}
            record(None, "push.finished", push, project_id=push.export.project_id, **about)
    except LostJob:
        return
    except (HubRefused, Unsealable) as refused:
        _give_up(push, str(refused))
    except HubTrouble as trouble:
        _set_back(push, str(trouble))
    except Exception as problem:
        logger.exception("push %s, attempt %s", push.pk, push.attempts)
        _set_back(push, f"{type(problem).__name__}: the worker’s log says more.")


def _send(push: HubPush) -> str:
    export = push.export
    if not exports_for(push.created_by).filter(pk=export.pk).exists():
        raise HubRefused("Who asked for it may not reach these files any more.")
    snapshot = snapshot_of(export)
    if snapshot is None:
        raise HubRefused("Nobody may fetch these files any more.")
    return upload(
        repo_id=push.repo_id, token=_token_of(push), private=push.private, files=export.files.all(),
        message=f"{snapshot.repository} {snapshot.version}: {export.rows_written} rows", tag=snapshot.version,
        on_read=_Noting(push),
    )  # fmt: skip


class _Noting:
    """Counts what is read for the hub, and now and then writes it down, which also renews the lease."""

    def __init__(self, push: HubPush) -> None:
        self._push, self._sent, self._noted = push, 0, time.monotonic()

    def __call__(self, size: int) -> None:
        self._sent += size
        if time.monotonic() - self._noted > SECONDS_BETWEEN_NOTES:
            self._noted = time.monotonic()
            self._push.keep(bytes_sent=min(self._sent, self._push.bytes_total))


def _token_of(push: HubPush) -> str:
    if push.sealed_token:
        return unseal(push.sealed_token, PURPOSE)
    kept = HubToken.objects.filter(user=push.created_by_id).first()
    if kept is None:
        raise HubRefused("The token that was kept is gone. Push again with one.")
    return unseal(kept.sealed, PURPOSE)


def _give_up(push: HubPush, reason: str) -> None:
    with suppress(LostJob), transaction.atomic():
        push.fail(reason, sealed_token="")
        record(None, "push.failed", push, project_id=push.export.project_id, export=push.export_id, reason=reason)


def _set_back(push: HubPush, reason: str) -> None:
    """Leave it to a later attempt, or give up when there have been enough."""
    if push.attempts >= MOST_ATTEMPTS:
        _give_up(push, f"Given up after {MOST_ATTEMPTS} attempts. {reason}")
        return
    with suppress(LostJob):
        push.keep(error=reason, lease_until=timezone.now() + DELAYS[push.attempts - 1])
