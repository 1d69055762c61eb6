"""A read-only door that speaks as a Hugging Face hub does: `HF_ENDPOINT=<here> HF_TOKEN=<an API token of ours>`.

`load_dataset("project/name", revision="v3")` of the unmodified `datasets` library then reads snapshots of projects
that the token's person may export. The calls, shapes and headers are those that huggingface_hub uses to read; there
is nothing else.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from django.http import Http404, HttpResponseBase, QueryDict
from rest_framework.exceptions import APIException, AuthenticationFailed, NotAuthenticated, ParseError
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from exports.access import exports_for
from exports.downloads import file_response
from exports.models import ExportFile
from exports.naming import NEWEST, Snapshot, snapshots
from labeling.access import RESEARCHERS, project_for
from labeling.api.base import Endpoint
from labeling.api.tokens import BearerAuthentication
from labeling.api.wire import JsonParser

MOST_PATHS = 1000
_ERRORS = {
    "RepoNotFound": "Repository not found",
    "RevisionNotFound": "Invalid rev id",
    "EntryNotFound": "Entry not found",
}


class Missing(Exception):
    """What is not there, by the hub's own code for it."""


class HubEndpoint(Endpoint):
    """Finds the repository for the token's person. Errors are said as the hub says them, which its library reads."""

    authentication_classes = (BearerAuthentication,)
    parser_classes = (FormParser, JsonParser)
    http_method_names = ["get", "head", "post"]
    schema = None

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Missing):
            return _error(404, str(exc))
        if isinstance(exc, Http404):
            return _error(404, "RepoNotFound")
        if isinstance(exc, NotAuthenticated):  # a private repository and none at all look the same
            return _error(401, "RepoNotFound")
        if isinstance(exc, AuthenticationFailed):
            return _error(401, said="Invalid credentials in Authorization header")
        if isinstance(exc, APIException):
            return _error(exc.status_code, said=str(exc.detail))
        return super().handle_exception(exc)

    def versions(self, owner: str, name: str) -> list[Snapshot]:
        """The snapshots of a repository, oldest first, or 404."""
        project = project_for(self.user, owner, RESEARCHERS)
        found = [one for one in snapshots(exports_for(self.user).filter(project=project)) if one.repository == name]
        if not found:
            raise Http404
        return found

    def at(self, owner: str, name: str, revision: str) -> tuple[Snapshot, list[ExportFile]]:
        """A snapshot with its files: of `v3`, of a commit, or the newest for `main`."""
        for one in reversed(self.versions(owner, name)):
            if revision in (NEWEST, one.version, one.commit):
                return one, list(one.export.files.all())
        raise Missing("RevisionNotFound")


class Repository(HubEndpoint):
    def get(self, request: Request, owner: str, name: str, revision: str = NEWEST) -> Response:
        snapshot, files = self.at(owner, name, revision)
        export, commit = snapshot.export, snapshot.commit
        blobs = request.query_params.get("blobs", "").lower() == "true"
        return Response(
            {
                "_id": commit[:24], "id": f"{owner}/{name}", "author": owner, "sha": commit,
                "createdAt": _time(export.created_at), "lastModified": _time(export.finished_at or export.created_at),
                "private": True, "gated": False, "disabled": False, "downloads": 0, "likes": 0,
                "tags": [], "siblings": [_sibling(file, blobs) for file in files],
            }
        )  # fmt: skip


class References(HubEndpoint):
    def get(self, request: Request, owner: str, name: str) -> Response:
        known = self.versions(owner, name)
        tags = [{"name": one.version, "ref": f"refs/tags/{one.version}", "targetCommit": one.commit} for one in known]
        newest = {"name": NEWEST, "ref": f"refs/heads/{NEWEST}", "targetCommit": known[-1].commit}
        return Response({"branches": [newest], "tags": tags, "converts": []})


