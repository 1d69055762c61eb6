"""Known answers that are mixed into the work: how raters meet them, and a manager's pages."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from labeling.actions import leasing
from labeling.actions.annotate import submit
from labeling.actions.assign import claim, release, skip
from labeling.actions.gold_lane import FIRST_NUMBER, MOST_SHOWN, tend_gold_lanes
from labeling.actions.gold_pairs import make_gold, retire_gold
from labeling.actions.guidelines import publish_guideline
from labeling.actions.queues import change_queue, create_queue
from labeling.actions.refusals import Refused
from labeling.actions.topics import add_topic
from labeling.models import (
    Assignment,
    AuditEntry,
    GoldAnswer,
    GoldPair,
    GoldResult,
    Pair,
    Participation,
    Project,
    Queue,
    Slot,
    User,
)
from labeling.models.queues import GOLD
from labeling.reports.gold import gold_pairs
from labeling.reports.progress import queue_progress
from tests import make
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
SAFE = {"safety.left.safe": "yes", "safety.right.safe": "yes"}


@pytest.fixture
def project() -> Project:
    made = make.project(overlap=2)
    make.cast(made)
    made.queues.update(gold_percent=50)
    return made


@pytest.fixture
def queue(project: Project) -> Queue:
    return make.queue(project)


@pytest.fixture
def mara(project: Project) -> Client:
    return signed_in(User.objects.get(name="Mara"))


@pytest.fixture
def rui(project: Project) -> User:
    return User.objects.get(name="Rui")


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """The draw says each time that a known answer is due."""
    monkeypatch.setattr(leasing, "draw", lambda: 0)


def gold(project: Project, *, explanation: str = "", principle: int | None = None, **known: Any) -> GoldPair:
    """A pair of which it is known that the second response is more helpful, or what `known` says."""
    pair = make.pair(project, gold=known or {"helpfulness": 2})
    by = User.objects.get(name="Mara")
    return make_gold(pair=pair, by=by, source="import", explanation=explanation, principle=principle)


def slots(pair: Pair) -> list[tuple[str, str]]:
    return list(Slot.objects.filter(pair=pair).order_by("number").values_list("lane", "state"))


def body(assignment: Assignment, helpfulness: int) -> dict[str, Any]:
    """Answers of which `helpfulness` is in stored order."""
    return {"judgments": {"helpfulness": {"preference": -helpfulness if assignment.swapped else helpfulness}}}


def form(assignment: Assignment, helpfulness: int) -> dict[str, Any]:
    shown = -helpfulness if assignment.swapped else helpfulness
    return {"helpfulness.preference": shown, "harmlessness.preference": shown, **SAFE}


def claimed(queue: Queue, rater: User, of: GoldPair | None = None) -> Assignment:
    found = claim(queue=queue, rater=rater)
    assert found is not None
    assert of is None or found.pair_id == of.pair_id, "the draw gave another pair"
    return found


def results(of: GoldPair) -> list[bool]:
    return list(GoldResult.objects.filter(gold_pair=of).order_by("pk").values_list("right", flat=True))


# --- making them -----------------------------------------------------------------------------------


def test_a_pair_with_a_known_answer_leaves_the_work_and_is_mixed_in(project: Project, queue: Queue) -> None:
    make.pairs(project, 2)
    before = queue.pair_count
    known = gold(project)
    queue.refresh_from_db()
    lanes = slots(known.pair)
    assert lanes == [(GOLD, "open")] * MOST_SHOWN and queue.pair_count == before + 2
    sides = list(Slot.objects.filter(pair=known.pair).order_by("number").values_list("swapped", flat=True))
    assert sum(sides) == MOST_SHOWN // 2 and all(a != b for a, b in pairwise(sides))
    [progress] = queue_progress([queue])
    assert (progress.slots, progress.pairs) == (4, 2), "known answers are no work of the queue"


def test_what_was_judged_stays(project: Project, queue: Queue, rui: User) -> None:
    pair = make.pair(project, gold={"helpfulness": 2})
    submit(assignment=claimed(queue, rui), rater=rui, body={"judgments": {"helpfulness": {"preference": 1}}})
    make_gold(pair=pair, by=User.objects.get(name="Mara"), source="import")
    assert slots(pair)[0] == ("", "done") and slots(pair)[1:] == [(GOLD, "open")] * MOST_SHOWN
    queue.refresh_from_db()
    assert queue.pair_count == 1


def test_only_queues_that_mix_in_have_slots_and_languages_are_kept_apart(project: Project, queue: Queue) -> None:
    plain = create_queue(project=project, by=None, name="Plain")
    german = create_queue(project=project, by=None, name="German", languages=["de"], gold_percent=5)
    known = gold(project)
    assert not Slot.objects.filter(queue__in=[plain, german], pair=known.pair).exists()
    pair = make.pair(project, language="de", gold={"helpfulness": -1})
    make_gold(pair=pair, by=User.objects.get(name="Mara"), source="import")
    assert Slot.objects.filter(queue=german, pair=pair, lane=GOLD).count() == MOST_SHOWN


def test_the_percentage_fills_and_empties_the_lane(project: Project, queue: Queue, mara: Client) -> None:
    Queue.objects.filter(pk=queue.pk).update(gold_percent=0)
    known = gold(project)
    assert slots(known.pair) == []
    Queue.objects.filter(pk=queue.pk).update(gold_percent=5)
    tend_gold_lanes()
    tend_gold_lanes()
    assert slots(known.pair) == [(GOLD, "open")] * MOST_SHOWN
    Slot.objects.filter(pair=known.pair, number__gt=FIRST_NUMBER + 40).delete()
    GoldPair.objects.filter(pk=known.pk).update(shown=4)
    tend_gold_lanes()
    assert len(slots(known.pair)) == 46, "as many as showings are left"
    Queue.objects.filter(pk=queue.pk).update(gold_percent=0)
    tend_gold_lanes()
    assert slots(known.pair) == []


def test_overlap_topics_and_imports_pass_them_by(project: Project, queue: Queue) -> None:
    make.pair(project)
    known = gold(project)
    change_queue(queue=queue, by=None, overlap=5)
    change_queue(queue=queue, by=None, overlap=1)
    another = create_queue(project=project, by=None, name="Another")
    assert slots(known.pair) == [(GOLD, "open")] * MOST_SHOWN and another.slots.filter(pair=known.pair).count() == 0


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("nothing", "nothing_known"), ("twice", "already_gold"), ("lesson", "already_a_lesson"),
        ("topic", "sensitive_pair"), ("held", "held_now"), ("broken", "found_broken"), ("worn", "shown_enough"),
    ],
)  # fmt: skip
def test_what_is_refused(project: Project, queue: Queue, rui: User, why: str, code: str) -> None:
    by = User.objects.get(name="Mara")
    if why == "lesson":
        pair = make.lesson(project).pair
    else:
        pair = make.pair(project, gold=None if why == "nothing" else {"helpfulness": 2}, tags=["violence"])
    if why == "topic":
        add_topic(project=project, by=None, key="violence", name="Violence")
    if why == "twice":
        make_gold(pair=pair, by=by, source="hand")
    if why == "worn":
        made = make_gold(pair=pair, by=by, source="hand")
        GoldPair.objects.filter(pk=made.pk).update(shown=MOST_SHOWN, retired_at=timezone.now())
    if why == "held":
        claimed(queue, rui)
    if why == "broken":
        for name in ("Rui", "Rosa"):
            rater = User.objects.get(name=name)
            skip(assignment=claimed(queue, rater), rater=rater, reason="broken")
    with pytest.raises(Refused) as refused:
        make_gold(pair=pair, by=by, source="hand")
    assert refused.value.code == code


def test_a_topic_that_comes_later_takes_the_pair_out(project: Project) -> None:
    pair = make.pair(project, gold={"helpfulness": 2}, tags=["violence"])
    known = make_gold(pair=pair, by=User.objects.get(name="Mara"), source="import")
    add_topic(project=project, by=None, key="violence", name="Violence")
    known.refresh_from_db()
    assert known.retired_at is not None and slots(pair) == [("violence", "open")] * 2


def test_what_is_found_broken_is_asked_no_more(project: Project, queue: Queue, always: None) -> None:
    make.pairs(project, 3)
    known = gold(project)
    for name in ("Rui", "Rosa"):
        rater = User.objects.get(name=name)
        skip(assignment=claimed(queue, rater, known), rater=rater, reason="broken")
    known.refresh_from_db()
    assert known.retired_at is not None and slots(known.pair) == [("!", "open")] * 2


# --- as raters meet them ---------------------------------------------------------------------------


def test_a_right_answer_is_measured_and_told_nothing(project: Project, queue: Queue, rui: User, always: None) -> None:
    make.pairs(project, 2)
    known = gold(project, helpfulness=2, harmlessness=1, safety={"first": "safe", "second": "unsafe"})
    held = claimed(queue, rui, known)
    safety = {"left": {"safe": not held.swapped}, "right": {"safe": held.swapped}}
    said = body(held, 1)["judgments"] | {"safety": safety}
    submit(assignment=held, rater=rui, body={"judgments": said | {"harmlessness": said["helpfulness"]}})
    known.refresh_from_db()
    assert results(known) == [True, True, True], "one a criterion, whatever is known of its responses"
    assert (known.shown, known.right) == (1, 1)
    page = signed_in(rui).get(f"/compare/{queue.pk}/").text
    assert "One to look at again" not in page


def test_a_wrong_answer_is_told_once_with_the_reason_and_the_principle(
    project: Project, queue: Queue, rui: User, always: None
) -> None:
    publish(project, "# Help\n\n1. Prefer the answer that solves the problem.\n2. Never guess.\n")
    make.pairs(project, 2)
    known = gold(project, explanation="It answers the question.", principle=1)
    browser = signed_in(rui)
    browser.post(f"/compare/{queue.pk}/next/")
    held = Assignment.objects.get(rater=rui, state="open")
    page = browser.post(f"/compare/assignments/{held.pk}/submit/", form(held, -2), follow=True).text
    for words in ("One to look at again", "It answers the question.", "Principle 1 decides", "solves the problem"):
        assert words in page, words
    assert not re.search(r"\d+ of \d+|%", main(page)), "never a score"
    known.refresh_from_db()
    assert (known.shown, known.right) == (1, 0)
    assert "One to look at again" in browser.get(f"/compare/{queue.pk}/").text, "a reload shows it again"
    page = browser.post(f"/compare/assignments/{held.pk}/told/", follow=True).text
    assert "One to look at again" not in page and "Comparison" in page
    assert "It answers the question." in browser.get(f"/my-work/{held.pk}/").text, "it can be read again"


def test_it_is_told_where_no_next_pair_is_left(project: Project, queue: Queue, rui: User, always: None) -> None:
    make.pair(project)
    known = gold(project)
    held = claimed(queue, rui, known)
    Slot.objects.filter(lane="").delete()
    page = signed_in(rui).post(f"/compare/assignments/{held.pk}/submit/", form(held, -2), HTTP_HX_REQUEST="true").text
    assert "One to look at again" in page


def test_a_changed_answer_is_measured_anew_but_what_was_told_stays_wrong(
    project: Project, queue: Queue, rui: User, always: None
) -> None:
    make.pairs(project, 2)
    known = gold(project)
    held = claimed(queue, rui, known)
    submit(assignment=held, rater=rui, body=body(held, 1))
    assert results(known) == [True]
    submit(assignment=held, rater=rui, body=body(held, -1))
    known.refresh_from_db()
    assert results(known) == [False] and (known.shown, known.right) == (1, 0)
    submit(assignment=held, rater=rui, body=body(held, 2))
    assert results(known) == [False], "by then they know"
    assert GoldResult.objects.get().annotation.revision == 3


def test_after_the_last_showing_it_retires(project: Project, queue: Queue, rui: User, always: None) -> None:
    make.pairs(project, 2)
    known = gold(project)
    GoldPair.objects.filter(pk=known.pk).update(shown=MOST_SHOWN - 1)
    held = claimed(queue, rui, known)
    submit(assignment=held, rater=rui, body=body(held, 1))
    known.refresh_from_db()
    assert known.retired_at is not None and slots(known.pair) == [(GOLD, "done")]
    tend_gold_lanes()
    change_queue(queue=queue, by=None, overlap=3)
    assert slots(known.pair) == [(GOLD, "done")], "and is no work either"


def test_retired_by_hand_it_is_work_again(project: Project, queue: Queue, rui: User, always: None) -> None:
    make.pairs(project, 2)
    known = gold(project)
    held = claimed(queue, rui, known)
    retire_gold(gold=known, by=User.objects.get(name="Mara"), why="Not so clear")
    assert slots(known.pair) == [("", "open"), ("", "open"), (GOLD, "leased")]
    submit(assignment=held, rater=rui, body=body(held, -1))
    assert results(known) == [], "what was found wrong measures nobody"
    queue.refresh_from_db()
    assert queue.pair_count == 3


def test_what_was_work_in_between_can_be_mixed_in_again(
    project: Project, queue: Queue, rui: User, always: None
) -> None:
    make.pairs(project, 2)
    known = gold(project)
    held = claimed(queue, rui, known)
    submit(assignment=held, rater=rui, body=body(held, 1))
    mara = User.objects.get(name="Mara")
    retire_gold(gold=known, by=mara)
    change_queue(queue=queue, by=None, overlap=4)
    make_gold(pair=known.pair, by=mara, source="hand")
    assert slots(known.pair).count((GOLD, "open")) == MOST_SHOWN - 1
    retire_gold(gold=known, by=mara)
    make_gold(pair=known.pair, by=mara, source="hand")
    assert slots(known.pair).count((GOLD, "open")) == MOST_SHOWN - 1


def test_what_comes_back_unanswered_is_mixed_in_again(project: Project, queue: Queue, rui: User, always: None) -> None:
    make.pairs(project, 2)
    known = gold(project)
    release(assignment=claimed(queue, rui, known), rater=rui)
    assert slots(known.pair) == [(GOLD, "open")] * MOST_SHOWN


def test_nothing_tells_a_rater_which_pairs_are_known(project: Project, queue: Queue, always: None) -> None:
    """The page and the assignment of the API are those of any pair, but for what every pair has of its own."""
    first, second = (make.pair(project, gold={"helpfulness": 2}) for _ in range(2))
    known = make_gold(pair=second, by=User.objects.get(name="Mara"), source="import")
    rui, rosa = User.objects.get(name="Rui"), User.objects.get(name="Rosa")
    seen = []
    for rater, percent in ((rui, 50), (rosa, 0)):
        Queue.objects.filter(pk=queue.pk).update(gold_percent=percent, repeat_percent=1)
        browser = signed_in(rater)
        browser.post(f"/compare/{queue.pk}/next/")
        held = Assignment.objects.get(rater=rater, state="open")
        seen.append((held, browser.get(f"/compare/{queue.pk}/").text, api_of(rater, queue)))
    (its, page, data), (other, plain_page, plain_data) = seen
    assert (its.pair_id, other.pair_id) == (known.pair_id, first.pk)
    assert data.keys() == plain_data.keys() and "gold" not in str(data.keys())
    assert "gold" not in page.lower() and "lane" not in page
    assert tags(page) == tags(plain_page)


def test_my_work_shows_them_like_any_other(project: Project, queue: Queue, rui: User, always: None) -> None:
    make.pairs(project, 2)
    known = gold(project)
    held = claimed(queue, rui, known)
    submit(assignment=held, rater=rui, body=body(held, 1))
    page = signed_in(rui).get("/my-work/").text
    assert known.pair.item.conversation[-1]["content"] in page and "About:" not in page
    assert "agreed on before" not in signed_in(rui).get(f"/my-work/{held.pk}/").text


def test_a_submit_beside_them_costs_what_it_did(
    project: Project, queue: Queue, rui: User, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mixed in but not drawn: at most twelve statements with the next pair, as everywhere."""
    monkeypatch.setattr(leasing, "draw", lambda: 99)
    make.pairs(project, 3)
    gold(project)
    held = claimed(queue, rui)
    with django_assert_max_num_queries(12):
        submit(assignment=held, rater=rui, body=body(held, 1), then_claim=True)


