"""Mara's own program adds a webhook, tries it, reads what became of it, and takes it away."""

from __future__ import annotations

from typing import Any

import pytest

from labeling import tasks
from labeling.models import AuditEntry, Delivery, Webhook
from tests.receiver import receiver

HOOKS = "/projects/advice/webhooks/"
EVENTS = ["snapshot.ready", "batch.imported"]


@pytest.fixture
def mara(study: dict[str, Any]) -> Any:
    return study["api"]["Mara"]


def test_from_adding_to_a_message_that_arrived(mara: Any, settings: Any) -> None:
    with receiver() as state:
        settings.ALLOWED_ENDPOINT_ORIGINS = [state.url.removesuffix("/hook")]
        made = mara.post(HOOKS, {"url": state.url, "events": EVENTS})
        assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
        path = f"{HOOKS}{made.json()['id']}/"
        sent = mara.post(f"{path}test/")
        assert (sent.status_code, sent.json()["state"]) == (202, "waiting")
        tasks.deliver_webhook(sent.json()["id"])
        assert state.hits
    [line] = mara.get(f"{path}deliveries/").json()["results"]
    assert (line["event"], line["state"], line["status"], line["attempts"]) == ("test", "done", 204, 1)
    assert "secret" not in mara.get(path).json() and "secret" not in mara.get(HOOKS).json()["results"][0]


@pytest.mark.usefixtures("study")
def test_pausing_rotating_sending_again_and_removing(mara: Any, study: dict[str, Any]) -> None:
    hook = Webhook.objects.create(project=study["project"], url="https://example.org/", events=EVENTS)
    path = f"{HOOKS}{hook.pk}/"
    assert mara.patch(path, {"paused": True}).json()["paused_at"] is not None
    assert mara.patch(path, {"paused": True}).status_code == 200, "pausing twice is no error"
    assert mara.patch(path, {"paused": False}).json()["paused_at"] is None
    first, second = (mara.post(f"{path}secret/").json()["secret"] for _ in range(2))
    assert first != second
    over = Delivery.objects.create(webhook=hook, event="test", message_id="msg_1", body="{}", state="failed")
    again = mara.post(f"/projects/advice/deliveries/{over.pk}/again/")
    assert (again.status_code, again.json()["state"], again.json()["message_id"]) == (202, "waiting", "msg_1")
    assert mara._checked("delete", path, mara.client.delete("/api/v1" + path)).status_code == 204
    assert mara.get(path).status_code == 404 and not Webhook.objects.exists()
    acts = set(AuditEntry.objects.filter(target_type="webhook").values_list("act", flat=True))
    assert {"webhook.paused", "webhook.resumed", "webhook.secret_rotated", "webhook.deleted"} <= acts


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "https://example.org/", "events": []}, "events"),
        ({"url": "https://example.org/", "events": ["rain"]}, "events.0"),
        ({"url": "http://127.0.0.1:9/", "events": EVENTS}, "url"),
        ({"url": "https://example.org/", "events": EVENTS, "secret": "mine"}, "secret"),
        ({"events": EVENTS}, "url"),
    ],
)
def test_what_is_refused_says_which_field(mara: Any, body: dict[str, Any], field: str) -> None:
    answer = mara.post(HOOKS, body)
    assert answer.status_code == 400 and field in answer.json()["errors"], answer.content
    assert not Webhook.objects.exists()


def test_a_change_names_what_it_changes(mara: Any, study: dict[str, Any]) -> None:
    hook = Webhook.objects.create(project=study["project"], url="https://example.org/", events=EVENTS)
    answer = mara.patch(f"{HOOKS}{hook.pk}/", {"url": "https://elsewhere.example/"})
    assert answer.status_code == 400 and "url" in answer.json()["errors"]
