"""Pictures and archives of them, made as the tests need them."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

from PIL import Image


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png(colour: str = "teal", size: tuple[int, int] = (40, 30)) -> bytes:
    return encoded(Image.new("RGB", size, colour))


def noise(seed: int, size: tuple[int, int]) -> bytes:
    """A PNG of about three bytes a pixel, different for each seed."""
    image = Image.merge("RGB", [Image.effect_noise(size, 90) for _ in range(3)])
    image.putpixel((0, 0), (seed % 256, seed // 256 % 256, 7))
    return encoded(image, compress_level=1)


def data_uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def part(image: Any, **more: Any) -> dict[str, Any]:
    return {"type": "image", "image": image} | more


def say(*parts: Any, text: str = "") -> list[dict[str, Any]]:
    return [*parts, *([{"type": "text", "text": text}] if text else [])]


def zipped(rows: Iterable[Mapping[str, Any]], files: Mapping[str, bytes], name: str = "rows.jsonl") -> bytes:
    """A zip of rows as JSON lines, and of files by their names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "".join(json.dumps(row) + "\n" for row in rows))
        for each, data in files.items():
            archive.writestr(each, data)
    return out.getvalue()