# --- rules -----------------------------------------------------------------------------------------


def test_checks_that_go_wrong_warn_and_then_pause(
    project: Project, queue: Queue, rui: User, mara: Client, always: None
) -> None:
    Project.objects.filter(pk=project.pk).update(break_after_pairs=0, break_after_minutes=0)
    make.pairs(project, 3)
    known = [gold(project) for _ in range(25)]
    browser = signed_in(rui)
    warned = None
    for count in range(1, 26):
        held = claim(queue=queue, rater=rui)
        if held is None:
            break
        submit(assignment=held, rater=rui, body=body(held, -1))
        mine = Participation.objects.get(project=project, user=rui)
        warned = warned or (count if mine.warned_at else None)
    assert warned == 10 and mine.paused_at is not None and count == 21
    assert GoldResult.objects.filter(rater=rui).count() == 20 and len(known) == 25
    for one in Assignment.objects.filter(rater=rui):
        browser.post(f"/compare/assignments/{one.pk}/told/")
    page = browser.get(f"/compare/{queue.pk}/", follow=True).text
    assert "Your work here is paused" in page
    listed = mara.get(f"/projects/{project.slug}/paused/").text
    assert "Rui" in listed and "0 of 20 known answers met." in listed
    mara.post(f"/projects/{project.slug}/raters/{rui.pk}/resume/")
    mine.refresh_from_db()
    assert mine.paused_at is None and mine.paused_why == ""
    held = claimed(queue, rui)
    submit(assignment=held, rater=rui, body=body(held, -1))
    mine.refresh_from_db()
    assert mine.paused_at is None, "checks from before do not count again"
    acts = AuditEntry.objects.filter(act__startswith="rater.").order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["rater.warned", "rater.paused", "rater.resumed"]


