"""One class with a method for each thing that a program does. Answers are the server's own dictionaries."""

from __future__ import annotations

import hashlib
import http.client
import os
import time
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, cast
from urllib.parse import quote, urlencode

from annotate_client.errors import AnnotateError, JobFailed, NoAnswer, WrongBytes
from annotate_client.shapes import Assignment, Batch, Export, ExportFile, FeedAnnotation, Project, Refusal, Submitted
from annotate_client.transport import TRIES, WORTH_A_RETRY, Transport
from annotate_client.uploads import multipart

CHUNK = 1024 * 1024
API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is here now. `bytes_fetched` is what came over the line for it this time."""

    path: Path
    bytes_fetched: int


class Annotate:
    """A server, as the person of `token` may use it. Keep one for as long as you like; it holds no connection open.

    What is refused raises AnnotateError; requests that may safely be sent twice are, when the line breaks.
    """

    def __init__(self, url: str, token: str, *, timeout: float = 60.0) -> None:
        self._http = Transport(url, token, timeout)

    # --- projects ---------------------------------------------------------------------------------

    def projects(self) -> Iterator[Project]:
        """Those you are a member of."""
        return self._pages(f"{API}/projects/")

    def project(self, slug: str) -> Project:
        """With its criteria, queues and current guideline."""
        return cast(Project, self._get(f"/projects/{_part(slug)}/"))

    def create_project(self, slug: str, name: str, **more: Any) -> Project:
        """Needs the right to make projects. `more`: `description`, `preset`."""
        body = {"slug": slug, "name": name, **more}
        return cast(Project, self._http.json("POST", f"{API}/projects/", body, retry=False))

    def add_member(self, slug: str, email: str, role: str) -> dict[str, Any]:
        """Give a person with an account a role: rater, adjudicator, manager or researcher."""
        path = f"{API}/projects/{_part(slug)}/members/"
        return cast(dict[str, Any], self._http.json("POST", path, {"email": email, "role": role}))

    # --- imports ----------------------------------------------------------------------------------

    def send_file(self, slug: str, file: str | os.PathLike[str], format: str = "") -> Batch:  # noqa: A002
        """Start an import of a file, read from disk as it is sent. The server keeps no item twice."""
        headers, body = multipart(Path(file), {"format": format} if format else {})
        return cast(Batch, self._http.send("POST", f"{API}/projects/{_part(slug)}/imports/", body, headers))

    def send_rows(self, slug: str, rows: bytes) -> Batch:
        """Start an import of native rows, one JSON object a line."""
        headers = {"Content-Type": "application/x-ndjson"}
        return cast(Batch, self._http.send("POST", f"{API}/projects/{_part(slug)}/imports/", lambda: rows, headers))

    def batch(self, batch: int | Batch) -> Batch:
        return cast(Batch, self._get(f"/imports/{_id(batch)}/"))

    def wait_for_import(self, batch: int | Batch, *, seconds: float = 3600) -> Batch:
        """The batch when it is done; raises JobFailed, or TimeoutError."""
        return cast(Batch, self._wait(lambda: self.batch(batch), seconds))

    def refusals(self, batch: int | Batch) -> Iterator[Refusal]:
        """The rows that were not taken, with their lines and reasons."""
        page = self._get(f"/imports/{_id(batch)}/")["refusals"]
        yield from page["results"]
        while page["next"]:
            page = self._http.json("GET", page["next"])["refusals"]
            yield from page["results"]

    # --- rating -----------------------------------------------------------------------------------

    def claim(self, queue: int) -> Assignment | None:
        """The next pair for you, or None when there is none now. Claimed again, it is the one you have open."""
        return cast("Assignment | None", self._http.json("POST", f"{API}/queues/{queue}/claim/"))

    def submit(
        self, assignment: int | Assignment, judgments: Mapping[str, Any], *, claim_next: bool = False, **more: Any
    ) -> Submitted:
        """Your answers, by criterion, as you saw the pair: a negative preference is for the left.

        Sending the same twice changes nothing. `more`: `active_ms`, `principle`, `revises`, …
        """
        path = f"{API}/assignments/{_id(assignment)}/annotation/" + ("?claim=next" if claim_next else "")
        answer = self._http.json("POST", path, {"judgments": dict(judgments), **more})
        return cast(Submitted, answer if claim_next else {"annotation": answer, "next": None})

    def skip(self, assignment: int | Assignment, reason: str = "", comment: str = "") -> None:
        """Leave it to others for good: language, upsetting, broken, cannot_tell, other."""
        body = {"reason": reason, "comment": comment}
        self._http.json("POST", f"{API}/assignments/{_id(assignment)}/skip/", body)

    def release(self, assignment: int | Assignment) -> None:
        """Give it back; you may meet it again."""
        self._http.json("POST", f"{API}/assignments/{_id(assignment)}/release/", retry=False)

    # --- annotations ------------------------------------------------------------------------------

    def annotations(self, slug: str, after: str = "", limit: int = 500) -> Iterator[tuple[list[FeedAnnotation], str]]:
        """Pages of current annotations, oldest first, each with the cursor behind it.

        Keep the last cursor: given as `after`, also next year, it gives only what came since.
        """
        while True:
            query = urlencode({"limit": limit} | ({"after": after} if after else {}))
            page = self._get(f"/projects/{_part(slug)}/annotations/?{query}")
            after = page["cursor"]
            yield page["results"], after
            if not page["more"]:
                return

    # --- exports ----------------------------------------------------------------------------------

    def exports(self, slug: str) -> Iterator[Export]:
        """Newest first, without their files."""
        return self._pages(f"{API}/projects/{_part(slug)}/exports/")

    def create_export(self, slug: str, recipe: str | Mapping[str, Any], name: str = "") -> Export:
        """Ask for an export by the name of a recipe or by the recipe itself; a worker makes it."""
        body = {"recipe": recipe if isinstance(recipe, str) else dict(recipe)} | ({"name": name} if name else {})
        return cast(Export, self._http.json("POST", f"{API}/projects/{_part(slug)}/exports/", body, retry=False))

    def export(self, export: int | Export) -> Export:
        return cast(Export, self._get(f"/exports/{_id(export)}/"))

    def wait_for_export(self, export: int | Export, *, seconds: float = 3600) -> Export:
        """The export with its files when it is done; raises JobFailed, or TimeoutError."""
        return cast(Export, self._wait(lambda: self.export(export), seconds))

    def download(self, export: int | Export, to: str | os.PathLike[str]) -> list[Download]:
        """Every file of a finished export, under `to`, each checked against its SHA-256.

        What is here already is not fetched again, and what broke off goes on where it stopped, also tomorrow.
        """
        found = self.export(export)
        if found["state"] != "done":
            raise JobFailed(f"Export {found['id']} is {found['state']}, not done.")
        return [self.download_file(found["id"], file, to) for file in found["files"]]

    def download_file(self, export: int | Export, file: ExportFile, to: str | os.PathLike[str]) -> Download:
        """One file of an export; as `download`."""
        target = Path(to) / _inside(file["path"])
        if target.exists() and _sha256(target) == file["sha256"]:
            return Download(target, 0)
        part = target.with_name(target.name + ".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        path = f"{API}/exports/{_id(export)}/files/{quote(file['path'])}"
        fetched = self._fetch(path, file, part)
        if _sha256(part) != file["sha256"]:
            part.unlink()
            raise WrongBytes(f"{file['path']} did not arrive as it was sent. Fetch it again.")
        part.replace(target)
        return Download(target, fetched)

    # --- within -----------------------------------------------------------------------------------

    def _get(self, path: str) -> Any:
        return self._http.json("GET", API + path)

    def _pages(self, address: str | None) -> Iterator[Any]:
        while address:
            page = self._http.json("GET", address)
            yield from page["results"]
            address = page["next"]

    def _wait(self, look: Callable[[], Any], seconds: float) -> Any:
        end, pause = time.monotonic() + seconds, 0.2
        while (job := look())["state"] not in ("done", "failed"):
            if time.monotonic() > end:
                raise TimeoutError(f"{job['name']} is {job['state']} ({job['percent']}%) after {seconds:.0f} s.")
            time.sleep(pause)
            pause = min(5.0, pause * 1.5)
        if job["state"] == "failed":
            raise JobFailed(job["error"] or f"{job['name']} failed.")
        return job

    def _fetch(self, path: str, file: ExportFile, part: Path) -> int:
        """Append to `part` what is missing, in as many tries as bring it on. Returns the bytes fetched."""
        fetched, tried = 0, 0
        while (here := part.stat().st_size if part.exists() else 0) < file["bytes"]:
            problem: Exception
            try:
                fetched += self._append(path, file, part, here)
                continue
            except AnnotateError as refused:
                if refused.status not in WORTH_A_RETRY:
                    raise
                problem = refused
            except (urllib.error.URLError, http.client.HTTPException, OSError) as broken:
                problem = broken
            came = max(0, (part.stat().st_size if part.exists() else 0) - here)
            fetched, tried = fetched + came, 1 if came else tried + 1
            if tried >= TRIES:
                raise NoAnswer(f"{file['path']}: {problem}") from problem
            self._http.pause(tried)
        if not file["bytes"]:
            part.touch()
        return fetched

    def _append(self, path: str, file: ExportFile, part: Path, here: int) -> int:
        headers = {"Range": f"bytes={here}-", "If-Range": f'"{file["sha256"]}"'} if here else {}
        with self._http.open("GET", path, headers=headers) as answer:
            mode = "ab" if answer.status == 206 else "wb"  # a server that sends everything begins anew
            with part.open(mode) as out:
                came = 0
                while chunk := answer.read(CHUNK):
                    out.write(chunk)
                    came += len(chunk)
        whole = came + (here if mode == "ab" else 0)
        if whole != file["bytes"]:
            raise http.client.IncompleteRead(b"", file["bytes"] - whole)
        return came


def _id(row: int | Batch | Assignment | Export) -> int:
    return row if isinstance(row, int) else row["id"]


def _part(name: str) -> str:
    return quote(name, safe="")


def _inside(path: str) -> Path:
    """A path of the server's, which must not lead out of the folder."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not parts.parts or "\\" in path:
        raise WrongBytes(f"The server names a file {path!r}, which lies outside.")
    return Path(*parts.parts)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
