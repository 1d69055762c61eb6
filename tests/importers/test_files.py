"""Containers and packings: what is read, what is refused by line, and what changes nothing."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labeling.importers import ItemDraft, ItemFile, Refused, Unreadable
from tests.importers.reading import lines, pair, read

CORPUS = Path(__file__).parents[3] / "shared" / "security" / "corpora" / "imports"
ROWS = [pair(id=f"r{n}", prompt=f"Question {n}?") for n in range(300)]
# combining and composed, joiners, right to left, emoji with modifiers, tags, line ends of every kind
STRANGE = "e\u0301 \u00e9 \u200b\u200d \u05d0\u202b \U0001f469\u200d\U0001f680 \u2028\u2029\x85 \r\n \r \t\ufeff end "


def zstd(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, "zstd", asbytes=True)
    return packed


def parquet(rows: list[dict[str, object]], **options: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, **options)
    return out.getvalue()


def csv(rows: list[list[str]], delimiter: str = ",") -> bytes:
    quoted = (delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in rows)
    return "".join(quoted).encode()


WRITTEN = {
    "x.jsonl": lines(ROWS),
    "x.json": json.dumps(ROWS, indent=1).encode(),
    "x.csv": csv([list(ROWS[0]), *(list(row.values()) for row in ROWS)]),
    "x.parquet": parquet(ROWS, row_group_size=70),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("packing", ["", ".gz", ".zst"])
def test_every_container_and_packing_gives_the_same(name, packing):
    pack = {"": bytes, ".gz": gzip.compress, ".zst": zstd}[packing]
    drafts, refused = read(pack(WRITTEN[name]), name + packing)
    assert not refused
    assert [draft.external_id for draft in drafts] == [f"r{n}" for n in range(300)]
    assert drafts[7].conversation == [{"role": "user", "content": "Question 7?"}]


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("skip", [1, 69, 70, 256, 299, 300])
def test_reading_on_is_the_same_as_reading_through(name, skip):
    whole, rest = read(WRITTEN[name], name)[0], read(WRITTEN[name], name, skip=skip)[0]
    assert rest == whole[skip:]


@pytest.mark.parametrize("name", WRITTEN)
def test_the_place_in_the_file_moves_to_its_end(name):
    source = ItemFile(io.BytesIO(WRITTEN[name]), name=name)
    source.check()
    list(source.drafts())
    assert source.bytes_read == len(WRITTEN[name])


@pytest.mark.parametrize("name", WRITTEN)
def test_text_survives_code_point_by_code_point(name):
    row = pair(prompt=f"Keep {STRANGE}", response_a=f"A{STRANGE}", response_b=f"{STRANGE}B")
    if name == "x.csv":
        content = csv([list(row), list(row.values())])
    else:
        content = {"x.jsonl": lines([row]), "x.json": json.dumps([row], ensure_ascii=False).encode()}.get(
            name
        ) or parquet([row])
    (draft,), refused = read(content, name)
    assert not refused
    assert draft.conversation[0]["content"] == row["prompt"]
    assert [each.content for each in draft.responses] == [row["response_a"], row["response_b"]]


@pytest.mark.skipif(not CORPUS.exists(), reason="the corpus of malformed files is not beside this checkout")
def test_the_corpus_of_malformed_files():
    wrong = []
    for entry in json.loads((CORPUS / "manifest.json").read_text()):
        try:
            drafts, refused = read((CORPUS / entry["file"]).read_bytes(), entry["file"])
        except Unreadable as error:
            right = entry["verdict"] in ("reject", "either") and str(error)
        else:
            kept = len({draft.fingerprint for draft in drafts})
            bad = bool(refused) or kept < len(drafts)
            expected = {"accept": not bad, "report": bad, "reject": False, "either": True}[entry["verdict"]]
            right = expected and (entry["verdict"] == "either" or kept == entry["rows"])
            right = right and (not refused or not entry["bad"] or entry["bad"][0] in {each.line for each in refused})
        if not right:
            wrong.append(entry["file"])
    assert wrong == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"prompt": "a", "prompt": "b", "response_a": "x", "response_b": "y"}', "“prompt” twice"),
        (b'{"prompt": "a", "response_a": "x", "response_b": "y", "m": {"k": 1, "k": 2}, "k": 0}', "“k” twice"),
        (b'{"prompt": "a", "response_a": "x", "response_b": "y", "m": NaN}', "NaN"),
        (b'{"prompt": "a", "response_a": "x", "response_b": "\xff"}', "byte 51 is 0xFF"),
        (b'{"prompt": "a"', "is not JSON"),
        (b"[1, 2]", "is not an object"),
        (b"[" * 5000 + b"]" * 5000, "nested too deeply"),
        (b'{"prompt": "' + b"x" * (10 * 1024 * 1024) + b'"}', "longer than 10 MB"),
    ],
)
def test_a_line_is_refused_and_the_next_one_read(line, reason):
    drafts, refused = read(lines([pair()]) + b"\n" + line + b"\r\n" + lines([pair(prompt="Next?")]), "x.jsonl")
    assert len(drafts) == 2
    assert [each.line for each in refused] == [3]
    assert reason in refused[0].reason


def test_metadata_numbers_stay_exact():
    number = 123456789012345678901234567890
    (draft,), _ = read(b'{"prompt": "a", "response_a": "x", "response_b": "y", "n": %d, "f": 1e20}' % number)
    assert draft.metadata == {"n": number, "f": 1e20}


def test_depth_is_limited():
    deep: object = 1
    for _ in range(60):
        deep = [deep]
    _, refused = read(lines([pair(), pair(prompt="b", meta=deep)]))
    assert "nested deeper than 50" in refused[0].reason


def test_an_array_is_read_over_bad_rows_and_says_what_follows_it():
    good = json.dumps(pair(note='brackets ]}{[ and "quotes" \\ in text'))
    content = f'\n[\n {good},\n {{"prompt": oops}},\n\n {good.replace("Which", "What")}\n]\n{good}'.encode()
    drafts, refused = read(content, "x.json")
    assert [draft.line for draft in drafts] == [3, 6]
    assert [(each.line, each.reason.split(":")[0]) for each in refused] == [
        (4, "is not JSON"),
        (8, "stands after the end of the array"),
    ]


def test_an_array_cut_short_keeps_what_was_whole():
    content = json.dumps(ROWS, indent=1).encode()
    drafts, refused = read(content[: len(content) // 2], "x.json")
    assert len(drafts) in (150, 151)
    assert len(refused) == 1


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_fields_keep_separators_quotes_and_line_ends(delimiter):
    cells = [f'a{delimiter}b "c"\r\nd', "x\n\ny", "plain"]
    drafts, _ = read(csv([["prompt", "response_a", "response_b"], cells, cells[::-1]], delimiter), "x.csv")
    assert [draft.line for draft in drafts] == [2, 6]
    assert drafts[0].conversation[0]["content"] == cells[0]
    assert [each.content for each in drafts[0].responses] == cells[1:]


def test_a_parquet_row_with_other_types():
    when = datetime(2024, 5, 18, tzinfo=UTC)
    rows = [
        pair(n=1.5, when=when, tags=["x"], deep={"a": [1, 2], "b": {"c": Decimal("1.10")}}, raw=None),
        pair(prompt="B?", n=2.5, when=None, tags=[], deep=None, raw=b"binary"),
    ]
    drafts, refused = read(parquet(rows), "x.parquet")
    assert [(each.line, each.field) for each in refused] == [(2, "raw")]
    assert drafts[0].metadata == {"n": 1.5, "when": str(when), "deep": {"a": [1, 2], "b": {"c": "1.10"}}}
    assert drafts[0].tags == ["x"]


def test_parquet_conversations():
    turns = [{"role": "user", "content": "Hi"}]
    rows = [
        {
            "prompt": turns,
            "chosen": [{"role": "assistant", "content": "a"}],
            "rejected": [{"role": "assistant", "content": "b"}],
        }
    ]
    (draft,), _ = read(parquet(rows))
    assert draft.conversation == turns


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"", "x.jsonl", "The file is empty"),
        (b"\n\n \n", "x.jsonl", "no rows"),
        (b"prompt,response_a,response_b\n", "x.csv", "no rows"),
        (b"foo,bar\n1,2\n", "x.csv", "found foo, bar"),
        (b"a,a\n1,2\n", "x.csv", "“a” twice"),
        ("ä,ö".encode("utf-16"), "x.csv", "UTF-16"),
        (b"\x7fELF\x01\x02\x03\x04" * 20, "x.csv", "byte 5 is 0x01"),
        (b"PK\x03\x04rest", "x.zip", "ZIP archives are not read"),
        (gzip.compress(gzip.compress(b"x", mtime=0), mtime=0), "x.jsonl.gz", "packed twice"),
        (lines(ROWS), "x.jsonl.gz", "named like gzip"),
        (gzip.compress(lines(ROWS), mtime=0)[:-200], "x.jsonl.gz", "cut short or damaged"),
        (zstd(lines(ROWS))[:-200], "x.jsonl.zst", "cut short or damaged"),
        (gzip.compress(bytes(64 * 1024 * 1024), mtime=0), "x.jsonl.gz", "200 times its size"),
        (parquet(ROWS)[:-300], "x.parquet", "cut short or damaged"),
        (b"prompt,response_a,response_b\na,b,c\n", "x.parquet", "named like Parquet"),
        (b"<!doctype html>", "x.jsonl", "No row could be read; line 1"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(content, name, says):
    with pytest.raises(Unreadable, match=says):
        read(content, name)


def test_a_damaged_file_names_the_line_it_could_be_read_to():
    half = gzip.compress(lines(pair(prompt=f"{n} {n * n}") for n in range(50_000)), 1)
    with pytest.raises(Unreadable, match=r"up to line [\d,]{4,}; nothing of it was kept"):
        read(half[: len(half) // 2], "x.jsonl.gz")


def test_members_of_a_gzip_file_are_all_read():
    drafts, _ = read(gzip.compress(lines(ROWS[:3])) + gzip.compress(lines(ROWS[3:5])))
    assert len(drafts) == 5


def test_a_format_can_be_asked_for_and_must_exist():
    with pytest.raises(Unreadable, match="needed chosen, rejected"):
        read(lines(ROWS), format_name="hh_rlhf")
    with pytest.raises(Unreadable, match="no format “nonsense”"):
        read(lines(ROWS), format_name="nonsense")


def test_too_many_parquet_rows_are_refused_by_their_count():
    table = pa.table({"prompt": pa.array(["q"] * 5_000_001).dictionary_encode()})
    out = io.BytesIO()
    pq.write_table(table, out)
    with pytest.raises(Unreadable, match="5,000,001 rows"):
        read(out.getvalue())


def test_refusals_and_drafts_keep_the_order_of_the_file():
    content = lines([pair(prompt="1?"), pair(prompt=""), pair(prompt="3?")])
    source = ItemFile(io.BytesIO(content))
    source.check()
    assert [(type(row), row.line) for row in source.drafts()] == [(ItemDraft, 1), (Refused, 2), (ItemDraft, 3)]
