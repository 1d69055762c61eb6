"""What a picture becomes, and what is not taken for one. Everything here is made by the test."""

from __future__ import annotations

import io
import struct
import time
import zlib

import pytest
from PIL import Image, ImageCms

from labeling.importers.pictures import GRID, NoPicture, picture
from tests.pictures import encoded

ORANGE = (200, 100, 50)
PLAIN = Image.new("RGB", (40, 20), ORANGE)
NOISE = Image.effect_noise((300, 300), 50)
WIDE_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()


def kept(sent: bytes) -> Image.Image:
    """The picture as a browser would get it."""
    made = picture(sent)
    image = Image.open(io.BytesIO(made.data))
    image.load()
    assert image.size == (made.width, made.height) and Image.MIME[image.format or ""] == made.media_type
    assert len(made.greys) == GRID[0] * GRID[1]
    return image


def near(image: Image.Image, colour: tuple[int, ...]) -> bool:
    found = image.convert("RGBA" if len(colour) == 4 else "RGB").getpixel((0, 0))
    assert isinstance(found, tuple)
    return all(abs(one - other) < 9 for one, other in zip(found, colour, strict=True))


@pytest.mark.parametrize(
    ("sent", "colour"),
    [
        (encoded(PLAIN), ORANGE),
        (encoded(PLAIN, "JPEG", quality=95), ORANGE),
        (encoded(PLAIN, "WEBP"), ORANGE),
        (encoded(PLAIN, "WEBP", lossless=True), ORANGE),
        (encoded(PLAIN.convert("P")), ORANGE),
        (encoded(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG"), (254, 0, 0)),
        (encoded(Image.new("I;16", (9, 9), 0x8000)), (128, 128, 128)),
        (encoded(Image.new("1", (9, 9), 1)), (255, 255, 255)),
        (encoded(Image.new("LA", (9, 9), (100, 30))), (100, 100, 100, 30)),
        (encoded(PLAIN, transparency=ORANGE), (*ORANGE, 0)),
    ],
)
def test_every_kind_of_pixel_comes_out_as_it_looked(sent: bytes, colour: tuple[int, ...]) -> None:
    assert near(kept(sent), colour)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_what_moves_the_first_frame_is_kept(kind: str) -> None:
    image = kept(encoded(PLAIN, kind, save_all=True, append_images=[Image.new("RGB", (40, 20), "blue")]))
    assert near(image, ORANGE) and not getattr(image, "is_animated", False)


def test_a_camera_turned_on_its_side_and_nothing_of_what_it_noted() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x8298], exif[0x010F] = 6, "whose it is", "the maker"
    sent = encoded(PLAIN, "JPEG", exif=exif, comment=b"a secret comment", icc_profile=WIDE_PROFILE)
    made = picture(sent)
    assert (made.width, made.height) == (20, 40)
    for note in (b"whose it is", b"the maker", b"a secret comment", b"ICC_PROFILE", b"Exif"):
        assert note not in made.data
    notes = encoded(PLAIN, icc_profile=WIDE_PROFILE, dpi=(300, 300))
    assert kept(notes).info.keys() <= {"srgb"}


def test_colours_of_another_profile_become_those_of_srgb() -> None:
    """A profile in which red and green are exchanged, written by hand: three curves and three colours."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red, green = lab.find(b"rXYZ"), lab.find(b"gXYZ")
    exchanged = bytearray(lab)
    exchanged[red : red + 4], exchanged[green : green + 4] = b"gXYZ", b"rXYZ"
    found = kept(encoded(Image.new("RGB", (9, 9), (255, 0, 0)), icc_profile=bytes(exchanged)))
    assert near(found, (0, 255, 0))
    assert near(kept(encoded(PLAIN, icc_profile=b"no profile at all" * 20)), ORANGE)


def test_a_large_one_is_made_smaller_and_keeps_its_shape() -> None:
    image = kept(encoded(Image.new("RGB", (5000, 2500), ORANGE), "JPEG"))
    assert image.size == (2048, 1024) and near(image, ORANGE)
    assert kept(encoded(Image.new("L", (5000, 1)))).size == (2048, 1)


def test_what_was_lossless_stays_so_while_it_is_small() -> None:
    sharp = Image.merge("RGB", [NOISE, NOISE.rotate(90), NOISE.rotate(180)])
    image = kept(encoded(sharp))
    assert image.format == "PNG" and image.tobytes() == sharp.tobytes()
    loud = Image.merge("RGB", [Image.effect_noise((1200, 1200), 90) for _ in range(3)])
    assert kept(encoded(loud, compress_level=1)).format == "JPEG"
    loud.putalpha(Image.effect_noise((1200, 1200), 90))
    assert kept(encoded(loud, compress_level=1)).format == "WEBP"


def test_the_greys_are_a_picture_of_the_picture() -> None:
    dark_above = Image.new("L", (80, 60), 255)
    dark_above.paste(0, (0, 0, 80, 30))
    assert picture(encoded(dark_above)).greys == "0" * 24 + "f" * 24


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(width: int, height: int) -> bytes:
    """A small file that says it is large."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def webp_canvas(side: int) -> bytes:
    sent = bytearray(encoded(PLAIN, "WEBP", save_all=True, append_images=[Image.new("RGB", (40, 20), "blue")]))
    place = sent.index(b"VP8X") + 12
    sent[place : place + 6] = (side - 1).to_bytes(3, "little") * 2
    return bytes(sent)


def endless_jpeg() -> bytes:
    """A progressive JPEG whose last scan comes again and again; each costs a pass over all pixels."""
    sent = encoded(Image.new("L", (6000, 6000)), "JPEG", progressive=True)
    scan = sent[sent.rindex(b"\xff\xda") : -2]
    return sent[:-2] + scan * 20_000 + b"\xff\xd9"


HOSTILE = {
    "says it has 400 million pixels": (png_of(20_000, 20_000), "more than 40 million pixels"),
    "says it has 42 million pixels": (png_of(6000, 7001), "more than 40 million pixels"),
    "a canvas of 268 million pixels": (webp_canvas(16384), "more than 40 million pixels"),
    "passes without end": (endless_jpeg(), "passes over its pixels too often"),
    "holds fewer pixels than it says": (png_of(100, 100), "cut short or damaged"),
    "a JPEG cut short": (encoded(NOISE, "JPEG")[:5000], "cut short or damaged"),
    "a PNG cut short": (encoded(NOISE)[:5000], "cut short or damaged"),
    "a GIF cut short": (encoded(NOISE, "GIF")[:5000], "cut short or damaged"),
    "a WebP cut short": (encoded(NOISE, "WEBP")[:2000], "cut short or damaged"),
    "a TIFF": (encoded(PLAIN, "TIFF"), "is no image that can be read"),
    "a BMP": (encoded(PLAIN, "BMP"), "is no image that can be read"),
    "PostScript": (encoded(PLAIN, "EPS"), "is no image that can be read"),
    "a PDF": (encoded(PLAIN, "PDF"), "is no image that can be read"),
    "a page": (b"<!doctype html><script>alert(1)</script>", "is no image that can be read"),
    "an SVG": (b'\n<!-- x --><svg xmlns="http://www.w3.org/2000/svg"/>', "is SVG"),
    "more than ten megabytes": (encoded(PLAIN) + bytes(10 * 1024 * 1024), "at most 10 MB"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_is_refused_and_soon(name: str) -> None:
    sent, reason = HOSTILE[name]
    began = time.process_time()
    with pytest.raises(NoPicture, match=reason):
        picture(sent)
    assert time.process_time() - began < 20


def test_a_damaged_note_of_the_camera_spoils_nothing() -> None:
    assert near(kept(encoded(PLAIN, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\0\0")), ORANGE)