# --- the manager's pages ---------------------------------------------------------------------------


def test_taking_in_what_an_import_brought(project: Project, mara: Client) -> None:
    for _ in range(3):
        make.pair(project, gold={"helpfulness": 1})
    make.lesson(project)
    make.pair(project)
    page = mara.get(f"/projects/{project.slug}/gold/").text
    assert "From imports" in page and "made by tests" in page
    page = mara.post(f"/projects/{project.slug}/gold/take-in/", follow=True).text
    assert "3 pairs are mixed in now." in page and "it is a lesson (1)" in page
    assert GoldPair.objects.filter(project=project, source="import").count() == 3


def test_by_hand(project: Project, mara: Client) -> None:
    pair = make.pair(project, "First of all.", "Second of all.")
    page = mara.get(f"/projects/{project.slug}/gold/new/?q=Second").text
    assert f"/gold/pairs/{pair.pk}/" in page
    path = f"/projects/{project.slug}/gold/pairs/{pair.pk}/"
    assert mara.get(path).status_code == 200
    refused = mara.post(path, {"explanation": "So it is."})
    assert refused.status_code == 422 and "Say what is known" in refused.text
    assert not GoldPair.objects.exists()
    mara.post(path, {"known": "helpfulness", "helpfulness.preference": -2, "explanation": "So it is."})
    made = GoldPair.objects.get()
    assert (made.source, made.explanation, made.pair_id) == ("hand", "So it is.", pair.pk)
    assert GoldAnswer.objects.get(pair=pair).preference == -2


