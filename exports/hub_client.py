"""Files to a repository of a Hugging Face hub, by its own library, through the connections that are checked here.

What can go wrong ends in one of two ways: HubRefused, which trying again will not change, and HubTrouble, which it may.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO

import httpx2
from django.conf import settings
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants, set_client_factory
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.lfs import UploadInfo
from huggingface_hub.utils import disable_progress_bars, validate_repo_id  # type: ignore[attr-defined]

from exports.files import open_part
from exports.models import ExportFile
from labeling import egress

logger = logging.getLogger(__name__)

# Its own protocol for large files goes out by other ways than this client's.
constants.HF_HUB_DISABLE_XET = True
disable_progress_bars()
set_client_factory(partial(egress.client, timeout=30, redirects=True))

SAMPLE = 512
AT_ONCE = 1024 * 1024
WORTH_A_RETRY = {408, 425, 429}
DATASET = "dataset"


class HubRefused(Exception):
    """The hub will not take it; the text says what to do."""


class HubTrouble(Exception):
    """The hub could not take it now."""


class Stored(io.RawIOBase):
    """A stored file as the library reads it; tells how many bytes it gave out, each time some more."""

    def __init__(self, file: ExportFile, on_read: Callable[[int], None]) -> None:
        self._file, self._place, self._on_read = file, 0, on_read
        self._open: IO[bytes] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._file.size}[whence]
        place = max(0, start + offset)
        if place != self._place:
            self.forget()
        self._place = place
        return place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._open is None:
            self._open = open_part(self._file, self._place, self._file.size)
        data = self._open.read(len(buffer))
        if not data:
            self.forget()
        buffer[: len(data)] = data
        self._place += len(data)
        self._on_read(len(data))
        return len(data)

    def forget(self) -> None:
        """Close what is open; reading goes on where it was."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def close(self) -> None:
        self.forget()
        super().close()


def check_repository(repo_id: str) -> bool:
    """Whether `repo_id` is owner/name as a hub spells it."""
    try:
        validate_repo_id(repo_id)
    except HFValidationError:
        return False
    return repo_id.count("/") == 1


def upload(
    *, repo_id: str, token: str, private: bool, files: Iterable[ExportFile], message: str, tag: str,
    on_read: Callable[[int], None],
) -> str:  # fmt: skip
    """Put the files there in one commit, and a tag on it; returns the commit. What is there already is not sent.

    A repository that does not exist is made. Data files of an earlier snapshot that this one does not have are removed:
    a reader would take them for more of the same. Raises HubRefused, HubTrouble, and what `on_read` raises.
    """
    api = HfApi(endpoint=settings.HF_ENDPOINT, token=token, library_name="annotate")
    files = list(files)
    with _in_words(repo_id, token):
        api.create_repo(repo_id, repo_type=DATASET, private=private, exist_ok=True)
        stale = {path for path in api.list_repo_files(repo_id, repo_type=DATASET) if path.startswith("data/")}
        stale -= {file.path for file in files}
        done = api.create_commit(
            repo_id,
            [*(_addition(file, on_read) for file in files), *(CommitOperationDelete(path) for path in sorted(stale))],
            commit_message=message, repo_type=DATASET, num_threads=1,
        )  # fmt: skip
        api.create_tag(repo_id, tag=tag, revision=done.oid, repo_type=DATASET, exist_ok=True)
    return str(done.oid)


def _addition(file: ExportFile, on_read: Callable[[int], None]) -> CommitOperationAdd:
    """As the library would make it from the file itself, without reading it all for the hash that is known."""
    with open_part(file, 0, min(SAMPLE, file.size)) as part:
        sample = part.read(min(SAMPLE, file.size))
    made = CommitOperationAdd(file.path, b"")
    made.path_or_fileobj = io.BufferedReader(Stored(file, on_read), AT_ONCE)
    made.upload_info = UploadInfo(size=file.size, sample=sample, sha256=bytes.fromhex(file.sha256))
    return made


@contextmanager
def _in_words(repo_id: str, token: str) -> Iterator[None]:
    try:
        yield
    except HfHubHTTPError as problem:
        raise _meaning(problem, repo_id, token) from problem
    except httpx2.TransportError as problem:
        raise HubTrouble(f"The connection to the hub failed ({type(problem).__name__}).") from problem
    except egress.Forbidden as problem:
        raise HubRefused(f"The hub sent us to an address of its own choice. {problem}") from problem
    except RuntimeError as problem:  # so the library says which file it was at
        if problem.__cause__ is None:
            raise
        with _in_words(repo_id, token):
            raise problem.__cause__ from None
    except json.JSONDecodeError as problem:  # a page of something in between, mostly
        raise HubTrouble("The hub’s answer was not understood.") from problem
    except ValueError as problem:
        raise HubRefused(f"The hub’s answer was not understood: {_without(str(problem), token)[:300]}") from problem


def _meaning(problem: HfHubHTTPError, repo_id: str, token: str) -> Exception:
    status = problem.response.status_code
    owner = repo_id.partition("/")[0]
    known = {
        401: "The hub does not know this token, or it has ended. Make one there that may write, and push again.",
        403: f"This token may not write to {repo_id}. It needs the right to write, and its owner a place in {owner}.",
        404: f"The hub knows no {repo_id}, or does not show it to this token. Look at the owner’s name.",
    }
    if status in known:
        return HubRefused(known[status])
    said = _without(" ".join((problem.server_message or "").split()), token)[:300]
    if status >= 500 or status in WORTH_A_RETRY:
        return HubTrouble(f"The hub could not take it now ({status}). {said}".strip())
    return HubRefused(f"The hub refused it ({status}). {said}".strip())


def _without(text: str, token: str) -> str:
    return text.replace(token, "…") if token else text
