"""Images where people meet them: on the desk, at their addresses, in the first rows of an import, in a queue."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Picture

from labeling.actions.import_items import run_step, start_batch, store_file
from labeling.actions.queues import change_queue
from labeling.models import Assignment, Image, Membership, Project, Queue
from tests import make
from tests.pictures import encoded, part, png, zipped
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db

TEAL, RED, NAVY = png("teal"), png("red", (60, 20)), png("navy", (20, 60))
FILES = {"gpt-1.png": TEAL, "gpt-2.png": RED, "gpt-3.png": NAVY}
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
PLACE = '<figure data-image="0"></figure>'


def rows(**columns: Any) -> list[dict[str, Any]]:
    content = [part("gpt-1.png", alt="A teal field"), {"type": "text", "text": "Which is alike?"}]
    answers = [
        {"content": [part("gpt-2.png", alt=EVIL), {"type": "text", "text": f"This. {PLACE}"}], "model": "sec-one"},
        {"content": [part("gpt-3.png")], "model": "sec-two"},
    ]
    return [{"conversation": [{"role": "user", "content": content}], "responses": answers} | columns]


def load(project: Project, **columns: Any) -> None:
    sent = store_file(ContentFile(zipped(rows(**columns), FILES)))
    batch = start_batch(project=project, by=None, name="x.zip", stored=sent)
    assert not run_step(batch)
    assert batch.kept == 1, batch.refusals.all()


@pytest.fixture
def project() -> Project:
    made = make.project()
    load(made)
    return made


@pytest.fixture
def rui(project: Project) -> Client:
    client = signed_in(make.cast(project)["Rui"])
    assert client.post(f"/compare/{make.queue(project).pk}/next/").status_code == 302
    return client


def desk(client: Client, project: Project) -> str:
    return str(client.get(f"/compare/{make.queue(project).pk}/").text)


def fetched(client: Client, path: str) -> Any:
    answer: Any = client.get(path)
    answer.body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer


def test_the_desk_shows_each_image_with_its_size_and_its_words(rui: Client, project: Project) -> None:
    page = desk(rui, project)
    for image in Image.objects.all():
        size = f'width="{image.width}" height="{image.height}" loading="lazy" decoding="async"'
        assert page.count(f'<img src="/images/{image.token}/" {size}') == 1
        assert f'<a href="/images/{image.token}/" target="_blank" rel="noopener"' in page
    assert page.count('<figure class="picture"') == 3 and "<figure data-image" not in page
    assert '<figcaption dir="auto">A teal field</figcaption>' in page and page.count("No description") == 1
    assert 'alt="Image without a description"' in page
    assert page.index("A teal field") < page.index("Which is alike?")


def test_neither_a_description_nor_a_text_can_make_markup(rui: Client, project: Project) -> None:
    page = desk(rui, project)
    assert "<script>alert" not in page and "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "&lt;figure data-image=" in page, "what a text writes of a place stays a text"


def test_nothing_on_the_page_or_in_the_addresses_tells_the_stored_order(rui: Client, project: Project) -> None:
    """The same page whichever way round, but for the addresses, which are drawn at random."""
    held = Assignment.objects.get()
    pages = []
    for swapped in (False, True):
        Assignment.objects.filter(pk=held.pk).update(swapped=swapped)
        page = desk(rui, project)
        columns = re.findall(r'<article class="resp".*?</article>', page, re.DOTALL)
        pages.append([column[column.index("data-panel") : column.index("</figure>")] for column in columns])
        for hidden in ("sec-one", "sec-two", "gpt-", "swapped"):
            assert hidden not in page
    assert pages[0] == pages[1][::-1] and len(pages[0]) == 2


def test_a_veiled_image_is_closed_and_shows_greys_that_cost_no_request(rui: Client, project: Project) -> None:
    change_queue(queue=make.queue(project), by=None, blur_images=True)
    page = desk(rui, project)
    assert page.count("<details><summary><svg") == 3 and page.count("Show the image") == 3
    assert page.count("<rect ") == 3 * 48 and "<details open" not in page
    assert page.count('loading="lazy"') == page.count("<img ") == 3
    assert 'as="image"' not in page


def test_an_image_is_exactly_what_it_is_and_nothing_else(rui: Client, project: Project) -> None:
    image = Image.objects.get(width=60)
    answer = fetched(rui, f"/images/{image.token}/")
    with default_storage.open(image.storage_name) as kept:
        assert answer.body == kept.read()
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/png"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "inline"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Last-Modified" not in answer.headers, "it would tell what was stored first"
    assert "gpt" not in str(answer.headers)
    assert rui.post(f"/images/{image.token}/").status_code == 405


def test_of_another_project_or_of_none_the_answer_is_the_same(project: Project) -> None:
    people = make.cast(project)
    other = make.project("other", "Other")
    load(other)
    theirs = Image.objects.filter(project=other).first()
    assert theirs is not None
    asked = [
        signed_in(people["Rui"]).get(f"/images/{token}/")
        for token in (theirs.token, "0" * 32, str(theirs.pk), theirs.token[:31], "a" * 300)
    ]
    assert {answer.status_code for answer in asked} == {404}
    assert len({answer.text[answer.text.index("<main") : answer.text.index("</main>")] for answer in asked}) == 1
    make.member(other, "Rui", "rater")
    assert fetched(signed_in(people["Rui"]), f"/images/{theirs.token}/").status_code == 200
    Membership.objects.filter(project=other).delete()
    assert signed_in(people["Rui"]).get(f"/images/{theirs.token}/").status_code == 404
    for odd in ("/images/%00/", "/images/../", f"/images/{theirs.token}%2f..%2f/", "/images//"):
        assert signed_in(people["Rui"]).get(odd).status_code in (404, 301), odd


def test_an_image_whose_file_is_gone_is_a_404(rui: Client, project: Project) -> None:
    image = Image.objects.get(width=60)
    default_storage.delete(image.storage_name)
    assert rui.get(f"/images/{image.token}/").status_code == 404


def test_a_queue_is_told_to_veil_in_its_form(project: Project) -> None:
    mara, queue = signed_in(make.cast(project)["Mara"]), make.queue(project)
    address = f"/projects/{project.slug}/queues/{queue.pk}/"
    rules = {"name": queue.name, "overlap": "3", "lease_minutes": "20"}
    assert mara.post(f"{address}change/", rules | {"blur_images": "on"}).status_code == 302
    assert Queue.objects.get(pk=queue.pk).blur_images
    assert re.search(r'name="blur_images"[^>]*checked', mara.get(f"{address}change/").text)
    assert mara.post(f"{address}change/", rules).status_code == 302
    assert not Queue.objects.get(pk=queue.pk).blur_images
    made = mara.post(f"/projects/{project.slug}/queues/new/", rules | {"name": "Photos", "blur_images": "on"})
    assert made.status_code == 302 and Queue.objects.get(name="Photos").blur_images


def test_the_first_rows_of_a_file_name_their_images(project: Project) -> None:
    mara = signed_in(make.cast(project)["Mara"])
    content = zipped([*rows(id="seen"), {"prompt": "x", "image": "none.png", "responses": ["a", "b"]}], FILES)
    answer = mara.post(
        f"/projects/{project.slug}/imports/new/", {"file": SimpleUploadedFile("photos.zip", content)}, follow=True
    )
    page = answer.text
    assert "photos.zip" in page and "Which is alike?" in page and "A teal field" in page
    assert page.count(">Image</span>") == 3 and page.count("No description") == 1
    assert "is not in the archive; put the file in, or correct the name" in page
    assert Image.objects.count() == 3, "looking keeps nothing new"


def test_a_jpeg_is_sent_as_one(project: Project) -> None:
    sent = encoded(Picture.new("RGB", (64, 64), "teal"), "JPEG")
    row = {"prompt": "y", "image": "y.jpg", "responses": ["a", "b"]}
    stored = store_file(ContentFile(zipped([row], {"y.jpg": sent})))
    batch = start_batch(project=project, by=None, name="y.zip", stored=stored)
    assert not run_step(batch)
    answer = fetched(signed_in(make.cast(project)["Noor"]), f"/images/{Image.objects.get(width=64).token}/")
    assert answer.headers["Content-Type"] == "image/jpeg" and answer.body.startswith(b"\xff\xd8")
