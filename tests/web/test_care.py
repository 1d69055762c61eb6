"""The care page, for managers: topics, whom raters can talk to, exposure, what was put aside."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from labeling.actions.assign import claim, skip
from labeling.actions.care import check_in
from labeling.actions.topics import add_topic, choose_topics
from labeling.models import Exposure, Project, Slot, Topic
from tests import make

pytestmark = pytest.mark.django_db
NEW = {"new-key": "self-harm", "new-name": "self-harm", "new-description": "", "new-severity": "3"} | {
    "new-daily_pairs": "5",
    "new-daily_minutes": "60",
}
CARE = {"support": "Dr. Lin, 0800 111", "break_after_minutes": "30", "break_after_pairs": "0"}


def test_a_topic_is_made_of_a_tag_and_says_what_is_missing(mara: Client, study: dict[str, Any]) -> None:
    make.pair(study["project"], tags=["self-harm"])
    assert 'value="self-harm"' in mara.get("/projects/advice/care/").text  # the tags that are there are offered
    answer = mara.post("/projects/advice/care/topics/add/", NEW, follow=True)
    assert "comes only to raters who choose it now" in answer.text
    assert "Sensitive pairs are not given out: say first whom raters can talk to." in answer.text
    assert "1 item" in answer.text and "chosen by 0 raters" in answer.text
    assert Slot.objects.filter(lane="self-harm").count() == 2
    answer = mara.post("/projects/advice/care/change/", CARE, follow=True)
    assert "not given out" not in answer.text
    project = Project.objects.get()
    assert (project.support, project.break_after_minutes, project.break_after_pairs) == ("Dr. Lin, 0800 111", 30, 0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"new-key": "two words"}, "Enter a valid value"),
        ({"new-key": "taken"}, "There is a topic for the tag “taken” already."),
        ({"new-severity": "9"}, "Select a valid choice"),
        ({"new-daily_pairs": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_topic_that_cannot_be_is_told_at_its_field(
    mara: Client, study: dict[str, Any], wrong: dict[str, str], said: str
) -> None:
    add_topic(project=study["project"], by=None, key="taken", name="Taken")
    answer = mara.post("/projects/advice/care/topics/add/", NEW | wrong)
    assert answer.status_code == 422 and said in answer.text
    assert Topic.objects.count() == 1


def test_a_topic_is_changed_and_removed_with_a_tick(mara: Client, study: dict[str, Any]) -> None:
    made = add_topic(project=study["project"], by=None, key="self-harm", name="self-harm")
    here = f"/projects/advice/care/topics/{made.pk}/"
    fields = {"name": "self-injury", "description": "Hard.", "severity": "1", "daily_pairs": "7", "daily_minutes": "9"}
    mara.post(here, {f"topic{made.pk}-{name}": value for name, value in fields.items()})
    made.refresh_from_db()
    assert (made.name, made.severity, made.daily_pairs, made.daily_minutes) == ("self-injury", 1, 7, 9)
    wrong = mara.post(here, {f"topic{made.pk}-{name}": value for name, value in (fields | {"name": ""}).items()})
    assert wrong.status_code == 422 and "<details" in wrong.text and "open>" in wrong.text
    assert "Tick the box" in mara.post(f"{here}remove/", follow=True).text and Topic.objects.exists()
    assert "everyday comparisons now" in mara.post(f"{here}remove/", {"sure": "1"}, follow=True).text
    assert not Topic.objects.exists()


def test_a_topic_of_another_project_is_not_there(mara: Client, study: dict[str, Any]) -> None:
    other = make.project(slug="other", name="Other")
    topic = add_topic(project=other, by=None, key="x", name="X")
    for address in (f"topics/{topic.pk}/", f"topics/{topic.pk}/remove/"):
        assert mara.post(f"/projects/other/care/{address}").status_code == 404
        assert mara.post(f"/projects/advice/care/{address}").status_code == 404
    pair = make.pair(other)
    assert mara.post(f"/projects/advice/care/pairs/{pair.pk}/put-back/").status_code == 404


def test_exposure_is_counted_by_person_and_goes_to_a_file(mara: Client, study: dict[str, Any]) -> None:
    day = timezone.now().date()
    facts = {"project": study["project"], "user": study["people"]["Rui"], "day": day}
    Exposure.objects.create(topic="self-harm", shown=4, milliseconds=300_000, **facts)
    page = mara.get("/projects/advice/care/").text
    row = page[page.index("Pairs opened") :]
    assert "Rui" in row and ">4<" in row and ">5<" in row
    got: Any = mara.get("/projects/advice/care/exposure.csv")
    lines = b"".join(got.streaming_content).decode().splitlines()
    assert lines[1] == f'"{day}","rui@example.org","self-harm","4","300"'


def test_only_shared_answers_are_there(mara: Client, study: dict[str, Any]) -> None:
    for name, shared in (("Rui", True), ("Rosa", False)):
        check_in(project=study["project"], user=study["people"][name], feeling="not_good", shared=shared)
    page = mara.get("/projects/advice/care/").text
    said = page[page.index("How people said they are") :]
    assert "Rui" in said and "Not good" in said and "Rosa" not in said


def test_who_chose_what_is_not_told(mara: Client, study: dict[str, Any]) -> None:
    add_topic(project=study["project"], by=None, key="self-harm", name="self-harm")
    addresses = ("/projects/advice/care/", "/projects/advice/")
    before = [mara.get(address).text.count("Rui") for address in addresses]
    choose_topics(project=study["project"], rater=study["people"]["Rui"], keys=["self-harm"])
    assert [mara.get(address).text.count("Rui") for address in addresses] == before
    assert "chosen by 1 rater<" in mara.get("/projects/advice/care/").text.replace(" ·", "<")


def test_a_broken_pair_is_told_on_three_pages_and_put_back(mara: Client, study: dict[str, Any]) -> None:
    queue, people = study["queue"], study["people"]
    queue.slots.exclude(pair=study["pairs"][0]).delete()
    for name in ("Rui", "Rosa"):
        held = claim(queue=queue, rater=people[name])
        assert held is not None
        skip(assignment=held, rater=people[name], reason="broken", comment=f"<b>It ends</b> in mid-{name.lower()}")
    for address in ("", f"queues/{queue.pk}/", "care/"):
        assert "1 pair is out of rotation" in mara.get(f"/projects/advice/{address}").text
    page = mara.get("/projects/advice/care/").text
    assert "&lt;b&gt;It ends&lt;/b&gt; in mid-rui" in page and "Question" in page
    here = f"/projects/advice/care/pairs/{study['pairs'][0].pk}/put-back/"
    assert "in rotation again" in mara.post(here, follow=True).text
    assert "in rotation already" in mara.post(here, follow=True).text
    assert "1 pair is out of rotation" not in mara.get("/projects/advice/").text


def test_care_refuses_what_cannot_be(mara: Client, study: dict[str, Any]) -> None:
    answer = mara.post("/projects/advice/care/change/", CARE | {"break_after_minutes": "241"})
    assert answer.status_code == 422 and "less than or equal to 240" in answer.text