def test_another_known_answer_sets_what_was_measured_aside(
    project: Project, queue: Queue, rui: User, mara: Client, always: None
) -> None:
    make.pairs(project, 2)
    known = gold(project)
    held = claimed(queue, rui, known)
    submit(assignment=held, rater=rui, body=body(held, -1))
    path = f"/projects/{project.slug}/gold/pairs/{known.pair_id}/"
    mara.post(path, {"known": "helpfulness", "helpfulness.preference": 1, "explanation": "Still."})
    assert not GoldResult.objects.get().set_aside, "the same side is the same answer"
    mara.post(path, {"known": "helpfulness", "helpfulness.preference": -1, "explanation": "Other."})
    assert GoldResult.objects.get().set_aside
    assert "One to look at again" not in signed_in(rui).get(f"/compare/{queue.pk}/").text


def test_the_hardest_come_first_and_retired_ones_last(project: Project, mara: Client) -> None:
    easy, hard, new, old = (gold(project) for _ in range(4))
    GoldPair.objects.filter(pk=easy.pk).update(shown=10, right=9)
    GoldPair.objects.filter(pk=hard.pk).update(shown=10, right=2)
    retire_gold(gold=old, by=User.objects.get(name="Mara"), why="Unclear")
    assert list(gold_pairs(project)) == [hard, easy, new, old]
    page = mara.get(f"/projects/{project.slug}/gold/").text
    assert "20 %" in page and "Unclear" in page and "few" in page
    mara.post(f"/projects/{project.slug}/gold/{easy.pk}/retire/")
    easy.refresh_from_db()
    assert easy.retired_at is not None


