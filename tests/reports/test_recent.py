"""What was done lately, in words."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from labeling.actions.people import add_member
from labeling.audit import record
from labeling.reports.recent import _TEXTS, PRIVATE, recent_lines
from tests import make

pytestmark = pytest.mark.django_db
NOT_OF_A_PROJECT = {
    "account.changed", "person.created", "token.created", "token.revoked", "profile.changed", "demographics.kept",
}  # fmt: skip


def test_every_act_that_is_recorded_has_words():
    root = Path(settings.BASE_DIR)
    sources = [*root.glob("labeling/actions/*.py"), *root.glob("exports/actions.py")]
    acts = {act for path in sources for act in re.findall(r'record\(\s*[\w.]+, "([\w.]+)"', path.read_text())}
    assert len(acts) > 15
    assert acts - NOT_OF_A_PROJECT - PRIVATE <= _TEXTS.keys()


@pytest.mark.parametrize("act", sorted(_TEXTS))
def test_words_for_an_act_do_not_depend_on_its_data(act):
    project = make.project()
    record(None, act, project, project_id=project.pk)
    assert recent_lines(project)[0].text


def test_what_raters_do_for_their_own_sake_is_not_told():
    """Skips, breaks and chosen topics never stand beside a name; “assignment.{state}” is spelt out in the code."""
    project = make.project()
    rui = make.member(project, "Rui", "rater")
    before = recent_lines(project)
    for act in PRIVATE:
        record(rui, act, project, project_id=project.pk, skip_reason="upsetting")
    assert recent_lines(project) == before


def test_who_did_it():
    project = make.project()
    mara = make.person("Mara")
    add_member(project=project, user=make.person("Rui"), role="rater", by=mara)
    add_member(project=project, user=make.person("Rosa"), role="rater", by=None)
    newest, before = recent_lines(project)[:2]
    assert (newest.who, newest.text) == ("The operator", "gave Rosa the role Rater")
    assert (before.who, before.text) == ("Mara", "gave Rui the role Rater")
