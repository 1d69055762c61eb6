"""Images of an import: kept once, with the items that show them, whatever happens to the worker in between."""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from PIL import Image as Picture

from labeling.actions import import_items
from labeling.actions.import_items import run_step, start_batch, store_file
from labeling.actions.keep_images import SHELVES, SHELVES_AN_HOUR, Album, shelves_of_the_hour, sweep_images
from labeling.models import Batch, Image, Item, Project, Refusal, Response
from labeling.rendering import render
from tests import make
from tests.pictures import encoded, noise, part, png, zipped

pytestmark = pytest.mark.django_db

TEAL, RED = png("teal"), png("red", (60, 20))
FILES = {"teal.png": TEAL, "red.png": RED}


@pytest.fixture
def project() -> Project:
    return make.project()


@pytest.fixture(autouse=True)
def empty_folder() -> Iterator[None]:
    """The database forgets a test's images by itself, the storage does not."""
    yield
    sweep_images(SHELVES, older_than=timedelta(days=-1))
    for name in stored():
        default_storage.delete(name)


def stored() -> list[str]:
    root = Path(default_storage.path("images"))
    return sorted(str(path.relative_to(root.parent)) for path in root.rglob("*") if path.is_file())


def row(number: int, *images: str, **columns: Any) -> dict[str, Any]:
    text = {"type": "text", "text": f"What is **{number}**?"}
    content = [*(part(name, alt="A field") for name in images), text]
    return {"prompt": [{"role": "user", "content": content}], "responses": ["A tea.", "A sea."]} | columns


def batch_of(project: Project, rows: list[dict[str, Any]], files: dict[str, bytes] = FILES) -> Batch:
    sent = store_file(ContentFile(zipped(rows, files)))
    return start_batch(project=project, by=None, name="photos.zip", stored=sent)


def test_images_are_stored_with_their_items(project: Project) -> None:
    answer = [{"type": "text", "text": "Like *this*:"}, part("red.png"), {"type": "text", "text": "No?"}]
    batch = batch_of(project, [row(1, "teal.png", responses=[{"content": answer, "model": "m"}, "A sea."])])
    assert not run_step(batch)
    assert (batch.state, batch.kept, batch.refused) == ("done", 1, 0)
    teal, red = Image.objects.order_by("width")
    assert (teal.project, teal.media_type, teal.width, teal.height) == (project, "image/png", 40, 30)
    assert stored() == sorted(image.storage_name for image in (teal, red))
    item = Item.objects.get()
    shown = {"type": "image", "image": teal.token, "alt": "A field", "width": 40, "height": 30, "greys": "5" * 48}
    assert item.conversation == [{"role": "user", "content": [shown, {"type": "text", "text": "What is **1**?"}]}]
    place = '<figure data-image="0"></figure>\n'
    assert item.conversation_html[0]["html"] == place + render("What is **1**?").html
    first, second = Response.objects.order_by("position")
    assert first.parts is not None and first.content == "Like *this*:\n\nNo?" and first.parts[1]["image"] == red.token
    assert first.html == render("Like *this*:").html + "\n" + place + render("No?").html
    assert second.parts is None and second.content == "A sea."


def test_the_same_image_is_one_in_a_project_and_another_elsewhere(project: Project) -> None:
    assert not run_step(batch_of(project, [row(n, "teal.png", "red.png") for n in range(5)]))
    again = batch_of(project, [row(9, "teal.png"), row(2, "teal.png", "red.png"), row(2, "red.png", "teal.png")])
    assert not run_step(again)
    assert (again.kept, again.duplicate) == (2, 1)
    assert Image.objects.count() == 2 == len(stored())
    other = make.project("other", "Other")
    assert not run_step(batch_of(other, [row(1, "teal.png")]))
    assert {image.token for image in Image.objects.filter(project=other)}.isdisjoint(
        image.token for image in Image.objects.filter(project=project)
    )


def test_of_a_refused_row_nothing_is_kept(project: Project) -> None:
    batch = batch_of(project, [row(1, "teal.png", "none.png"), row(2, "https://example.org/x.png"), row(3)])
    assert not run_step(batch)
    assert (batch.kept, batch.refused) == (1, 2)
    fields = list(Refusal.objects.filter(batch=batch).values_list("line", "field"))
    assert fields == [(1, "prompt[0].content[1].image"), (2, "prompt[0].content[0].image")]
    assert not stored() and not Image.objects.exists()