class Tree(HubEndpoint):
    def get(self, request: Request, owner: str, name: str, revision: str, path: str = "") -> Response:
        """What lies in a folder, or with `recursive` under it."""
        snapshot, files = self.at(owner, name, revision)
        deep = request.query_params.get("recursive", "").lower() == "true"
        expand = request.query_params.get("expand", "").lower() == "true"
        folder = PurePosixPath(path)
        entries = _entries(files, snapshot.commit)
        parents = {path: PurePosixPath(path).parents for path in entries}
        inside = [path for path, above in parents.items() if folder in (above if deep else above[:1])]
        if not inside and path:
            raise Missing("EntryNotFound")
        return Response([_expanded(entries[p], snapshot, expand) for p in sorted(inside)])


class PathsInfo(HubEndpoint):
    def post(self, request: Request, owner: str, name: str, revision: str) -> Response:
        """Those of the asked paths that there are."""
        snapshot, files = self.at(owner, name, revision)
        asked, expand = _asked(request.data)
        entries = _entries(files, snapshot.commit)
        found = [entries[path] for path in asked[:MOST_PATHS] if path in entries]
        return Response([_expanded(entry, snapshot, expand) for entry in found])


class Resolve(HubEndpoint):
    def get(self, request: Request, owner: str, name: str, revision: str, path: str) -> HttpResponseBase:
        """A file, with ranges; HEAD tells the library what it is."""
        snapshot, files = self.at(owner, name, revision)
        file = next((file for file in files if file.path == path), None)
        if file is None:
            raise Missing("EntryNotFound")
        answer = file_response(request._request, file)
        answer.headers["X-Repo-Commit"] = snapshot.commit
        answer.headers["X-Linked-ETag"] = answer.headers["ETag"]
        answer.headers["X-Linked-Size"] = str(file.size)
        return answer

    head = get


def _asked(data: Any) -> tuple[list[str], bool]:
    """The paths of a body, sent as a form or as JSON, and whether more is wanted about each."""
    if isinstance(data, QueryDict):
        return data.getlist("paths"), data.get("expand", "").lower() == "true"
    if not isinstance(data, dict) or not isinstance(data.get("paths"), list | str):
        raise ParseError("Name the paths.")
    paths = data["paths"] if isinstance(data["paths"], list) else [data["paths"]]
    return [path for path in paths if isinstance(path, str)], bool(data.get("expand"))


def _error(status: int, code: str = "", said: str = "") -> Response:
    message = said or _ERRORS.get(code, code)
    headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response({"error": message}, status=status, headers=headers)


def _entries(files: list[ExportFile], commit: str) -> dict[str, dict[str, Any]]:
    """Files and the folders they lie in, by path. Every file is told as a large one: its id is the hash we have."""
    found: dict[str, dict[str, Any]] = {}
    for file in files:
        for parent in PurePosixPath(file.path).parents:
            if parent.name:
                found[str(parent)] = {"type": "directory", "oid": commit, "size": 0, "path": str(parent)}
        lfs = {"oid": file.sha256, "size": file.size, "pointerSize": 134}
        found[file.path] = {
            "type": "file", "oid": file.sha256[:40], "size": file.size, "path": file.path, "lfs": lfs,
        }  # fmt: skip
    return found


def _expanded(entry: dict[str, Any], snapshot: Snapshot, expand: bool) -> dict[str, Any]:
    export = snapshot.export
    last = {"id": snapshot.commit, "title": snapshot.version, "date": _time(export.finished_at or export.created_at)}
    return entry | ({"lastCommit": last} if expand else {})


def _sibling(file: ExportFile, blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": file.path}
    lfs = {"sha256": file.sha256, "size": file.size, "pointerSize": 134}
    return {"rfilename": file.path, "size": file.size, "blobId": file.sha256[:40], "lfs": lfs}


def _time(at: Any) -> str:
    """As the hub writes it: milliseconds, and Z."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
