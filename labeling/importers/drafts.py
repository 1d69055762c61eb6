"""What a row of any file becomes: a conversation, the responses to it, and what is known of them.

Text is kept code point for code point. A row that cannot be taken raises `Problem`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from labeling.importers.checks import MOST_FIELD, Problem, kind_of, quoted, storable, storable_json, text
from labeling.importers.parts import Content, Part, content, images_of, seen, text_of, texts_of
from labeling.importers.pictures import Picture

MOST_ID = 255
MOST_MODEL_NAME = 200
MOST_TAG, MOST_TAGS = 100, 50
MOST_AUTHOR = 254
MOST_PRIORITY = 30_000
MOST_RESPONSES = 20
MOST_MESSAGES = 1000
ROLES = ("system", "user", "assistant", "tool")
CHOICES = {"a": -1, "b": 1, "tie": 0}

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")

Message = dict[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """`line` is the physical line of the file, or the row number for Parquet; both start at 1."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResponseDraft:
    """`content` may be empty: a model that answered nothing answered that. `parts` only where there are images; then
    `content` has their texts."""

    content: str
    model_name: str = ""
    parts: list[Part] | None = field(default=None, hash=False)

    @property
    def shown(self) -> Content:
        return self.content if self.parts is None else self.parts

    @property
    def fingerprint(self) -> str:
        return sha256(self.key.encode()).hexdigest()

    @property
    def key(self) -> str:
        """What a person sees of it, as text; with images no text can be the same, since none holds U+0000."""
        return self.content if self.parts is None else "\0" + orjson.dumps(seen(self.parts)).decode()


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """`conversation` is [{"role", "content"}]; `responses` are in stored order, and `gold`, by criterion, as well.

    `pictures` are the images of both by the SHA-256 that their parts name, as soon as they were looked at.
    """

    line: int
    external_id: str
    conversation: list[Message]
    responses: tuple[ResponseDraft, ...]
    language: str = ""
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    gold: dict[str, Any] | None = None
    pictures: dict[str, Picture] = field(default_factory=dict)
    author: str = ""
    priority: int = 0

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex of the conversation and of who answered what: the same answers in another order are the same
        item, the same words by another model are another. An image counts by the bytes that were sent."""
        messages = [[message["role"], _told(message["content"])] for message in self.conversation]
        answers = sorted([[response.key, response.model_name] for response in self.responses])
        return sha256(orjson.dumps([messages, answers])).hexdigest()

    @property
    def contents(self) -> list[Content]:
        return [message["content"] for message in self.conversation] + [each.shown for each in self.responses]

    @property
    def texts(self) -> list[str]:
        """Every text that is shown by itself."""
        if not self.has_images:
            return [turn["content"] for turn in self.conversation] + [each.content for each in self.responses]
        return [text for found in self.contents for text in ([found] if isinstance(found, str) else texts_of(found))]

    @property
    def has_images(self) -> bool:
        if any(response.parts is not None for response in self.responses):
            return True
        return any(type(turn["content"]) is list for turn in self.conversation)

    @property
    def images(self) -> list[Part]:
        return [part for found in self.contents for part in images_of(found)]


def _told(found: Content) -> str | list[list[str]]:
    return found if isinstance(found, str) else seen(found)


def item_draft(
    line: int,
    row: Row,
    *,
    conversation: list[Message],
    responses: Iterable[ResponseDraft],
    used: frozenset[str],
    language: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> ItemDraft:
    """Join what a format found with the columns that mean the same everywhere; unknown ones become metadata."""
    answers = tuple(responses)
    check_responses(answers)
    return ItemDraft(
        line=line,
        external_id=_external_id(row),
        conversation=conversation,
        responses=answers,
        language=_language(row.get("language")) if language is None else language,
        tags=_tags(row.get("tags")),
        metadata=_metadata(row, used) | (metadata or {}),
        gold=_gold(row.get("gold"), len(answers)),
        author=_author(row.get("author")),
        priority=_priority(row.get("priority")),
    )


def conversation(value: Any, field: str) -> list[Message]:
    """Messages from a list of {"role", "content"}, or one message of the user from a string."""
    if isinstance(value, str) or value is None:
        return [{"role": "user", "content": text(value, field)}]
    if not isinstance(value, list):
        raise Problem(field, f"is {kind_of(value)}; give text or a list of messages")
    if not value:
        raise Problem(field, "has no message; a conversation needs at least one")
    if len(value) > MOST_MESSAGES:
        raise Problem(field, f"has {len(value):,} messages; at most {MOST_MESSAGES:,} are taken")
    return [_message(message, f"{field}[{position}]") for position, message in enumerate(value)]


def response(value: Any, field: str, model: Any = None, model_field: str = "model") -> ResponseDraft:
    found = content(value, field, blank=True)
    named = model_name(model, model_field)
    return ResponseDraft(text_of(found), named, None if isinstance(found, str) else found)


def model_name(value: Any, field: str) -> str:
    return "" if value is None or value == "" else text(value, field, most=MOST_MODEL_NAME)


def _message(value: Any, field: str) -> Message:
    if not isinstance(value, dict):
        raise Problem(field, f'is {kind_of(value)}; a message is {{"role": …, "content": …}}')
    role = value.get("role")
    if role not in ROLES:
        raise Problem(f"{field}.role", f"is {quoted(role)}; use one of {', '.join(ROLES)}")
    # that a model said nothing is something that happens, and is judged
    return {"role": role, "content": content(value.get("content"), f"{field}.content", blank=role == "assistant")}


def check_responses(responses: tuple[ResponseDraft, ...]) -> None:
    if not responses:
        raise Problem("responses", "is empty; give one response to rate, or two or more to compare")
    if len(responses) > MOST_RESPONSES:
        raise Problem("responses", f"has {len(responses)} responses; at most {MOST_RESPONSES} are taken")
    if len(set(responses)) < len(responses):
        remedy = "leave the row out, or name the models if two of them said the same"
        raise Problem("responses", f"two responses are identical, so there is nothing to compare; {remedy}")


def _external_id(row: Row) -> str:
    name = "id" if row.get("id") is not None else "item_id"
    value = row.get(name)
    if value is None or value == "":
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return text(value, name, most=MOST_ID)


def _language(value: Any) -> str:
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or len(value) > 35 or not _LANGUAGE.fullmatch(value):
        raise Problem("language", f"is {quoted(value)}; use a language tag such as en, zh-Hans or pt-BR")
    return value


def _tags(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise Problem("tags", f"is {kind_of(value)}; give a list of texts")
    if len(value) > MOST_TAGS:
        raise Problem("tags", f"has {len(value)} tags; at most {MOST_TAGS} are taken")
    return [text(tag, f"tags[{position}]", most=MOST_TAG) for position, tag in enumerate(value)]


def _metadata(row: Row, used: frozenset[str]) -> dict[str, Any]:
    """Every column without a meaning of its own; an object called metadata or meta is taken apart."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name in used or name in _EVERYWHERE or value is None:
            continue
        checked = storable_json(value, name)
        if name in ("metadata", "meta") and isinstance(checked, dict):
            found = checked | found
        else:
            found[storable(name, "column name", most=MOST_ID)] = checked
    if found and _json_size(found) > MOST_FIELD:
        raise Problem("metadata", f"is larger than {MOST_FIELD:,} bytes; leave some of it out")
    return found


