"""A program that speaks to the API over HTTP. Every answer it gets is held against the OpenAPI schema."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from django.test import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from labeling.api.docs import api_schema
from labeling.models import User
from tests import make

ROOT = "/api/v1"


class Program:
    """Calls with the token of `user`, or without one."""

    def __init__(self, user: User | None, **headers: str) -> None:
        self.client = Client(headers=({"Authorization": f"Token {make.token(user)}"} if user else {}) | headers)

    def get(self, path: str, **query: Any) -> Any:
        return self._checked("get", path, self.client.get(ROOT + path, query))

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self._send("post", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Any:
        return self._send("put", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> Any:
        return self._send("patch", path, body, **more)

    def _send(self, method: str, path: str, body: Any, **more: Any) -> Any:
        send = getattr(self.client, method)
        if body is None and not more:
            return self._checked(method, path, send(ROOT + path, b"", content_type="application/json"))
        more.setdefault("content_type", "application/json")
        if more["content_type"] is None:
            del more["content_type"]
        data = body if isinstance(body, bytes) or "content_type" not in more else orjson.dumps(body)
        return self._checked(method, path, send(ROOT + path, data, **more))

    def _checked(self, method: str, path: str, answer: Any) -> Any:
        """Fails when an answer is not as the schema says: an undocumented status, a missing or wrong field."""
        schema = api_schema()
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        operation = _operation(schema, method, path.partition("?")[0])
        if operation is None:
            return answer
        documented = operation["responses"].get(str(answer.status_code))
        assert documented is not None, (
            f"{method} {path} answered {answer.status_code}, undocumented: {answer.content!r}"
        )
        if "content" in documented:
            shape = documented["content"][kind]["schema"] | {"components": schema["components"]}
            Draft202012Validator(shape).validate(orjson.loads(answer.content))
        return answer


def _operation(schema: dict[str, Any], method: str, path: str) -> dict[str, Any] | None:
    for template, methods in schema["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if re.fullmatch(pattern, ROOT + path) and method in methods:
            found: dict[str, Any] = methods[method]
            return found
    return None


@pytest.fixture
def study(db: None) -> dict[str, Any]:
    """Mara's project with two pairs and its people; `api` calls as each of them by first name."""
    project = make.project(overlap=2)
    people = make.cast(project)
    return {
        "project": project, "queue": make.queue(project), "pairs": make.pairs(project, 2), "people": people,
        "api": {name: Program(user) for name, user in people.items()},
    }  # fmt: skip


@pytest.fixture
def anonymous(db: None) -> Program:
    return Program(None)
