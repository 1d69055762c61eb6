"""A message's or a response's content: text, or parts of text and images. How images are written in files, and what
such a part becomes.

An image part is {"type": "image", "image": …, "alt": …}, where `image` is a `Sent` until the reading has looked at
its bytes, and their SHA-256 afterwards.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from labeling.importers.checks import Problem, kind_of, text

MOST_ALT = 2000
MOST_IMAGES = 32
NOT_FROM_OUTSIDE = "images are never loaded from outside; put the file into the archive and write its name here"

Part = dict[str, Any]
Content = str | list[Part]

IMAGE_TYPES = frozenset({"image", "image_url", "input_image"})
IMAGE_KEYS = ("image", "image_url", "source", "url", "path", "data", "bytes")
_TEXT_TYPES = frozenset({"text", "input_text", "output_text"})


@dataclass(frozen=True, slots=True)
class Sent:
    """An image as a row has it: its bytes, or the name of a file beside the rows. `field` is where the row says so."""

    field: str
    name: str = ""
    data: bytes | None = None

    @property
    def key(self) -> str:
        """What tells it from another as long as its bytes are unknown."""
        return self.name if self.data is None else sha256(self.data).hexdigest()


def content(value: Any, field: str, *, blank: bool) -> Content:
    """Text as it is; text parts joined by an empty line; parts as they come where there is an image among them."""
    if not isinstance(value, list):
        return text(value, field, blank=blank)
    parts = [_part(part, f"{field}[{position}]") for position, part in enumerate(value)]
    if any(part["type"] == "image" for part in parts):
        return [part for part in parts if part["type"] == "image" or part["text"].strip()]
    for position, part in enumerate(parts):
        text(part["text"], f"{field}[{position}].text")
    return text("\n\n".join(part["text"] for part in parts), field, blank=blank)


def text_of(found: Content) -> str:
    return found if isinstance(found, str) else "\n\n".join(texts_of(found))


def texts_of(parts: Iterable[Part]) -> list[str]:
    return [part["text"] for part in parts if part["type"] == "text"]


def images_of(found: Content) -> Iterator[Part]:
    return (part for part in found if part["type"] == "image") if isinstance(found, list) else iter(())


def seen(found: Iterable[Part]) -> list[list[str]]:
    """What a person sees of parts, for a fingerprint: texts and images in order; a description is neither."""
    return [["text", part["text"]] if part["type"] == "text" else ["image", _key(part["image"])] for part in found]


def sent(value: Any, field: str) -> Sent:
    """An image from a data URI, a file's name, or the bytes that a Parquet file holds."""
    if isinstance(value, Sent):
        return value
    if isinstance(value, dict):
        return _of_object(value, field)
    if isinstance(value, (bytes, bytearray)):
        return Sent(field, data=bytes(value))
    if not isinstance(value, str):
        raise Problem(field, f"is {kind_of(value)} where an image is due; give a file name or a data URI")
    if value[:5].lower() == "data:":
        return Sent(field, data=_of_data_uri(value, field))
    if "://" in value or value.startswith("//"):
        raise Problem(field, NOT_FROM_OUTSIDE)
    return Sent(field, name=text(value, field, most=1000))


def _part(part: Any, field: str) -> Part:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in _TEXT_TYPES:
        return {"type": "text", "text": text(part.get("text"), f"{field}.text", blank=True)}
    if kind not in IMAGE_TYPES:
        raise Problem(field, 'is not a part that can be read; use {"type": "text", …} or {"type": "image", …}')
    name = next((each for each in IMAGE_KEYS if part.get(each) is not None), None)
    if name is None:
        raise Problem(field, "names no image; give its file name or a data URI, or a column `images` with as many")
    return {"type": "image", "image": sent(part[name], f"{field}.{name}"), "alt": _alt(part.get("alt"), field)}


def _alt(value: Any, field: str) -> str:
    return "" if value is None else text(value, f"{field}.alt", most=MOST_ALT, blank=True).strip()


def _of_object(value: dict[str, Any], field: str) -> Sent:
    """{"url"}, {"bytes", "path"} of a Parquet file, or {"type": "base64", "data"}."""
    if value.get("type") == "base64" and isinstance(value.get("data"), str):
        return Sent(field, data=_of_base64(value["data"], field))
    name = next((each for each in ("bytes", "url", "path", "data") if value.get(each) is not None), None)
    if name is None or isinstance(value[name], dict):
        raise Problem(field, "names no image; give a file name, a data URI, or bytes")
    return sent(value[name], f"{field}.{name}")


def _of_data_uri(value: str, field: str) -> bytes:
    kind, comma, encoded = value.partition(",")
    if not comma or not kind.lower().endswith(";base64"):
        raise Problem(field, "is not a data URI with base64; write data:image/png;base64,…")
    return _of_base64(encoded, field)


def _of_base64(value: str, field: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise Problem(field, "is not base64; encode the image's bytes again") from None


def _key(image: Sent | str) -> str:
    return image if isinstance(image, str) else image.key