def test_the_pages_cost_the_same_whatever_their_size(
    project: Project, mara: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        gold(project)
    for path in ("gold/", "gold/new/", "disputes/", "paused/"):
        with django_assert_max_num_queries(14):
            assert mara.get(f"/projects/{project.slug}/{path}").status_code == 200


def test_they_are_no_lesson_and_a_lesson_is_none(project: Project, mara: Client) -> None:
    known = gold(project)
    page = mara.post(
        f"/projects/{project.slug}/getting-in/lessons/new/", {"pair": known.pair_id, "stage": "practice"}, follow=True
    ).text
    assert "among the known ones already" in page


def publish(project: Project, text: str) -> None:
    publish_guideline(project=project, by=User.objects.get(name="Mara"), text=text, change_note="")


def main(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")].split("<section")[0]


def tags(page: str) -> list[str]:
    """The names and attributes of the page's elements, without what belongs to the one pair."""
    found = re.findall(r"<(\w+)((?:\s+[\w:-]+)*)", re.sub(r'="[^"]*"', "", page))
    return [f"{name}{names}" for name, names in found]


def api_of(rater: User, queue: Queue) -> dict[str, Any]:
    client = Client(headers={"Authorization": f"Token {make.token(rater)}"})
    data: dict[str, Any] = client.post(f"/api/v1/queues/{queue.pk}/claim/").json()
    return data
