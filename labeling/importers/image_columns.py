"""Images in a column of their own, as vision datasets have them: `images` (a list) or `image` (one).

Their places are the parts {"type": "image"} of the messages that name no image themselves: the first place takes the
first image. Where no message has a place, the images go before the text of the person's first message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labeling.importers.checks import Problem, kind_of
from labeling.importers.drafts import Row
from labeling.importers.parts import IMAGE_KEYS, IMAGE_TYPES, Sent, sent

COLUMNS = ("images", "image")
_ASKED = ("conversation", "prompt", "context")
_ANSWERS = ("response", "response_a", "response_b", "response_0", "response_1", "response1", "response2", "response_2")
_IMAGE = "image"


def with_images(row: Row) -> Row:
    """The row with the images of its columns where they belong, and without those columns."""
    if row.keys().isdisjoint(COLUMNS):
        return row
    rest = {name: value for name, value in row.items() if name not in COLUMNS}
    name = next((each for each in COLUMNS if row.get(each) not in (None, "", [])), None)
    if name is None:
        return rest
    images = _Images(name, row[name])
    parts = [part for column in rest.values() for part in _parts(column) if _is_image(part)]
    if not parts:
        return rest | _put_first(rest, images)
    if not any(map(_is_place, parts)):
        raise Problem(name, "stands beside images that the messages name themselves; give one of the two")
    return rest | _filled(rest, images)


class _Images:
    """The images of the column, taken one after another."""

    def __init__(self, column: str, value: Any) -> None:
        self.column = column
        values = value if isinstance(value, list) else [value]
        fields = [f"{column}[{n}]" if isinstance(value, list) else column for n in range(len(values))]
        self._images = [sent(each, field) for each, field in zip(values, fields, strict=True)]
        self.taken = 0

    def __len__(self) -> int:
        return len(self._images)

    def next(self) -> Sent | None:
        self.taken += 1
        return self._images[self.taken - 1] if self.taken <= len(self._images) else None

    def check_all_taken(self) -> None:
        if self.taken != len(self._images):
            raise Problem(
                self.column,
                f"has {len(self._images)} images for {self.taken} places; "
                'each {"type": "image"} in the messages needs one',
            )


def _filled(row: dict[str, Any], images: _Images) -> dict[str, Any]:
    """The conversation first, then the answers in the row's order. What is chosen and what is rejected may both begin
    with the conversation, whose images then count once."""
    changed = {name: _fill(row[name], images) for name in _ASKED if name in row}
    if "chosen" in row and "rejected" in row:
        changed |= _both(row["chosen"], row["rejected"], images)
    changed |= {name: _fill(row[name], images) for name in (*_ANSWERS, "responses") if name in row}
    images.check_all_taken()
    return changed


def _both(chosen: Any, rejected: Any, images: _Images) -> dict[str, Any]:
    if not isinstance(chosen, list) or not isinstance(rejected, list):
        return {"chosen": _fill(chosen, images), "rejected": _fill(rejected, images)}
    begun = images.taken
    before = _fill(chosen[:-1], images)
    shared, images.taken = images.taken, begun
    again = _fill(rejected[:-1], images)
    images.taken = shared
    return {"chosen": before + _fill(chosen[-1:], images), "rejected": again + _fill(rejected[-1:], images)}


def _fill(value: Any, images: _Images) -> Any:
    """The value, messages or answers of any shape, with an image in each place as long as there are some."""
    if isinstance(value, list):
        return [_fill(each, images) for each in value]
    if _is_place(value):
        return value | {_IMAGE: images.next()}
    if isinstance(value, dict) and isinstance(value.get("content"), list):
        return value | {"content": _fill(value["content"], images)}
    return value


def _parts(value: Any) -> Iterator[Any]:
    """The parts in messages, in answers, or in one of these."""
    for each in value if isinstance(value, list) else ():
        content = each.get("content") if isinstance(each, dict) else each
        yield each
        yield from content if isinstance(content, list) else ()


def _is_image(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in IMAGE_TYPES


def _is_place(part: Any) -> bool:
    return _is_image(part) and all(part.get(name) is None for name in IMAGE_KEYS)


def _put_first(row: dict[str, Any], images: _Images) -> dict[str, Any]:
    parts = [{"type": _IMAGE, _IMAGE: images.next()} for _ in range(len(images))]
    name = next((each for each in _ASKED if row.get(each) is not None), None)
    if name is not None:
        return {name: _before_the_text(row[name], parts, name)}
    return {name: _before_the_text(row[name], parts, name) for name in ("chosen", "rejected") if name in row}


def _before_the_text(value: Any, parts: list[dict[str, Any]], field: str) -> list[Any]:
    if isinstance(value, str):
        return [{"role": "user", "content": [*parts, {"type": "text", "text": value}]}]
    if not isinstance(value, list):
        raise Problem(field, f"is {kind_of(value)}; the images of this row need a message to stand in")
    for position, message in enumerate(value):
        if isinstance(message, dict) and message.get("role") == "user":
            said = message.get("content")
            after = said if isinstance(said, list) else [{"type": "text", "text": said}]
            return [*value[:position], message | {"content": [*parts, *after]}, *value[position + 1 :]]
    raise Problem(field, "has no message of the user in which the images of this row could stand")
