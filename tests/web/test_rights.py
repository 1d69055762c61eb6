"""Who may reach what: one row a route, of every page and of the API. A route without a row fails the suite.

A row is (method, who may, whose row the address names). The people of the table: Mara manages, Rui rates, Ada
adjudicates, Noor researches, Otto is in no project. Who may not gets 404; nobody in particular is sent to sign in,
or gets 401 from the API. Who may gets whatever the page says, but none of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from exports.links import make_link
from exports.models import Export, ExportFile, StoredRecipe
from labeling.actions import analyse
from labeling.actions.adjudicate import escalate
from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.care import check_in
from labeling.actions.crowd_entry import make_link as make_crowd_link
from labeling.actions.crowd_entry import token_of
from labeling.actions.gold_pairs import make_gold
from labeling.actions.lessons import add_lesson
from labeling.actions.people import invite
from labeling.actions.topics import add_topic
from labeling.actions.withdrawals import withdraw_rater
from labeling.models import (
    ApiToken,
    Batch,
    CrowdEntry,
    Delivery,
    Dispute,
    Image,
    Membership,
    Participation,
    StudyPlan,
)
from labeling.reports.pseudonyms import pseudonym
from tests import make
from tests.pictures import png
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db

NAMES = ("Otto", "Rui", "Ada", "Noor", "Mara")
ALL, SIGNED_IN = "everybody", "Otto Rui Ada Noor Mara"
MEMBERS, READERS, RESEARCHERS, MANAGERS, RATERS = "Rui Ada Noor Mara", "Ada Noor Mara", "Noor Mara", "Mara", "Rui"
OPERATORS = "nobody here"
ADJUDICATORS = "Ada Mara"

ROUTES: dict[str, tuple[str, str, str]] = {
    "livez": ("get", ALL, ""),
    "healthz": ("get", ALL, ""),
    "sign_in": ("get", ALL, ""),
    "sign_in_again": ("post", ALL, ""),
    "sign_out": ("post", ALL, ""),
    "forgotten_password": ("get", ALL, ""),
    "forgotten_password_sent": ("get", ALL, ""),
    "new_password": ("get", ALL, "nobody's reset"),
    "join": ("get", ALL, "invitation link"),
    "language": ("post", ALL, ""),
    "home": ("get", SIGNED_IN, ""),
    "account": ("get", SIGNED_IN, ""),
    "change_password": ("get", SIGNED_IN, ""),
    "make_token": ("post", SIGNED_IN, ""),
    "revoke_token": ("post", "Mara", "Mara's token"),
    "compare": ("get", RATERS, "queue desk"),
    "compare_next": ("post", RATERS, "queue desk"),
    "compare_guideline": ("get", RATERS, "Rui's assignment"),
    "compare_reading": ("post", RATERS, "Rui's assignment"),
    "compare_draft": ("post", RATERS, "Rui's assignment"),
    "compare_start_again": ("post", RATERS, "Rui's assignment"),
    "compare_renew": ("post", RATERS, "Rui's assignment"),
    "compare_submit": ("post", RATERS, "Rui's assignment"),
    "compare_skip": ("post", RATERS, "Rui's assignment"),
    "compare_rest": ("get", RATERS, "queue desk"),
    "compare_go_on": ("post", RATERS, "queue desk"),
    "compare_open": ("post", RATERS, "Rui's assignment"),
    "compare_no_more": ("post", RATERS, "Rui's assignment"),
    "topics": ("get", RATERS, "project"),
    "check_in_unshare": ("post", RATERS, "Rui's check-in"),
    "support": ("get", MEMBERS, "project"),
    "care": ("get", MANAGERS, "project"),
    "care_change": ("post", MANAGERS, "project"),
    "topic_add": ("post", MANAGERS, "project"),
    "topic_change": ("post", MANAGERS, "project's topic"),
    "topic_remove": ("post", MANAGERS, "project's topic"),
    "pair_put_back": ("post", MANAGERS, "project's pair"),
    "exposure_csv": ("get", MANAGERS, "project"),
    "compare_told": ("post", RATERS, "Rui's answer"),
    "gold": ("get", MANAGERS, "project"),
    "gold_take_in": ("post", MANAGERS, "project"),
    "gold_new": ("get", MANAGERS, "project"),
    "gold_edit": ("get", MANAGERS, "project's pair"),
    "gold_retire": ("post", MANAGERS, "project's gold"),
    "disputes": ("get", ADJUDICATORS, "project"),
    "dispute": ("get", ADJUDICATORS, "project's dispute"),
    "paused": ("get", MANAGERS, "project"),
    "rater_warn": ("post", MANAGERS, "project's rater"),
    "rater_pause": ("get", MANAGERS, "project's rater"),
    "rater_resume": ("post", MANAGERS, "project's rater"),
    "rater_set_aside": ("get", MANAGERS, "project's rater"),
    "withdrawal_lift": ("post", MANAGERS, "withdrawal"),
    "compare_undo": ("get", RATERS, "queue desk"),
    "compare_change": ("get", RATERS, "Rui's answer"),
    "work": ("get", SIGNED_IN, ""),
    "work_detail": ("get", RATERS, "Rui's answer"),
    "new_project": ("get", MANAGERS, ""),
    "project": ("get", READERS, "project"),
    "project_settings": ("get", MANAGERS, "project"),
    "queue_new": ("get", MANAGERS, "project"),
    "queue": ("get", MANAGERS, "project's queue"),
    "queue_change": ("get", MANAGERS, "project's queue"),
    "queue_pause": ("post", MANAGERS, "project's queue"),
    "queue_close": ("post", MANAGERS, "project's queue"),
    "queues_pause": ("post", MANAGERS, "project"),
    "people": ("get", MANAGERS, "project"),
    "member_add": ("post", MANAGERS, "project"),
    "member_remove": ("post", MANAGERS, "project's member"),
    "invitation_make": ("post", MANAGERS, "project"),
    "invitation_revoke": ("post", MANAGERS, "project's invitation"),
    "criteria": ("get", MANAGERS, "project"),
    "criterion_add": ("get", MANAGERS, "project's kind"),
    "criterion": ("get", MANAGERS, "project's criterion"),
    "criterion_move": ("post", MANAGERS, "project's criterion"),
    "criterion_ask": ("post", MANAGERS, "project's criterion"),
    "project_hints": ("post", MANAGERS, "project"),
    "project_rationale": ("post", MANAGERS, "project"),
    "disagreements": ("get", ADJUDICATORS, "project"),
    "disagreement_next": ("get", ADJUDICATORS, "project"),
    "disagreement_bulk": ("get", ADJUDICATORS, "project"),
    "decisions": ("get", ADJUDICATORS, "project"),
    "disagreement": ("get", ADJUDICATORS, "project's pair"),
    "disagreement_escalate": ("post", ADJUDICATORS, "project's pair"),
    "disagreement_answer": ("post", MANAGERS, "project's pair"),
    "disagreement_check": ("post", MANAGERS, "project's pair"),
    "plans": ("get", MANAGERS, "project"),
    "plan_new": ("get", MANAGERS, "project"),
    "plan": ("get", MANAGERS, "project's plan"),
    "plan_queue": ("post", MANAGERS, "project's plan"),
    "plan_csv": ("get", MANAGERS, "project's plan"),
    "plan_json": ("get", MANAGERS, "project's plan"),
    "guidelines": ("get", MEMBERS, "project"),
    "guideline": ("get", MEMBERS, "project's version"),
    "guideline_read": ("post", RATERS, "project's version"),
    "guideline_edit": ("get", MANAGERS, "project"),
    "guideline_preview": ("post", MANAGERS, "project"),
    "profile": ("get", SIGNED_IN, ""),
    "welcome": ("get", RATERS, "project"),
    "consent": ("post", RATERS, "project"),
    "consent_withdraw": ("post", RATERS, "project"),
    "welcome_guideline": ("post", RATERS, "project"),
    "lesson": ("get", RATERS, "project's lesson"),
    "getting_in": ("get", MANAGERS, "project"),
    "consent_edit": ("get", MANAGERS, "project"),
    "consent_preview": ("post", MANAGERS, "project"),
    "entrants": ("get", MANAGERS, "project"),
    "entrants_csv": ("get", MANAGERS, "project"),
    "another_try": ("post", MANAGERS, "project's participation"),
    "lesson_new": ("get", MANAGERS, "project"),
    "lesson_edit": ("get", MANAGERS, "project's lesson"),
    "lesson_remove": ("post", MANAGERS, "project's lesson"),
    "crowd_link_new": ("get", MANAGERS, "project"),
    "crowd_link": ("get", MANAGERS, "project's crowd link"),
    "crowd_link_close": ("post", MANAGERS, "project's crowd link"),
    "crowd_link_csv": ("get", MANAGERS, "project's crowd link"),
    "crowd_release": ("post", MANAGERS, "project's worker"),
    "crowd_enter": ("get", ALL, "crowd link preview"),
    "crowd_end": ("get", RATERS, "crowd link"),
    "raters": ("get", RESEARCHERS, "project"),
    "rater": ("get", RESEARCHERS, "project's pseudonym"),
    "agreement": ("get", RESEARCHERS, "project"),
    "models": ("get", RESEARCHERS, "project"),
    "contested": ("get", RESEARCHERS, "project"),
    "harms": ("get", RESEARCHERS, "project"),
    "analyse": ("post", MANAGERS, "project"),
    "report_file": ("get", RESEARCHERS, "project's table"),
    "audit_log": ("get", MANAGERS, "project"),
    "audit_log_csv": ("get", MANAGERS, "project"),
    "audit_log_json": ("get", MANAGERS, "project"),
    "webhooks": ("get", MANAGERS, "project"),
    "webhook": ("get", MANAGERS, "project's webhook"),
    "webhook_test": ("post", MANAGERS, "project's webhook"),
    "webhook_pause": ("post", MANAGERS, "project's webhook"),
    "webhook_secret": ("post", MANAGERS, "project's webhook"),
    "webhook_delete": ("post", MANAGERS, "project's webhook"),
    "delivery_again": ("post", MANAGERS, "project's delivery"),
    "imports": ("get", MANAGERS, "project"),
    "import_new": ("get", MANAGERS, "project"),
    "import_preview": ("get", MANAGERS, "project"),
    "import_detail": ("get", MANAGERS, "project's batch"),
    "import_refusals": ("get", MANAGERS, "project's batch"),
    "image": ("get", MEMBERS, "image"),
    "exports": ("get", RESEARCHERS, "project"),
    "export_new": ("get", RESEARCHERS, "project"),
    "export": ("get", RESEARCHERS, "project's export"),
    "export_file": ("get", RESEARCHERS, "project's file"),
    "export_archive": ("get", RESEARCHERS, "project's export"),
    "export_card": ("get", RESEARCHERS, "project's export"),
    "export_since": ("post", RESEARCHERS, "project's export"),
    "export_compare": ("get", RESEARCHERS, "project"),
    "withdrawals": ("get", MANAGERS, "project"),
    "export_delete": ("post", RESEARCHERS, "project's export"),
    "export_share": ("get", RESEARCHERS, "project's export"),
    "link_make": ("post", RESEARCHERS, "project's export"),
    "link_revoke": ("post", RESEARCHERS, "project's link"),
    "push_make": ("post", RESEARCHERS, "project's export"),
    "hub_token_forget": ("post", RESEARCHERS, "project's export"),
    "linked": ("get", ALL, "link"),
    "linked_archive": ("get", ALL, "link"),
    "linked_file": ("get", ALL, "link's file"),
    "hub:repository": ("get", RESEARCHERS, "repository"),
    "hub:revision": ("get", RESEARCHERS, "revision"),
    "hub:refs": ("get", RESEARCHERS, "repository"),
    "hub:tree": ("get", RESEARCHERS, "revision"),
    "hub:tree_folder": ("get", RESEARCHERS, "revision's folder"),
    "hub:paths_info": ("post", RESEARCHERS, "revision"),
    "hub:resolve": ("get", RESEARCHERS, "revision's file"),
    "export_recipes": ("get", RESEARCHERS, "project"),
    "export_recipe": ("get", RESEARCHERS, "project's recipe"),
    "export_recipe_file": ("get", RESEARCHERS, "project's recipe version"),
    "admin:": ("get", OPERATORS, ""),  # all of /operate/
    "api:schema": ("get", ALL, ""),
    "api:docs": ("get", ALL, ""),
    "api:projects": ("get", SIGNED_IN, ""),
    "api:project": ("get", MEMBERS, "project"),
    "api:members": ("post", MANAGERS, "project"),
    "api:queues": ("post", MANAGERS, "project"),
    "api:imports": ("post", MANAGERS, "project"),
    "api:import": ("get", MANAGERS, "batch"),
    "api:image": ("get", MEMBERS, "image"),
    "api:annotations": ("get", RESEARCHERS, "project"),
    "api:disagreements": ("get", ADJUDICATORS, "project"),
    "api:decisions": ("post", ADJUDICATORS, "project's pair"),
    "api:adjudications": ("get", RESEARCHERS, "project"),
    "api:progress": ("get", RESEARCHERS, "project"),
    "api:agreement": ("get", RESEARCHERS, "project"),
    "api:raters": ("get", RESEARCHERS, "project"),
    "api:leaderboard": ("get", RESEARCHERS, "project"),
    "api:reports": ("get", RESEARCHERS, "project"),
    "api:report": ("get", RESEARCHERS, "project's report"),
    "api:report_table": ("get", RESEARCHERS, "project's report table"),
    "api:report_csv": ("get", RESEARCHERS, "project's report table"),
    "api:queue": ("patch", MANAGERS, "queue"),
    "api:claim": ("post", RATERS, "queue"),
    "api:renew": ("post", RATERS, "Rui's assignment"),
    "api:draft": ("put", RATERS, "Rui's assignment"),
    "api:annotation": ("post", RATERS, "Rui's assignment"),
    "api:skip": ("post", RATERS, "Rui's assignment"),
    "api:release": ("post", RATERS, "Rui's assignment"),
    "api:gold": ("get", MANAGERS, "project"),
    "api:gold_retire": ("post", MANAGERS, "gold"),
    "api:disputes": ("get", ADJUDICATORS, "project"),
    "api:dispute_answer": ("post", ADJUDICATORS, "dispute"),
    "api:disagree": ("post", RATERS, "Rui's answer"),
    "api:rater_warn": ("post", MANAGERS, "project's pseudonym"),
    "api:rater_pause": ("post", MANAGERS, "project's pseudonym"),
    "api:rater_resume": ("post", MANAGERS, "project's pseudonym"),
    "api:rater_set_aside": ("get", MANAGERS, "project's pseudonym"),
    "api:withdrawal_lift": ("post", MANAGERS, "withdrawal"),
    "api:exports": ("get", RESEARCHERS, "project"),
    "api:recipes": ("get", RESEARCHERS, "project"),
    "api:recipe": ("get", RESEARCHERS, "project's recipe"),
    "api:what_if": ("post", RESEARCHERS, "project"),
    "api:compare_exports": ("get", RESEARCHERS, "project"),
    "api:withdrawals": ("get", MANAGERS, "project"),
    "api:export": ("get", RESEARCHERS, "export"),
    "api:export_file": ("get", RESEARCHERS, "file"),
    "api:export_archive": ("get", RESEARCHERS, "export"),
    "api:webhooks": ("get", MANAGERS, "project"),
    "api:webhook": ("get", MANAGERS, "project's webhook"),
    "api:webhook_secret": ("post", MANAGERS, "project's webhook"),
    "api:webhook_test": ("post", MANAGERS, "project's webhook"),
    "api:deliveries": ("get", MANAGERS, "project's webhook"),
    "api:delivery_again": ("post", MANAGERS, "project's delivery"),
    "api:links": ("get", RESEARCHERS, "export"),
    "api:link": ("delete", RESEARCHERS, "project's link"),
    "api:pushes": ("get", RESEARCHERS, "export"),
    "api:no_such_path": ("get", OPERATORS, "path"),
}


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """The name of every route, with its namespace; all of the operator's pages are one."""
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLPattern):
            yield f"{before}{one.name}"
        elif one.namespace == "admin":
            yield "admin:"
        else:
            yield from routes(one, before + (f"{one.namespace}:" if one.namespace else ""))


