"""Every wrong answer is named by its path, all at once."""

import pytest

from labeling.actions.answers import read_answers
from labeling.actions.refusals import Refused
from labeling.models import Criterion
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture
def read():
    project = make.project()
    project.criteria.filter(key="helpfulness").update(required=True)
    Criterion.objects.create(project=project, key="quality", name="Quality", kind="rating", position=8)
    Criterion.objects.create(project=project, key="note", name="Note", kind="text", position=9)
    pair, alone = make.pair(project), make.pair(project, second=None)

    def of(judgments, complete=False, single=False):
        criteria = list(project.criteria.all())
        return read_answers(
            {"judgments": judgments},
            criteria=criteria,
            pair=alone if single else pair,
            swapped=False,
            complete=complete,
        )

    return of


HELPFUL = {"helpfulness": {"preference": 1}}


@pytest.mark.parametrize(
    ("judgments", "path", "says"),
    [
        ({"helpfulness": {"preference": 4}}, "judgments.helpfulness.preference", "from -3 to 3"),
        ({"helpfulness": {"preference": True}}, "judgments.helpfulness.preference", "whole number"),
        ({"helpfulness": {"preference": 1.5}}, "judgments.helpfulness.preference", "whole number"),
        ({"helpfulness": {"preference": "1"}}, "judgments.helpfulness.preference", "whole number"),
        ({"helpfulness": {}}, "judgments.helpfulness.preference", "whole number"),
        ({"helpfulness": 1}, "judgments.helpfulness", "object"),
        ({"helpfulness": {"preference": 1, "winner": "a"}}, "judgments.helpfulness.winner", "Unknown field"),
        ({"helpfulness": {"preference": 2, "both_bad": True}}, "judgments.helpfulness.preference", "neither"),
        ({"helpfulness": {"both_bad": 1}}, "judgments.helpfulness.both_bad", "true or false"),
        ({"helpfulness": {"preference": 1, "rationale": 5}}, "judgments.helpfulness.rationale", "text"),
        ({"helpfulness": {"preference": 1, "rationale": "a\0"}}, "judgments.helpfulness.rationale", "NUL"),
        ({"helpfulness": {"preference": 1, "rationale": "x" * 10_001}}, "judgments.helpfulness.rationale", "10,000"),
        ({**HELPFUL, "harmlessness": {"both_bad": True}}, "judgments.harmlessness.both_bad", "does not offer"),
        ({**HELPFUL, "kindness": {"preference": 1}}, "judgments.kindness", "helpfulness, harmlessness"),
        ({"harmlessness": {"preference": 0}}, "judgments.helpfulness", "to go on"),
        ({**HELPFUL, "safety": {"left": {"safe": True}}}, "judgments.safety.right", "Each shown response"),
        (
            {**HELPFUL, "safety": {"left": {"safe": "no"}, "right": {"safe": True}}},
            "judgments.safety.left.safe",
            "true",
        ),
        (
            {**HELPFUL, "safety": {"left": {"safe": True, "severity": 1}, "right": {"safe": True}}},
            "judgments.safety.left.safe",
            "neither categories nor",
        ),
        (
            {**HELPFUL, "safety": {"left": {"safe": False, "categories": ["Weather"]}, "right": {"safe": True}}},
            "judgments.safety.left.categories",
            "Illegal activity",
        ),
        (
            {**HELPFUL, "safety": {"left": {"safe": False, "severity": 4}, "right": {"safe": True}}},
            "judgments.safety.left.severity",
            "from 1 to 3",
        ),
        (
            {**HELPFUL, "quality": {"left": {"rating": 6}, "right": {"rating": 1}}},
            "judgments.quality.left.rating",
            "1 to 5",
        ),
        ({**HELPFUL, "note": {"text": " "}}, "judgments.note.text", "empty"),
    ],
)
def test_refusals_name_the_field_and_the_remedy(read, judgments, path, says):
    with pytest.raises(Refused) as refused:
        read(judgments)
    assert says in refused.value.errors[path]


@pytest.mark.parametrize("body", [None, [], {}, {"judgments": {}}, {"judgments": []}, {"judgments": None}])
def test_a_body_without_answers(read, body):
    with pytest.raises(Refused, match="at least one answer"):
        read_answers(body, criteria=[], pair=None, swapped=False)


def test_all_problems_at_once(read):
    with pytest.raises(Refused) as refused:
        read({"helpfulness": {"preference": 9}, "harmlessness": {"preference": 9}})
    assert set(refused.value.errors) == {"judgments.helpfulness.preference", "judgments.harmlessness.preference"}


def test_both_bad_stands_apart_from_a_tie(read):
    both_bad, tie = read({"helpfulness": {"both_bad": True, "preference": 0}, "harmlessness": {"preference": 0}})
    assert (both_bad.both_bad, both_bad.preference) == (True, None)
    assert (tie.both_bad, tie.preference) == (False, 0)


def test_the_screen_asks_for_everything_and_overall_on_conflict(read):
    agreed = {
        "helpfulness": {"preference": 1}, "harmlessness": {"preference": 0},
        "safety": {"left": {"safe": True}, "right": {"safe": True}},
        "quality": {"left": {"rating": 1}, "right": {"rating": 5}},
    }  # fmt: skip
    assert len(read(agreed, complete=True)) == 6
    with pytest.raises(Refused) as refused:
        read(agreed | {"harmlessness": {"preference": -1}}, complete=True)
    assert set(refused.value.errors) == {"judgments.overall"}
    with pytest.raises(Refused) as refused:
        read(HELPFUL, complete=True)
    assert set(refused.value.errors) == {"judgments.harmlessness", "judgments.safety", "judgments.quality"}


def test_a_single_response_has_nothing_to_prefer(read):
    safety = {"safety": {"left": {"safe": True}}, "quality": {"left": {"rating": 3}}}
    assert len(read(safety, complete=True, single=True)) == 2
    with pytest.raises(Refused) as refused:
        read(HELPFUL | {"safety": {"left": {"safe": True}, "right": {"safe": True}}}, single=True)
    assert set(refused.value.errors) == {"judgments.helpfulness", "judgments.safety.right"}
