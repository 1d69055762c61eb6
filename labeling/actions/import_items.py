"""Files become items: a batch is started once, then read on step by step by whichever worker holds it.

A chunk of rows is one transaction together with the batch's counts, so a killed worker's successor goes on after
the last chunk that was committed: nothing twice, nothing left out. Locks: the project's row, then its queues'.
"""

from __future__ import annotations

import gc
import hashlib
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions import refusals
from labeling.actions.copy_items import copy_items, copy_refusals, render_all
from labeling.actions.keep_images import Album
from labeling.actions.queues import order_after_import
from labeling.actions.webhooks import announce
from labeling.audit import record
from labeling.importers import FORMATS, ItemDraft, ItemFile, Refused, Unreadable
from labeling.models import Batch, LostJob, Pair, Project, User, Webhook

CHUNK_ROWS = 2000
CHUNK_CHARACTERS = 4_000_000
CHUNK_IMAGE_BYTES = 16 * 1024 * 1024
CHUNK_SECONDS = 10.0  # images take so long that so many rows of them would outlast the worker's lease
STEP_SECONDS = 20.0
TOLD_FOR = timedelta(seconds=60)
FOLDER = "imports"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it lies in the storage, under a name of our own making."""

    storage_name: str
    sha256: str
    size: int


@dataclass(slots=True)
class Counts:
    read: int = 0
    kept: int = 0
    duplicate: int = 0
    refused: int = 0


@dataclass(slots=True)
class Chunk:
    drafts: list[ItemDraft] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    characters: int = 0
    image_bytes: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def rows(self) -> int:
        return len(self.drafts) + len(self.refused)

    @property
    def is_full(self) -> bool:
        if self.rows >= CHUNK_ROWS or self.characters >= CHUNK_CHARACTERS or self.image_bytes >= CHUNK_IMAGE_BYTES:
            return True
        return time.monotonic() > self.began + CHUNK_SECONDS

    def add(self, row: ItemDraft | Refused) -> None:
        if isinstance(row, Refused):
            self.refused.append(row)
            return
        self.drafts.append(row)
        self.characters += sum(map(len, row.texts))
        if row.pictures:
            self.image_bytes += sum(len(picture.data) for picture in row.pictures.values())


def store_file(content: File[bytes]) -> StoredFile:
    """Keep a file for an import. A file that the upload already wrote to disk is moved, not copied."""
    digest = hashlib.sha256()
    content.seek(0)
    for block in content.chunks():
        digest.update(block)
    size = content.size
    content.seek(0)
    name = default_storage.save(f"{FOLDER}/{secrets.token_hex(16)}", content)
    return StoredFile(name, digest.hexdigest(), size)


@transaction.atomic
def start_batch(*, project: Project, by: User | None, name: str, stored: StoredFile, format_name: str = "") -> Batch:
    """The batch of a stored file, waiting to be read; starting the same file again returns the same batch.

    `name` is what the sender called the file: shown, and a hint at its container. Without a `format_name` the format
    is guessed by the worker.
    """
    if format_name and format_name not in FORMATS:
        known = ", ".join(FORMATS)
        raise refusals.Refused(
            "unknown_format",
            _("There is no format “%(name)s”.") % {"name": format_name},
            {"format": _("One of: %(choices)s.") % {"choices": known}},
        )
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    found: Batch | None = Batch.objects.filter(project=project, storage_name=stored.storage_name).first()
    if found is not None:
        return found
    batch = Batch.objects.create(
        project=project,
        name=_shown_name(name),
        format=format_name,
        storage_name=stored.storage_name,
        sha256=stored.sha256,
        bytes_total=stored.size,
        created_by=by,
    )
    record(by, "batch.started", batch, project_id=project.pk, name=batch.name, sha256=stored.sha256)
    return batch


def run_step(batch: Batch, *, seconds: float = STEP_SECONDS) -> bool:
    """Read on for about `seconds`. True when there is more to read; a batch that another worker holds is left alone."""
    if not batch.take():
        return False
    try:
        return _read_on(batch, time.monotonic() + seconds)
    except LostJob:
        return False
    except (Unreadable, FileNotFoundError) as error:
        missing = "The file is not in the storage any more; send it again."
        _give_up(batch, missing if isinstance(error, FileNotFoundError) else str(error))
        return False


def batches_to_nudge() -> list[int]:
    """Ids of batches that nobody reads and nobody was told of for a minute; they count as told from now on."""
    now = timezone.now()
    untold = Batch.objects.due().filter(Q(lease_until=None) | Q(lease_until__lt=now))
    ids = list(untold.order_by("id").values_list("pk", flat=True)[:100])
    # Only of a waiting batch: of a running one the time is the lease of its worker, which has to run out.
    Batch.objects.filter(pk__in=ids, state=Batch.State.WAITING).update(lease_until=now + TOLD_FOR)
    return ids


def count_rows(project: Project, source: ItemFile) -> tuple[Counts, list[Refused]]:
    """What an import of this file would do, without doing it, and its first hundred refusals."""
    source.check()
    counts, first, seen = Counts(), list[Refused](), set[bytes]()
    for chunk in _chunks(source.drafts()):
        fresh = _unseen(project.pk, _by_fingerprint(chunk.drafts))
        new = {bytes.fromhex(fingerprint) for fingerprint in fresh} - seen
        seen |= new
        counts.read += chunk.rows
        counts.kept += len(new)
        counts.refused += len(chunk.refused)
        counts.duplicate += len(chunk.drafts) - len(new)
        first += chunk.refused[: 100 - len(first)]
    return counts, first


def forget_uploads(*, older_than: timedelta = timedelta(days=1)) -> int:
    """Delete stored files that were never confirmed as an import. Returns how many."""
    forgotten, before = 0, timezone.now() - older_than
    try:
        names = [f"{FOLDER}/{name}" for name in default_storage.listdir(FOLDER)[1]]
    except FileNotFoundError:  # on a disk, until the first upload; object storage has no folders
        return 0
    used = set(Batch.objects.filter(storage_name__in=names).values_list("storage_name", flat=True))
    for name in names:
        if name not in used and default_storage.get_modified_time(name) < before:
            default_storage.delete(name)
            forgotten += 1
    return forgotten


def _read_on(batch: Batch, end: float) -> bool:
    with default_storage.open(batch.storage_name) as stored:
        source = ItemFile(stored, name=batch.name, format_name=batch.format)
        if not batch.read:
            source.check()
            batch.keep(format=source.format_name)
        with _settled():
            for chunk in _chunks(source.drafts(skip=batch.read)):
                with _uncollected():
                    _store(batch, chunk, source.bytes_read)
                if time.monotonic() > end:
                    batch.keep(state=Batch.State.WAITING, lease_until=timezone.now() + TOLD_FOR)
                    return True
    with transaction.atomic():
        batch.finish(bytes_read=batch.bytes_total)
        order_after_import(project=batch.project)
        record(None, "batch.finished", batch, project_id=batch.project_id, **_counts_of(batch))
        described = {"id": batch.pk, "name": batch.name} | _counts_of(batch)
        announce(batch.project, Webhook.Event.BATCH_IMPORTED, {"batch": described})
    return False


@contextmanager
def _settled() -> Iterator[None]:
    """Whatever there is stays, so that the search for dead cycles, which many new rows set off, need not look at it."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _uncollected() -> Iterator[None]:
    """No such search while a chunk is rendered and stored: its rows are many and hold no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _give_up(batch: Batch, error: str) -> None:
    kept = f" The {batch.read:,} rows before were read." if batch.read else ""
    with transaction.atomic():
        batch.fail(error + kept)
        record(None, "batch.failed", batch, project_id=batch.project_id, error=error, **_counts_of(batch))


def _chunks(rows: Iterable[ItemDraft | Refused]) -> Iterator[Chunk]:
    chunk = Chunk()
    for row in rows:
        chunk.add(row)
        if chunk.is_full:
            yield chunk
            chunk = Chunk()
    if chunk.rows:
        yield chunk


def _by_fingerprint(drafts: Iterable[ItemDraft]) -> dict[str, ItemDraft]:
    """The first draft of each fingerprint."""
    found: dict[str, ItemDraft] = {}
    for draft in drafts:
        found.setdefault(draft.fingerprint, draft)
    return found


def _unseen(project_id: int, drafts: dict[str, ItemDraft]) -> dict[str, ItemDraft]:
    """Those that the project does not have."""
    # One array instead of a thousand parameters, which Django, psycopg and PostgreSQL each go through one by one.
    known = "SELECT fingerprint FROM labeling_item WHERE project_id = %s AND fingerprint = ANY(%s)"
    with connection.cursor() as cursor:
        cursor.execute(known, [project_id, list(drafts)])
        had = {fingerprint for (fingerprint,) in cursor}
    return {fingerprint: draft for fingerprint, draft in drafts.items() if fingerprint not in had} if had else drafts


def _newest(project_id: int) -> int | None:
    """The project's last pair. Ids are drawn under the project's lock, so whatever came in since has a larger one."""
    newest: int | None = Pair.objects.filter(project=project_id).aggregate(Max("pk"))["pk__max"]
    return newest


def _store(batch: Batch, chunk: Chunk, bytes_read: int) -> None:
    """What takes longest needs no lock, so it comes first; if anything came in meanwhile, what is new is looked up
    again under the lock."""
    newest = _newest(batch.project_id)
    fresh = _unseen(batch.project_id, _by_fingerprint(chunk.drafts))
    rendered = render_all(fresh.values())
    album = Album(batch.project_id)
    album.write(fresh.values())
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=batch.project_id)
        new = fresh if _newest(batch.project_id) == newest else _unseen(batch.project_id, fresh)
        copy_items(batch, new, rendered, album.tokens(new.values()))
        copy_refusals(batch, chunk.refused)
        batch.keep(
            read=batch.read + chunk.rows,
            kept=batch.kept + len(new),
            duplicate=batch.duplicate + len(chunk.drafts) - len(new),
            refused=batch.refused + len(chunk.refused),
            bytes_read=bytes_read,
            attempts=0,
        )
    album.discard()


def _shown_name(name: str) -> str:
    """The last 200 printable characters of the sender's name, so that its ending stays."""
    return "".join(sign for sign in name if sign.isprintable())[-200:].strip() or "import"


def _counts_of(batch: Batch) -> dict[str, int]:
    return {"read": batch.read, "kept": batch.kept, "duplicate": batch.duplicate, "refused": batch.refused}