def test_every_route_has_its_row() -> None:
    found = set(routes())
    assert found - ROUTES.keys() == set(), "say in ROUTES who may reach these"
    assert ROUTES.keys() - found == set(), "these are gone"


@pytest.fixture
def world(study: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The arguments that an address needs, by what it names."""
    project, queue, people = study["project"], study["queue"], study["people"]
    make.token(people["Mara"])
    answered = claim(queue=queue, rater=people["Rui"])
    assert answered is not None
    body = {"judgments": {"helpfulness": {"preference": 1}}}
    submit(assignment=answered, rater=people["Rui"], body=body)
    assignment = claim(queue=queue, rater=people["Rui"])
    assert assignment is not None
    invitation, secret = invite(project=project, role="rater", by=people["Mara"])
    batch = Batch.objects.get(project=project)
    export = Export.objects.create(
        project=project, name="dpo", recipe={"format": "dpo"}, state="done", manifest={}, number=1
    )
    StoredRecipe.objects.create(project=project, name="ours", version=1, recipe={"format": "dpo"})
    for path in ("README.md", "data/train.jsonl"):
        ExportFile.objects.create(export=export, path=path, sha256="0" * 64, size=2)
        default_storage.save(f"exports/{export.pk}/{path}", ContentFile(b"ok"))
    link, link_secret = make_link(export=export, by=people["Noor"])
    name = default_storage.save(f"images/01/{'0123456789abcdef' * 2}", ContentFile(png()))
    Image.objects.create(
        project=project, sha256="0" * 64, storage_name=name, media_type="image/png", width=40, height=30
    )
    hook = make.webhook(project)
    sent = Delivery.objects.create(webhook=hook, event="test", message_id="msg_1", body="{}")
    slug = project.slug
    analysis = analyse.ask(project=project, by=None)
    while analyse.run_step(analysis):
        continue
    pair = make.pair(project, gold={"helpfulness": 1})
    lesson = add_lesson(project=project, pair=pair, stage="practice", by=people["Mara"])
    agreed = Participation.objects.create(project=project, user=people["Rui"], consented_at=timezone.now())
    crowd = make_crowd_link(
        project=project, queue=queue, by=people["Mara"], platform="mturk", name="Pilot", pairs_wanted=2
    )
    entry = CrowdEntry.objects.create(link=crowd, user=people["Rui"], worker_id="A1B2C3D4")
    gold = make_gold(pair=make.pair(project, gold={"helpfulness": 1}), by=people["Mara"], source="import")
    dispute = Dispute.objects.create(
        project=project, annotation=answered.annotations.get(), gold_pair=gold, rater=people["Rui"], text="No."
    )
    passed = escalate(pair=study["pairs"][0], by=people["Ada"], note="Which rule?")
    plan = StudyPlan.objects.create(project=project, name="Spring", asked={"pairs": 2})
    return {
        "image": (name.rpartition("/")[2],),
        "": (),
        "nobody's reset": ("x", "y"),
        "invitation link": (secret,),
        "Mara's token": (ApiToken.objects.get(user=people["Mara"]).pk,),
        "queue desk": (queue.pk,),
        "queue": (queue.pk,),
        "Rui's assignment": (assignment.pk,),
        "Rui's answer": (answered.pk,),
        "project": (slug,),
        "project's queue": (slug, queue.pk),
        "project's member": (slug, Membership.objects.get(user=people["Ada"]).pk),
        "project's invitation": (slug, invitation.pk),
        "project's version": (slug, 1),
        "project's kind": (slug, "rating"),
        "project's criterion": (slug, "safety"),
        "project's batch": (slug, batch.pk),
        "project's webhook": (slug, hook.pk),
        "project's table": (slug, "agreement", "criteria", "csv"),
        "project's delivery": (slug, sent.pk),
        "project's topic": (slug, add_topic(project=project, by=people["Mara"], key="self-harm", name="Harm").pk),
        "project's pair": (slug, passed.pair_id),
        "project's plan": (slug, plan.pk),
        "Rui's check-in": (slug, check_in(project=project, user=people["Rui"], feeling="fine", shared=True).pk),
        "batch": (batch.pk,),
        "project's export": (slug, export.pk),
        "export": (export.pk,),
        "project's recipe": (slug, "ours"),
        "project's recipe version": (slug, "ours", 1),
        "project's file": (slug, export.pk, "README.md"),
        "file": (export.pk, "README.md"),
        "project's lesson": (slug, lesson.pk),
        "project's participation": (slug, agreed.pk),
        "project's crowd link": (slug, crowd.pk),
        "project's worker": (slug, entry.pk),
        "crowd link": (token_of(crowd),),
        "crowd link preview": (token_of(crowd),),
        "project's gold": (slug, gold.pk),
        "gold": (gold.pk,),
        "project's dispute": (slug, dispute.pk),
        "dispute": (dispute.pk,),
        "project's rater": (slug, people["Rui"].pk),
        "project's pseudonym": (slug, pseudonym(project, people["Rui"].pk)),
        "withdrawal": (withdraw_rater(project=project, rater=people["Rui"], by=people["Mara"]).pk,),
        "project's report": (slug, "agreement"),
        "project's report table": (slug, "agreement", "criteria"),
        "project's link": (slug, link.pk),
        "link": (link_secret,),
        "link's file": (link_secret, "README.md"),
        "repository": (slug, "dpo"),
        "revision": (slug, "dpo", "v1"),
        "revision's folder": (slug, "dpo", "main", "data"),
        "revision's file": (slug, "dpo", "main", "README.md"),
    }


def address(route: str, what: str, world: dict[str, tuple[Any, ...]]) -> str:
    if route == "admin:":
        return "/operate/labeling/user/"
    preview = "?assignmentId=ASSIGNMENT_ID_NOT_AVAILABLE" if what == "crowd link preview" else ""
    return "/api/v1/nowhere/" if what == "path" else reverse(route, args=world[what]) + preview


def ask(client: Client, method: str, path: str) -> Any:
    call: Callable[..., Any] = getattr(client, method)
    body = (
        {} if method == "get" or not path.startswith("/api/") else {"data": b"{}", "content_type": "application/json"}
    )
    answer = call(path, **body)
    if answer.streaming:
        b"".join(answer.streaming_content)  # read to the end, its file is closed
    return answer


@pytest.mark.parametrize("route", ROUTES)
def test_who_may_and_who_may_not(route: str, study: dict[str, Any], world: dict[str, tuple[Any, ...]]) -> None:
    method, allowed, what = ROUTES[route]
    path, api = address(route, what, world), route.startswith(("api:", "hub:"))
    scheme = "Bearer" if route.startswith("hub:") else "Token"
    nobody = ask(Client(), method, path)
    if allowed == ALL:
        assert nobody.status_code in (200, 302, 503), "open to everybody"
    elif route == "api:no_such_path":
        assert nobody.status_code == 404
    elif api:
        assert nobody.status_code == 401 and nobody.headers["WWW-Authenticate"] == scheme
    else:
        assert nobody.status_code == 302 and nobody["Location"].startswith(("/sign-in/?next=", "/operate/login/?next="))
    for name in NAMES:
        person = study["people"][name]
        token = {"Authorization": f"{scheme} {make.token(person)}"}
        client = Client(headers=token) if api and allowed != ALL else signed_in(person)
        with transaction.atomic():  # what one may do is undone before the next tries
            status = ask(client, method, path).status_code
            transaction.set_rollback(True)
        if allowed == ALL or name in allowed.split():
            assert status not in (401, 403, 404, 405), f"{name} may"
        elif route == "admin:":
            assert status in (302, 403), f"{name} may not"
        else:
            assert status == 404, f"{name} may not"


def test_an_operator_reaches_what_managers_and_researchers_do_but_rates_nothing(
    study: dict[str, Any], world: dict[str, tuple[Any, ...]]
) -> None:
    operator = signed_in(make.person("Olga", superuser=True))
    for route in ("new_project", "project", "people", "guideline_edit", "imports", "exports", "admin:index"):
        _, _, what = ROUTES.get(route, ("", "", ""))
        assert operator.get(reverse(route, args=world[what])).status_code == 200, route
    for route in ("compare", "compare_guideline"):
        assert operator.get(reverse(route, args=world[ROUTES[route][2]])).status_code == 404, route
