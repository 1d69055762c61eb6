"""Images in rows: every spelling gives the same parts; what is no picture, or is not there, refuses its row."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labeling.importers import ItemDraft, Refused
from tests.importers.reading import lines, read
from tests.pictures import data_uri, part, png, say, zipped

TEAL, RED = png("teal"), png("red")
NAMES = {sha256(TEAL).hexdigest(): "teal", sha256(RED).hexdigest(): "red"}
FILES = {"img/teal.png": TEAL, "img/red.png": RED}
TEXT = {"type": "text", "text": "What is it?"}
ASKED = {"role": "user", "content": [part("img/teal.png"), TEXT]}
ANSWERS = {"responses": ["A tea.", "A sea."]}


def shown(content: Any) -> Any:
    """Content with the colour of each image for its hash."""
    if isinstance(content, str):
        return content
    return [NAMES[each["image"]] if each["type"] == "image" else each["text"] for each in content]


def only(rows: list[dict[str, Any]], files: dict[str, bytes] = FILES) -> ItemDraft:
    (draft,), refused = read(zipped(rows, files), "x.zip")
    assert not refused
    return draft


def refusal(row: dict[str, Any], files: dict[str, bytes] = FILES) -> Refused:
    drafts, refused = read(zipped([row, {"prompt": "Next?"} | ANSWERS], files), "x.zip")
    assert len(drafts) == 1
    return refused[0]


URI = data_uri(TEAL)
SPELLINGS: dict[str, dict[str, Any]] = {
    "a file name": part("img/teal.png"),
    "a file name from here": part("./img/teal.png"),
    "a data URI": part(URI),
    "OpenAI chat": {"type": "image_url", "image_url": {"url": URI, "detail": "high"}},
    "OpenAI chat, short": {"type": "image_url", "image_url": URI},
    "OpenAI responses": {"type": "input_image", "image_url": URI},
    "Anthropic": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": b64encode(TEAL).decode()},
    },
    "transformers, a path": {"type": "image", "path": "img/teal.png"},
    "transformers, a URL": {"type": "image", "url": URI},
    "datasets, a path": part({"bytes": None, "path": "img/teal.png"}),
    "nothing else given": part("img/teal.png", text=None, image_url=None),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_an_image_is_the_same(name: str) -> None:
    draft = only([{"prompt": [{"role": "user", "content": [SPELLINGS[name], TEXT]}]} | ANSWERS])
    assert shown(draft.conversation[0]["content"]) == ["teal", "What is it?"]
    (picture,) = draft.pictures.values()
    assert (picture.media_type, picture.width, picture.height) == ("image/png", 40, 30)
    plain = only([{"prompt": [ASKED]} | ANSWERS])
    assert draft.fingerprint == plain.fingerprint


def test_a_response_may_have_images_in_its_own_order() -> None:
    content = [*say(part("img/red.png", alt=" A red field. "), text="Red."), part("img/teal.png")]
    draft = only([{"prompt": "Paint.", "responses": [{"content": content, "model": "m"}, {"content": "No."}]}])
    first, second = draft.responses
    assert shown(first.parts) == ["red", "Red.", "teal"] and first.content == "Red." and second.parts is None
    assert first.parts is not None
    assert [each.get("alt") for each in first.parts] == ["A red field.", None, ""]


def test_an_image_is_enough_of_a_message() -> None:
    draft = only(
        [{"prompt": [{"role": "user", "content": [*say(part(URI)), {"type": "text", "text": " "}]}]} | ANSWERS]
    )
    assert shown(draft.conversation[0]["content"]) == ["teal"]


TURN = [{"role": "user", "content": [{"type": "image"}, TEXT]}]
VISION: dict[str, dict[str, Any]] = {
    "explicit": {"prompt": TURN, "chosen": [{"role": "assistant", "content": "A tea."}],
                 "rejected": [{"role": "assistant", "content": "A sea."}]},
    "implicit": {"chosen": [*TURN, {"role": "assistant", "content": "A tea."}],
                 "rejected": [*TURN, {"role": "assistant", "content": [{"type": "text", "text": "A sea."}]}]},
    "without a place": {"prompt": "What is it?", "chosen": "A tea.", "rejected": "A sea."},
    "plain columns": {"prompt": "What is it?", "response_a": "A tea.", "response_b": "A sea."},
    "native": {"prompt": TURN, **ANSWERS},
}  # fmt: skip


@pytest.mark.parametrize("name", VISION)
@pytest.mark.parametrize("images", [{"images": ["img/teal.png"]}, {"image": "img/teal.png"}, {"images": [URI]}])
def test_a_column_of_images_as_vision_datasets_have_it(name: str, images: dict[str, Any]) -> None:
    draft = only([VISION[name] | images])
    assert shown(draft.conversation[0]["content"]) == ["teal", "What is it?"]
    assert sorted(each.content for each in draft.responses) == ["A sea.", "A tea."]
    assert "image" not in draft.metadata and "images" not in draft.metadata


def test_a_parquet_file_holds_the_bytes_of_its_images() -> None:
    row = VISION["implicit"] | {"images": [{"bytes": TEAL, "path": None}]}
    row["rejected"] = [*TURN, {"role": "assistant", "content": [TEXT | {"text": "A sea."}]}]
    row["chosen"] = [*TURN, {"role": "assistant", "content": [TEXT | {"text": "A tea."}]}]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([row] * 9), out)
    drafts, refused = read(out.getvalue(), "x.parquet")
    assert not refused and len(drafts) == 9
    assert all(shown(draft.conversation[0]["content"]) == ["teal", "What is it?"] for draft in drafts)


def test_places_take_images_in_the_order_of_the_row() -> None:
    answers = [{"content": [{"type": "image"}]}, {"content": [{"type": "image"}, TEXT]}]
    row = {"prompt": TURN, "responses": answers, "images": ["img/red.png", "img/teal.png", "img/red.png"]}
    draft = only([row])
    assert shown(draft.conversation[0]["content"]) == ["red", "What is it?"]
    assert [shown(each.parts) for each in draft.responses] == [["teal"], ["red", "What is it?"]]


def test_chosen_and_rejected_images_are_stored_in_an_order_that_does_not_tell() -> None:
    """Neither texts nor names may decide: here both texts are empty and only the images differ."""
    first = 0
    for number in range(40):
        good, bad = png(size=(20 + number, 20)), png(size=(20, 30 + number))
        row = {
            "prompt": f"Draw {number}.",
            "chosen": [{"role": "assistant", "content": say(part("a/chosen.png"))}],
            "rejected": [{"role": "assistant", "content": say(part("a/rejected.png"))}],
        }
        row["prompt"] = [{"role": "user", "content": f"Draw {number}."}]
        files = {"a/chosen.png": good, "a/rejected.png": bad}
        uris = json.loads(
            json.dumps(row).replace("a/chosen.png", data_uri(good)).replace("a/rejected.png", data_uri(bad))
        )
        draft, named = only([uris]), only([row], files)
        is_first = draft.responses[0].parts[0]["image"] == sha256(good).hexdigest()  # type: ignore[index]
        assert draft.metadata["imported_verdict"] == {"chosen": "first" if is_first else "second"}
        assert {each.fingerprint for each in named.responses} == {each.fingerprint for each in draft.responses}
        first += is_first
    assert 8 < first < 32


def test_the_fingerprint_covers_images_but_not_their_descriptions() -> None:
    def fingerprint(content: Any) -> str:
        return only([{"prompt": [{"role": "user", "content": content}]} | ANSWERS]).fingerprint

    same = fingerprint([part("img/teal.png"), TEXT])
    assert fingerprint([part(URI, alt="A field"), TEXT]) == same
    assert fingerprint([part("img/red.png"), TEXT]) != same
    assert fingerprint([TEXT, part("img/teal.png")]) != same
    assert fingerprint("What is it?") != same


def test_texts_keep_the_fingerprints_that_they_had_before_there_were_images() -> None:
    (draft,), _ = read(lines([{"prompt": "Which?", "response_a": "This.", "response_b": "That."}]))
    told = json.dumps([[["user", "Which?"]], [["That.", ""], ["This.", ""]]], separators=(",", ":"))
    assert draft.fingerprint == sha256(told.encode()).hexdigest()
    assert draft.responses[0].fingerprint == sha256(b"This.").hexdigest()


OUTSIDE = "images are never loaded from outside; put the file into the archive"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
SHOW = "prompt[0].content[0].image"


@pytest.mark.parametrize(
    ("image", "field", "reason"),
    [
        ("https://example.org/a.png", SHOW, OUTSIDE),
        ("//example.org/a.png", SHOW, OUTSIDE),
        ("file:///etc/passwd", SHOW, OUTSIDE),
        ({"url": "http://169.254.169.254/"}, SHOW + ".url", OUTSIDE),
        ("img/none.png", SHOW, "is not in the archive"),
        ("../img/teal.png", SHOW, "is no name of a file in the archive"),
        ("/etc/passwd", SHOW, "is no name of a file in the archive"),
        ("img\\teal.png", SHOW, "is no name of a file in the archive"),
        ("data:image/png,plain", SHOW, "is not a data URI with base64"),
        ("data:image/png;base64,????", SHOW, "is not base64"),
        (data_uri(b"nothing"), SHOW, "is no image that can be read"),
        (data_uri(SVG, "image/svg+xml"), SHOW, "is SVG, which can hold scripts"),
        (data_uri(b""), SHOW, "is an empty file"),
        (7, SHOW, "is a number where an image is due"),
        ({}, SHOW, "names no image"),
        (None, "prompt[0].content[0]", "names no image"),
        ("rows.jsonl", SHOW, "is no image that can be read"),
    ],
)
def test_a_row_is_refused_by_the_field_of_its_image(image: Any, field: str, reason: str) -> None:
    found = refusal({"prompt": [{"role": "user", "content": [part(image), TEXT]}]} | ANSWERS)
    assert (found.line, found.field) == (1, field)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ({"prompt": TURN, "images": ["img/teal.png", "img/red.png"]}, "images", "has 2 images for 1 places"),
        ({"prompt": TURN * 2, "images": ["img/teal.png"]}, "images", "has 1 images for 2 places"),
        ({"prompt": [ASKED], "images": ["img/teal.png"]}, "images", "stands beside images that the messages name"),
        ({"prompt": [{"role": "system", "content": "x"}], "image": "img/red.png"}, "prompt", "no message of the user"),
        ({"prompt": "x", "images": ["https://example.org/a.png"]}, "images[0]", OUTSIDE),
        ({"prompt": [{"role": "user", "content": [part("img/teal.png")] * 33}]}, "images", "at most 32"),
        ({"prompt": "x", "responses": [{"content": [part("img/red.png")]}, {"content": [part(data_uri(RED))]}]},
         "responses", "two responses are identical"),
    ],
)  # fmt: skip
def test_a_row_whose_images_do_not_fit_is_refused(row: dict[str, Any], field: str, reason: str) -> None:
    found = refusal(ANSWERS | row)
    assert found.field == field and reason in found.reason


def test_a_name_without_an_archive_says_what_to_do() -> None:
    _, refused = read(lines([{"prompt": [ASKED]} | ANSWERS]), "x.jsonl")
    assert refused[0].field == SHOW and "pack them and their images into one .zip" in refused[0].reason


def test_a_csv_file_names_its_images_in_a_column() -> None:
    rows = "prompt,image,response_a,response_b\nWhat is it?,teal.png,A tea.,A sea.\nAnd now?,,Yes.,No.\n"
    content = zipped([], {"set/teal.png": TEAL, "set/pairs.csv": rows.encode()}, name="set/.hidden.jsonl")
    drafts, refused = read(content, "x.zip")
    assert not refused
    assert [shown(draft.conversation[0]["content"]) for draft in drafts] == [["teal", "What is it?"], "And now?"]


def test_reading_on_reaches_the_same_images() -> None:
    rows = [{"prompt": [{"role": "user", "content": [part(name), TEXT | {"text": f"{n}?"}]}]} | ANSWERS
            for n, name in enumerate(["img/teal.png", "img/red.png"] * 5)]  # fmt: skip
    whole, rest = read(zipped(rows, FILES), "x.zip")[0], read(zipped(rows, FILES), "x.zip", skip=7)[0]
    assert rest == whole[7:] and len(rest) == 3


def test_a_picture_too_large_to_send_is_refused() -> None:
    huge = TEAL + bytes(10 * 1024 * 1024)
    found = refusal({"prompt": "x", "image": "huge.png"} | ANSWERS, {"huge.png": huge})
    assert found.field == "image" and "at most 10 MB are taken" in found.reason
