"""A hub in memory, as far as uploads go: repositories, preupload, LFS, commits, tags; and what can go wrong with it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.receiver import Quiet, served

TOKEN = "hf_NoorsTokenThatMayWrite"


@dataclass
class Repo:
    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[str] = field(default_factory=lambda: ["0" * 40])
    titles: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """The next request whose method and path hold `where`: a status, or `cut` before or `late` after it was done."""

    where: str
    answer: int | str
    times: int = 1


@dataclass
class Hub:
    repos: dict[str, Repo] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    url: str = ""
    storage: str = ""  # where uploads are sent, if not here

    def fault(self, call: str) -> int | str | None:
        for fault in self.faults:
            if fault.times and fault.where in call:
                fault.times -= 1
                return fault.answer
        return None

    def sent(self, what: str) -> int:
        return sum(what in call for call in self.calls)


def git_hash(data: bytes) -> str:
    return sha1(b"blob %d\0" % len(data) + data).hexdigest()


def oid(path: str, data: bytes) -> str:
    return sha256(data).hexdigest() if mode(path) == "lfs" else git_hash(data)


def mode(path: str) -> str:
    return "lfs" if path.startswith("data/") else "regular"


class _Handler(Quiet):
    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        self.path = unquote(self.path)
        call, body = f"{self.command} {urlsplit(self.path).path}", self._body()
        self.state.calls.append(call)
        fault = self.state.fault(call)
        if fault == "cut":
            return self.cut()
        if isinstance(fault, int):
            return self._say({"error": f"{TOKEN} is not liked today"}, fault)
        if "/objects/" not in call.split(".git")[0] and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._say({"error": "Invalid credentials in Authorization header"}, 401)
        for pattern, serve in ROUTES.items():
            if found := re.fullmatch(pattern, call):
                answer, status = serve(self.state, body, *found.groups())
                return self.cut() if fault == "late" else self._say(answer, status)
        return self._say({"error": "Not found"}, 404)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _say(self, answer: Any, status: int = 200) -> None:
        code = {"X-Error-Code": "RepoNotFound"} if status == 404 else {}
        self.answer(status, json.dumps(answer).encode(), {"Content-Type": "application/json"} | code)


Answer = tuple[Any, int]


def _create(hub: Hub, body: bytes) -> Answer:
    asked = json.loads(body)
    name = f"{asked['organization']}/{asked['name']}"
    if asked["organization"] == "strangers":
        return {"error": "You don't have the rights"}, 403
    if name in hub.repos:
        return {"error": "You already created this dataset repo", "url": f"{hub.url}/datasets/{name}"}, 409
    hub.repos[name] = Repo(private=asked["visibility"] == "private")
    return {"url": f"{hub.url}/datasets/{name}"}, 200


def _info(hub: Hub, body: bytes, name: str, *_: str) -> Answer:
    repo = hub.repos.get(name)
    return ({"id": name, "sha": repo.commits[-1]}, 200) if repo else ({"error": "Repository not found"}, 404)


def _tree(hub: Hub, body: bytes, name: str) -> Answer:
    files = hub.repos[name].files.items()
    return [{"type": "file", "path": p, "size": len(data), "oid": git_hash(data)} for p, data in files], 200


def _preupload(hub: Hub, body: bytes, name: str) -> Answer:
    there = hub.repos[name].files
    paths = [file["path"] for file in json.loads(body)["files"]]
    files = [
        {"path": p, "uploadMode": mode(p), "shouldIgnore": False, "oid": oid(p, there[p]) if p in there else None}
        for p in paths
    ]
    return {"files": files}, 200


def _batch(hub: Hub, body: bytes, name: str) -> Answer:
    objects = json.loads(body)["objects"]
    for one in objects:
        if one["oid"] not in hub.objects:
            one["actions"] = {"upload": {"href": f"{hub.storage or hub.url}/objects/{one['oid']}"}}
    return {"objects": objects, "transfer": "basic"}, 200


def _put(hub: Hub, body: bytes, name: str) -> Answer:
    if sha256(body).hexdigest() != name:
        return {"error": "not what was announced"}, 400
    hub.objects[name] = body
    return {}, 200


def _commit(hub: Hub, body: bytes, name: str) -> Answer:
    repo, title = hub.repos[name], ""
    for line in map(json.loads, body.splitlines()):
        value = line["value"]
        if line["key"] == "header":
            title = value["summary"]
        elif line["key"] == "file":
            repo.files[value["path"]] = base64.b64decode(value["content"])
        elif line["key"] == "lfsFile":
            repo.files[value["path"]] = hub.objects[value["oid"]]
        elif line["key"] == "deletedFile":
            del repo.files[value["path"]]
    repo.titles.append(title)
    repo.commits.append(sha1(body + repo.commits[-1].encode()).hexdigest())
    address = f"{hub.url}/datasets/{name}/commit/{repo.commits[-1]}"
    return {"commitUrl": address, "commitOid": repo.commits[-1]}, 200


def _tag(hub: Hub, body: bytes, name: str, revision: str) -> Answer:
    tags, tag = hub.repos[name].tags, json.loads(body)["tag"]
    if tag in tags:
        return {"error": "Tag reference exists already"}, 409
    tags[tag] = revision
    return {}, 200


_REPO = "/api/datasets/([^/]+/[^/]+)"
ROUTES: dict[str, Any] = {
    "POST /api/repos/create": _create,
    "POST /api/validate-yaml": lambda hub, body: ({"errors": [], "warnings": []}, 200),
    f"GET {_REPO}(/revision/main)?": _info,
    f"GET {_REPO}/tree/main": _tree,
    f"POST {_REPO}/preupload/main": _preupload,
    f"POST {_REPO}/commit/main": _commit,
    f"POST {_REPO}/tag/(.+)": _tag,
    r"POST /datasets/([^/]+/[^/]+)\.git/info/lfs/objects/batch": _batch,
    "PUT /objects/([0-9a-f]{64})": _put,
}


@contextmanager
def hub_server() -> Iterator[Hub]:
    hub = Hub()
    with served(_Handler, hub) as hub.url:
        yield hub
