"""Archives as they are sent: what is read of them, and what refuses them as a whole. None writes a file anywhere."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labeling.importers import ItemFile, Unreadable
from tests.importers.reading import lines, read
from tests.pictures import part, png, zipped

ROW = {
    "prompt": [{"role": "user", "content": [part("img/a.png"), {"type": "text", "text": "What is it?"}]}],
    "responses": ["A tea.", "A sea."],
}
ROWS = lines([ROW])
IMAGE = png()


def zip_of(files: Sequence[tuple[str | zipfile.ZipInfo, bytes]], packing: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


def tar_of(files: Sequence[tuple[str | tarfile.TarInfo, bytes]], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(
        pa.table({"prompt": ["What?"], "image": ["img/a.png"], "response_a": ["x"], "response_b": ["y"]}), out
    )
    return out.getvalue()


GOOD = [("rows.jsonl", ROWS), ("img/a.png", IMAGE)]
READ = {
    "stored": zip_of(GOOD),
    "deflated": zip_of(GOOD, zipfile.ZIP_DEFLATED),
    "in a folder": zip_of([(f"set/{name}", data) for name, data in GOOD]),
    "with what systems add": zip_of([*GOOD, ("__MACOSX/._rows.jsonl", b"x"), (".DS_Store", b"x"), ("README.md", b"x")]),
    "Parquet": zip_of([("rows.parquet", parquet()), ("img/a.png", IMAGE)], zipfile.ZIP_DEFLATED),
    "tar": tar_of(GOOD),
    "tar.gz": tar_of(GOOD, "w:gz"),
    "tar.zst": pa.compress(tar_of(GOOD), "zstd", asbytes=True),
    "tar with Parquet": tar_of([("./rows.parquet", parquet()), ("./img/a.png", IMAGE)]),
    "old tar": tar_of(GOOD),
}


@pytest.mark.parametrize("name", READ)
def test_an_archive_is_read_whatever_it_is_called(name: str) -> None:
    source = ItemFile(io.BytesIO(READ[name]), name="upload")
    source.check()
    (draft,) = source.drafts()
    assert len(draft.pictures) == 1  # type: ignore[union-attr]
    assert source.bytes_read == len(READ[name])


def test_only_rows_in_an_archive_are_fine_too() -> None:
    drafts, _ = read(zip_of([("x.csv", b"prompt,response_a,response_b\na,b,c\n")]), "x.zip")
    assert len(drafts) == 1


def link(kind: bytes, to: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo("img/a.png")
    info.type, info.linkname = kind, to
    return info


def unix_link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("img/a.png")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


def encrypted() -> bytes:
    sent = bytearray(zip_of(GOOD))
    for place in (sent.index(b"PK\x03\x04") + 6, sent.index(b"PK\x01\x02") + 8):
        sent[place] |= 1
    return bytes(sent)


def overlapping() -> bytes:
    """Many names for the bytes of one file, which the list of files may say."""
    one = zip_of([("rows.jsonl", ROWS), ("img/a.png", bytes(50_000))])
    begin, end = one.index(b"PK\x01\x02"), one.rindex(b"PK\x05\x06")
    entries = [one[begin + 56 : end]]
    listed = one[begin : begin + 56] + b"".join(entries[0].replace(b"img/a", b"im%03d" % n) for n in range(50))
    tail = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 51, 51, len(listed), begin, 0)
    return one[:begin] + listed + tail


def endless_list() -> bytes:
    """The end of a zip that says its list of files takes two gigabytes."""
    return zip_of(GOOD)[:-22] + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 2, 2, 2_000_000_000, 0, 0)


def long_header() -> bytes:
    """A tar whose first header says that it goes on for a gigabyte; gzip makes it small."""
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 1024**3
    return info.tobuf(tarfile.USTAR_FORMAT) + bytes(2 * 1024 * 1024)


OUTSIDE = "outside itself"
REFUSED: dict[str, tuple[bytes, str]] = {
    "out by dots": (zip_of([("../../tmp/zip_slip_marker.jsonl", ROWS)]), OUTSIDE),
    "out by dots further in": (zip_of([*GOOD, ("img/../../x.png", IMAGE)]), OUTSIDE),
    "an absolute name": (zip_of([("/tmp/zip_abs_marker.jsonl", ROWS)]), OUTSIDE),
    "a drive": (zip_of([*GOOD, ("C:evil.png", IMAGE)]), OUTSIDE),
    "backslashes": (zip_of([("..\\..\\x.jsonl", ROWS)]), OUTSIDE),
    "a line end": (zip_of([*GOOD, ("a\nb.png", IMAGE)]), OUTSIDE),
    "a tar out by dots": (tar_of([("../rows.jsonl", ROWS)]), OUTSIDE),
    "an absolute tar": (tar_of([("/rows.jsonl", ROWS)]), OUTSIDE),
    "a link in a zip": (zip_of([("rows.jsonl", ROWS), (unix_link(), b"/etc/passwd")]), "is a link or device"),
    "a link in a tar": (tar_of([("rows.jsonl", ROWS), (link(tarfile.SYMTYPE, "/etc/passwd"), b"")]), "is a link"),
    "a hard link": (tar_of([("rows.jsonl", ROWS), (link(tarfile.LNKTYPE, "rows.jsonl"), b"")]), "is a link"),
    "a device": (tar_of([("rows.jsonl", ROWS), (link(tarfile.CHRTYPE, ""), b"")]), "is a link or device"),
    "a name twice": (zip_of([*GOOD, ("img//a.png", IMAGE)]), "“img/a.png” twice"),
    "one name in two spellings": (zip_of([*GOOD, ("\u00e9.png", IMAGE), ("e\u0301.png", IMAGE)]), "twice"),
    "an archive inside": (zip_of([*GOOD, ("more.zip", zip_of(GOOD))]), "holds another one"),
    "packed rows inside": (zip_of([("rows.jsonl.gz", gzip.compress(ROWS)), ("a.png", IMAGE)]), "holds another one"),
    "two data files": (zip_of([*GOOD, ("b.csv", b"x")]), "several data files"),
    "no data file": (zip_of([("img/a.png", IMAGE)]), "no data file"),
    "nothing": (zip_of([]), "no data file"),
    "encrypted": (encrypted(), "is encrypted"),
    "an unusual packing": (zip_of(GOOD, zipfile.ZIP_LZMA), "packed in an unusual way"),
    "a bomb of text": (zip_of([("rows.jsonl", bytes(64 * 1024 * 1024))], zipfile.ZIP_DEFLATED), "200 times its size"),
    "a bomb in a tar": (gzip.compress(tar_of([("rows.jsonl", bytes(64 * 1024 * 1024))])), "200 times its size"),
    "files that overlap": (overlapping(), "cut short or damaged, or its files overlap"),
    "an endless list of files": (endless_list(), "more than 200,000 files"),
    "a header of a gigabyte": (long_header(), "cut short or damaged"),
    "a zip cut short": (zip_of(GOOD)[:-40], "cut short or damaged"),
    "a tar cut short": (tar_of([("rows.jsonl", ROWS), ("img/a.png", bytes(60_000))])[:30_000], "cut short or damaged"),
    "a tar.gz cut short": (tar_of([*GOOD, ("b.png", bytes(range(256)) * 999)], "w:gz")[:-300], "cut short or damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_is_refused_as_a_whole(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sent, reason = REFUSED[name]
    began = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match=reason):
            read(sent, "x.tar.gz" if sent.startswith(b"\x1f\x8b") else "")
        assert tracemalloc.get_traced_memory()[1] < 100 * 1024**2
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 60
    assert not list(tmp_path.iterdir())


def test_rows_damaged_inside_a_zip_are_known_before_anything_is_kept() -> None:
    sent = bytearray(zip_of([("rows.jsonl", ROWS * 500), ("img/a.png", IMAGE)]))
    sent[20_000] ^= 0xFF
    with pytest.raises(Unreadable, match=r"“rows\.jsonl” in the archive is damaged"):
        read(bytes(sent), "x.zip")


def test_an_image_damaged_inside_a_zip_refuses_its_row() -> None:
    sent = bytearray(zipped([ROW, ROW | {"prompt": "Text?"}], {"img/a.png": IMAGE}))
    place = sent.index(b"IDAT")
    sent[place] ^= 0xFF
    drafts, refused = read(bytes(sent), "x.zip")
    assert len(drafts) == 1 and "is damaged in the archive" in refused[0].reason
