"""Images through the API: an assignment gives their addresses, and its token may fetch them."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from labeling.actions.import_items import run_step, start_batch, store_file
from labeling.models import Image
from tests.pictures import part, png, zipped

pytestmark = pytest.mark.django_db

FILES = {"asked.png": png("teal"), "said.png": png("red", (60, 20))}
ASKED = [part("asked.png", alt="A field"), {"type": "text", "text": "What is it?"}]
ROW = {
    "conversation": [{"role": "user", "content": ASKED}],
    "responses": [{"content": [part("said.png")], "model": "sec-one"}, {"content": "A sea.", "model": "sec-two"}],
}


@pytest.fixture
def shown(study: dict[str, Any]) -> dict[str, Any]:
    """What Rui gets when the only open pair has images."""
    study["queue"].slots.all().delete()
    sent = store_file(ContentFile(zipped([ROW], FILES)))
    assert not run_step(start_batch(project=study["project"], by=None, name="x.zip", stored=sent))
    got: dict[str, Any] = study["api"]["Rui"].post(f"/queues/{study['queue'].pk}/claim/").json()
    return got


def test_content_has_parts_where_there_are_images(shown: dict[str, Any]) -> None:
    image, text = shown["conversation"][0]["content"]
    token = Image.objects.get(width=40).token
    address = f"/api/v1/images/{token}/"
    assert image == {"type": "image", "image": address, "alt": "A field", "width": 40, "height": 30}
    assert text == {"type": "text", "text": "What is it?"}
    sides = [shown[side]["content"] for side in ("left", "right")]
    assert "A sea." in sides
    (said,) = next(side for side in sides if isinstance(side, list))
    assert said["alt"] == "" and said["image"] == f"/api/v1/images/{Image.objects.get(width=60).token}/"
    assert "asked.png" not in str(shown) and "sec-" not in str(shown)


def test_the_token_of_a_member_fetches_the_bytes(study: dict[str, Any], shown: dict[str, Any]) -> None:
    path = shown["conversation"][0]["content"][0]["image"].removeprefix("/api/v1")
    answer = study["api"]["Rui"].client.get(f"/api/v1{path}")
    body = b"".join(answer.streaming_content)
    with default_storage.open(Image.objects.get(width=40).storage_name) as kept:
        assert body == kept.read()
    assert answer.headers["Content-Type"] == "image/png" and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert study["api"]["Otto"].get(path).status_code == 404
    assert study["api"]["Rui"].get("/images/none/").status_code == 404


def test_a_queue_can_be_told_to_blur(study: dict[str, Any]) -> None:
    mara, queue = study["api"]["Mara"], study["queue"]
    assert mara.patch(f"/queues/{queue.pk}/", {"blur_images": True}).json()["blur_images"] is True
    queue.refresh_from_db()
    assert queue.blur_images
    made = mara.post(f"/projects/{study['project'].slug}/queues/", {"name": "Photos", "blur_images": True})
    assert made.status_code == 201 and made.json()["blur_images"] is True
