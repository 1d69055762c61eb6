"""Bytes of a stranger → a picture of our own: decoded once, at import, and written anew from its pixels alone.

What decoding may cost is counted before it begins: bytes, pixels, and how often a progressive JPEG passes over them.
Within these limits a picture takes two seconds at the very most, and 350 MB of memory while it is decoded.
"""

from __future__ import annotations

import io
import struct
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
MOST_PASSED = 1_000_000_000  # pixels times the scans of a JPEG: a file of 10 MB may have 100,000 of them
LONGEST_SIDE = 2048
LARGEST_LOSSLESS = 2 * 1024 * 1024
GRID = (8, 6)
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_SCAN = b"\xff\xda"
_LARGEST_PROFILE = 4 * 1024 * 1024
_KNOWN = "PNG, JPEG, WebP and GIF are read"


class NoPicture(Exception):
    """The bytes cannot be taken as a picture; the message goes on after the name of the field."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`sha256` is of the bytes as sent, `data` what is kept of them: PNG, JPEG or WebP in sRGB without metadata.

    `greys` is the picture on a grid of 8 × 6, a hex digit of brightness each, row by row: what is shown of it
    before it is opened.
    """

    sha256: str
    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    greys: str


def picture(sent: bytes) -> Picture:
    """Raises NoPicture. The first frame of what moves; turned as its camera held it; no side above LONGEST_SIDE."""
    if not sent:
        raise NoPicture("is an empty file; send the image")
    if len(sent) > MOST_BYTES:
        size = f"{len(sent) / 1024**2:.1f} MB"
        raise NoPicture(f"has {size}; at most {MOST_BYTES // 1024**2} MB are taken, so make it smaller")
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(sent), formats=_FORMATS) as opened:
            _stay_affordable(opened, sent)
            image = _decoded(opened)
    except UnidentifiedImageError:
        raise NoPicture(_unknown(sent)) from None
    except Image.DecompressionBombError:
        raise NoPicture(_too_large()) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, MemoryError) as error:
        raise NoPicture(f"is cut short or damaged ({str(error)[:80]}); send it again") from None
    data, media_type = _encoded(image, lossless=_is_lossless(sent))
    return Picture(sha256(sent).hexdigest(), data, media_type, image.width, image.height, _greys(image))


def _stay_affordable(opened: Image.Image, sent: bytes) -> None:
    pixels = opened.width * opened.height
    if pixels > MOST_PIXELS:
        raise NoPicture(_too_large())
    if opened.format == "JPEG" and pixels * sent.count(_SCAN) > MOST_PASSED:
        raise NoPicture("passes over its pixels too often, as no camera writes it; save it as a plain JPEG")


def _too_large() -> str:
    return f"has more than {MOST_PIXELS // 10**6} million pixels; make it smaller"


def _unknown(sent: bytes) -> str:
    head = sent[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<") and b"<svg" in head:
        return f"is SVG, which can hold scripts and load from outside; save it as PNG ({_KNOWN})"
    return f"is no image that can be read; {_KNOWN}"


def _decoded(opened: Image.Image) -> Image.Image:
    """The first frame, small enough, upright, in sRGB, and with nothing beside its pixels: L, RGB or RGBA."""
    profile = opened.info.get("icc_profile")
    opened.draft(None, (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is decoded at a half or a quarter
    opened.load()
    image = _of_plain_mode(opened)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    with suppress(OSError, SyntaxError, ValueError, KeyError, TypeError, struct.error):  # a damaged EXIF block
        image = ImageOps.exif_transpose(image)
    image = _in_srgb(image, profile)
    image.info = {}  # or the encoders would write comments and profiles that came along
    return image


def _of_plain_mode(image: Image.Image) -> Image.Image:
    """L, RGB, RGBA or CMYK; 16 bits of grey become 8."""
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode.startswith("I"):
        return image.point(lambda level: level * (1 / 256)).convert("L")
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    if isinstance(profile, bytes) and len(profile) <= _LARGEST_PROFILE:
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a profile that does not fit is no profile
            into = ImageCms.createProfile("sRGB")
            made = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), into, outputMode=mode
            )
            if made is not None:
                return made
    return image.convert("RGB") if image.mode == "CMYK" else image


def _is_lossless(sent: bytes) -> bool:
    """By how it came: what was a photograph already may be written as one again."""
    return not sent.startswith(b"\xff\xd8") and not (sent[:4] == b"RIFF" and b"VP8 " in sent[:2048])


def _encoded(image: Image.Image, *, lossless: bool) -> tuple[bytes, str]:
    """What was lossless stays so while that is small."""
    see_through = image.mode == "RGBA"
    if lossless or see_through:
        data = _saved(image, "PNG", compress_level=4)
        if len(data) <= LARGEST_LOSSLESS:
            return data, "image/png"
    if see_through:
        return _saved(image, "WEBP", quality=90, method=2), "image/webp"
    return _saved(image, "JPEG", quality=92, subsampling=0), "image/jpeg"


def _saved(image: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _greys(image: Image.Image) -> str:
    solid = image
    if image.mode == "RGBA":
        solid = Image.new("RGBA", image.size, "#999")
        solid.alpha_composite(image)
    return "".join(f"{grey >> 4:x}" for grey in solid.convert("L").resize(GRID, Image.Resampling.BOX).tobytes())
