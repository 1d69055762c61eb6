"""What a row of any file becomes, and the checks it must pass on the way. Text is kept code point for code point.

A row that fails a check raises `Problem`, which the reading turns into a `Refused` with the row's line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson

MOST_FIELD = 1024 * 1024
MOST_DEPTH = 50
MOST_ID = 255
MOST_MODEL_NAME = 200
MOST_TAG, MOST_TAGS = 100, 50
MOST_RESPONSES = 20
MOST_MESSAGES = 1000
ROLES = ("system", "user", "assistant", "tool")
CHOICES = {"a": -1, "b": 1, "tie": 0}

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")

Message = dict[str, str]
Row = Mapping[str, Any]


class Problem(Exception):
    """One row cannot be taken; `reason` says why and what to do."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Refused:
    """`line` is the physical line of the file, or the row number for Parquet; both start at 1."""

    line: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResponseDraft:
    """`content` may be empty: a model that answered nothing answered that."""

    content: str
    model_name: str = ""

    @property
    def fingerprint(self) -> str:
        return sha256(self.content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """`conversation` is [{"role", "content"}]; `responses` are in stored order, and `gold`, by criterion, as well."""

    line: int
    external_id: str
    conversation: list[Message]
    responses: tuple[ResponseDraft, ...]
    language: str = ""
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    gold: dict[str, Any] | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex of the conversation and of who answered what: the same answers in another order are the same
        item, the same words by another model are another."""
        messages = [[message["role"], message["content"]] for message in self.conversation]
        answers = sorted([response.content, response.model_name] for response in self.responses)
        return sha256(orjson.dumps([messages, answers])).hexdigest()

    @property
    def texts(self) -> list[str]:
        return [message["content"] for message in self.conversation] + [each.content for each in self.responses]


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
    _check_responses(answers)
    return ItemDraft(
        line=line,
        external_id=_external_id(row),
        conversation=conversation,
        responses=answers,
        language=_language(row.get("language")) if language is None else language,
        tags=_tags(row.get("tags")),
        metadata=_metadata(row, used) | (metadata or {}),
        gold=_gold(row.get("gold"), len(answers)),
    )


def text(value: Any, field: str, *, most: int = MOST_FIELD, blank: bool = False) -> str:
    """`value` if it is text that can be stored and, unless `blank`, has something to read."""
    if value is None:
        raise Problem(field, "is missing; every row needs it")
    if not isinstance(value, str):
        raise Problem(field, f"is {_kind(value)} where text is due; put it in quotes if it is meant as text")
    if not blank and (not value or value.isspace()):
        raise Problem(field, "is empty; leave the row out or fill it in")
    return storable(value, field, most=most)


def storable(value: str, field: str, *, most: int = MOST_FIELD) -> str:
    """`value` unless PostgreSQL cannot hold it: U+0000, half a surrogate pair, more than `most` characters."""
    if len(value) > most:
        raise Problem(field, f"has {len(value):,} characters; at most {most:,} are taken")
    if "\0" in value:
        raise Problem(field, "contains the character U+0000, which no database text can hold; remove it")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Problem(field, _not_unicode(value, error.start)) from None
    return value


def conversation(value: Any, field: str) -> list[Message]:
    """Messages from a list of {"role", "content"}, or one message of the user from a string."""
    if isinstance(value, str) or value is None:
        return [{"role": "user", "content": text(value, field)}]
    if not isinstance(value, list):
        raise Problem(field, f"is {_kind(value)}; give text or a list of messages")
    if not value:
        raise Problem(field, "has no message; a conversation needs at least one")
    if len(value) > MOST_MESSAGES:
        raise Problem(field, f"has {len(value):,} messages; at most {MOST_MESSAGES:,} are taken")
    return [_message(message, f"{field}[{position}]") for position, message in enumerate(value)]


def response(value: Any, field: str, model: Any = None, model_field: str = "model") -> ResponseDraft:
    return ResponseDraft(content_text(value, field, blank=True), model_name(model, model_field))


def model_name(value: Any, field: str) -> str:
    return "" if value is None or value == "" else text(value, field, most=MOST_MODEL_NAME)


def storable_json(value: Any, field: str, depth: int = 1) -> Any:
    """`value` as JSON that PostgreSQL can hold, exactly; dates and decimals (from Parquet) become text."""
    if depth > MOST_DEPTH:
        raise Problem(field.partition("[")[0].partition(".")[0], f"is nested deeper than {MOST_DEPTH}; flatten it")
    if isinstance(value, str):
        return storable(value, field)
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return _number(value, field)
    if isinstance(value, dict):
        return {storable(str(k), field): storable_json(v, f"{field}.{k}", depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable_json(each, f"{field}[{n}]", depth + 1) for n, each in enumerate(value)]
    if isinstance(value, (date, Decimal)):
        return str(value)
    raise Problem(field, f"is {_kind(value)}, which JSON cannot hold; leave the column out or turn it into text")


def _number(value: float, field: str) -> float:
    if not math.isfinite(value):
        raise Problem(field, "is not a finite number; use null")
    return value


def _message(value: Any, field: str) -> Message:
    if not isinstance(value, dict):
        raise Problem(field, f'is {_kind(value)}; a message is {{"role": …, "content": …}}')
    role = value.get("role")
    if role not in ROLES:
        raise Problem(f"{field}.role", f"is {_shown(role)}; use one of {', '.join(ROLES)}")
    # that a model said nothing is something that happens, and is judged
    return {"role": role, "content": content_text(value.get("content"), f"{field}.content", blank=role == "assistant")}


def content_text(value: Any, field: str, *, blank: bool) -> str:
    """The text of a message or response; text parts are joined by an empty line."""
    if not isinstance(value, list):
        return text(value, field, blank=blank)
    texts = []
    for position, part in enumerate(value):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in ("image", "image_url", "input_image"):
            raise Problem(
                f"{field}[{position}]", "images are not read yet; leave this row out or describe the image in words"
            )
        if kind != "text":
            raise Problem(f"{field}[{position}]", 'is not a part that can be read; use {"type": "text", "text": …}')
        texts.append(text(part.get("text"), f"{field}[{position}].text"))
    return text("\n\n".join(texts), field, blank=blank)


def _check_responses(responses: tuple[ResponseDraft, ...]) -> None:
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
        raise Problem("language", f"is {_shown(value)}; use a language tag such as en, zh-Hans or pt-BR")
    return value


def _tags(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise Problem("tags", f"is {_kind(value)}; give a list of texts")
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


_EVERYWHERE = frozenset({"id", "item_id", "language", "tags", "gold"})


def _gold(value: Any, responses: int) -> dict[str, Any] | None:
    """Known answers: a preference as a whole number (negative: the first) or a, b, tie; a rating; a label as text."""
    if value is None or value == {}:
        return None
    if not isinstance(value, dict):
        raise Problem("gold", f'is {_kind(value)}; give an object such as {{"helpfulness": -2}}')
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


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
        bytes: "binary",
    }
    return names.get(type(value), f"a {type(value).__name__}")


def _shown(value: Any) -> str:
    if not isinstance(value, str):
        return _kind(value)
    return f"“{value[:40]}”" if value.isprintable() else "not readable text"


def _not_unicode(value: str, start: int) -> str:
    """Bytes that were not UTF-8 arrive as U+DC80 to U+DCFF (surrogateescape), escapes as any other surrogate."""
    code = ord(value[start])
    if 0xDC80 <= code <= 0xDCFF:
        place = len(value[:start].encode(errors="surrogateescape")) + 1
        return f"is not UTF-8 (byte {place} of the field is 0x{code - 0xDC00:02X}); save the file as UTF-8"
    return f"has half of a surrogate pair (\\u{code:04x}) at character {start + 1}, which is no character; remove it"