_EVERYWHERE = frozenset({"id", "item_id", "language", "tags", "gold", "author", "priority"})


def _author(value: Any) -> str:
    """An e-mail address, in small letters, or a crowd worker's id."""
    if value is None or value == "":
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    name = text(value, "author", most=MOST_AUTHOR).strip()
    return name.lower() if "@" in name else name


def _priority(value: Any) -> int:
    if value is None or value == "":
        return 0
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,5}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MOST_PRIORITY:
        remedy = f"use a whole number from -{MOST_PRIORITY} to {MOST_PRIORITY}, or another name for the column"
        raise Problem("priority", f"is {quoted(value) if isinstance(value, str) else value!r}; {remedy}")
    return value


def _gold(value: Any, responses: int) -> dict[str, Any] | None:
    """Known answers: a preference as a whole number (negative: the first) or a, b, tie; a rating; a label as text."""
    if value is None or value == {}:
        return None
    if not isinstance(value, dict):
        raise Problem("gold", f'is {kind_of(value)}; give an object such as {{"helpfulness": -2}}')
    return {
        storable(str(key), "gold", most=40): _known_answer(answer, f"gold.{key}", responses)
        for key, answer in value.items()
        if answer is not None
    }


def _known_answer(answer: Any, field: str, responses: int) -> Any:
    chosen = CHOICES.get(answer, answer) if isinstance(answer, str) else answer
    if isinstance(chosen, int) and not isinstance(chosen, bool):
        if responses > 2:
            raise Problem(field, f"says which of two is better, but the row has {responses} responses; leave it out")
        if responses == 2 and abs(chosen) > 4:
            raise Problem(field, f"is {chosen}; a preference lies between -4 and 4")
        return chosen
    return storable_json(chosen, field)


def _json_size(value: Any) -> int:
    try:
        return len(orjson.dumps(value))
    except TypeError:  # an integer beyond 64 bits
        return len(str(value))