def test_a_worker_killed_after_the_files_loses_and_doubles_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks of one row; the second dies between its files and its rows."""
    monkeypatch.setattr(import_items, "CHUNK_ROWS", 1)
    files = {f"{n}.png": png(size=(20 + n, 20)) for n in range(4)}
    batch = batch_of(project, [row(n, f"{n}.png", "0.png") for n in range(4)], files)
    tokens, calls = Album.tokens, []

    def killed(album: Album, drafts: Any) -> Any:
        calls.append(album)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return tokens(album, drafts)

    monkeypatch.setattr(Album, "tokens", killed)
    with pytest.raises(KeyboardInterrupt):
        run_step(batch)
    assert (Item.objects.count(), Image.objects.count(), len(stored())) == (1, 1, 2)
    Batch.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert not run_step(Batch.objects.get())
    assert (Item.objects.count(), Image.objects.count(), Batch.objects.get().kept) == (4, 4, 4)
    assert len(stored()) == 5, "the file of the dead worker lies there still"
    assert sweep_images(SHELVES) == 0, "it may be of an import that is running"
    assert sweep_images(SHELVES, older_than=timedelta(0)) == 1
    assert stored() == sorted(Image.objects.values_list("storage_name", flat=True))


def test_files_of_items_that_another_import_brought_first_are_deleted(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = batch_of(project, [row(1, "teal.png")]), batch_of(project, [row(1, "teal.png")])
    write = Album.write

    def overtaken(album: Album, drafts: Any) -> None:
        write(album, drafts)
        monkeypatch.setattr(Album, "write", write)
        assert not run_step(theirs)

    monkeypatch.setattr(Album, "write", overtaken)
    assert not run_step(mine)
    assert (mine.kept, mine.duplicate, theirs.kept) == (0, 1, 1)
    assert len(stored()) == 1 == Image.objects.count()


def test_every_shelf_has_its_turn_within_two_days(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    now = timezone.now()
    for hour in range(48):
        monkeypatch.setattr(timezone, "now", lambda hour=hour: now + timedelta(hours=hour))
        assert len(shelves_of_the_hour()) == SHELVES_AN_HOUR
        seen |= {*shelves_of_the_hour()}
    assert seen == {*SHELVES}


def test_neither_addresses_nor_ids_follow_the_order_of_the_responses(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = random.Random(7)  # so that the test is the same every time
    monkeypatch.setattr(secrets, "token_hex", lambda size: drawn.randbytes(size).hex())
    rows, files = [], {}
    for number in range(60):
        for side in "ab":
            files[f"{number}{side}.png"] = png(size=(20 + number, 20 + (side == "b")))
        answers = [{"content": [part(f"{number}{side}.png")]} for side in "ab"]
        rows.append(row(number, responses=answers))
    assert not run_step(batch_of(project, rows, files))
    ids = {image.token: image.pk for image in Image.objects.all()}
    by_address = by_id = 0
    for item in Item.objects.all():
        first, second = (each.parts[0]["image"] for each in item.responses.order_by("position") if each.parts)
        by_address += first < second
        by_id += ids[first] < ids[second]
    assert 20 < by_address < 40
    assert 20 < by_id < 40


MEMORY = """
import resource, sys, django
django.setup()
from labeling.actions.import_items import run_step
from labeling.models import Batch
from PIL import Image
Image.init()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
batch = Batch.objects.get(pk=int(sys.argv[1]))
while run_step(batch):
    pass
print(batch.kept, before // 1024, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.django_db(transaction=True)
def test_an_import_holds_a_few_images_at_a_time(project: Project) -> None:
    """40 images of 2 MB in a process of its own: 80 MB as they are sent, as much again decoded and kept."""
    first = noise(0, (850, 850))
    assert 1.9 < len(first) / 1024**2 < 2.2
    files = {f"{n}.png": first + n.to_bytes(4, "big") for n in range(40)}
    batch = batch_of(project, [row(n, f"{n}.png") for n in range(40)], files)
    facts = connection.settings_dict
    address = f"postgresql://{facts['USER']}@{quote(str(facts['HOST']), safe='')}/{facts['NAME']}"
    if facts["PORT"]:
        address = address.replace(f"/{facts['NAME']}", f":{facts['PORT']}/{facts['NAME']}")
    said = subprocess.run(
        [sys.executable, "-c", MEMORY, str(batch.pk)], check=True, capture_output=True, text=True,
        env=os.environ | {"DATABASE_URL": address},
    ).stdout  # fmt: skip
    kept, before, peak = map(int, said.split())
    assert kept == 40 == Image.objects.count()
    assert peak - before < 70, said


def test_what_was_sent_is_not_what_is_kept(project: Project) -> None:
    note = b"GPS 52.0907 N 5.1214 E"
    sent = encoded(Picture.new("RGB", (40, 30), "teal"), "JPEG", comment=note)
    assert note in sent and not run_step(batch_of(project, [row(1, "x.jpg")], {"x.jpg": sent}))
    image = Image.objects.get()
    with default_storage.open(image.storage_name) as kept:
        assert note not in kept.read()
    assert "x.jpg" not in image.storage_name
