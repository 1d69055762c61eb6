"""Progress, agreement, raters and leaderboard over HTTP, each against a crowd whose figures are known."""

import pytest

from labeling.actions.analyse import ask, run_step
from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.models import Response
from labeling.reports.findings import NAMES as REPORTS_THERE_ARE
from labeling.reports.pseudonyms import pseudonym
from tests import make

pytestmark = pytest.mark.django_db
REPORTS = ("progress", "agreement", "raters", "leaderboard", "reports")


def judge(study, name, *, first, active_ms=1000):
    """The rater judges their next pair: `first` is the preference in stored order."""
    rater = study["people"][name]
    assignment = claim(queue=study["queue"], rater=rater)
    value = -first if assignment.swapped else first
    body = {"judgments": {"helpfulness": {"preference": value}}, "active_ms": active_ms}
    return submit(assignment=assignment, rater=rater, body=body).annotation


def report(study, name, **query):
    return study["api"]["Noor"].get(f"/projects/advice/{name}/", **query).json()


@pytest.fixture
def judged(study):
    """Two pairs, two raters: they agree on the first (first is better), and differ on the second."""
    judge(study, "Rui", first=-2, active_ms=1000)
    judge(study, "Rosa", first=-1, active_ms=3000)
    judge(study, "Rui", first=1, active_ms=2000)
    judge(study, "Rosa", first=0, active_ms=5000)
    return analysed(study)


def analysed(study):
    assert run_step(ask(project=study["project"], by=None)) is False
    return study


def test_progress(study):
    judge(study, "Rui", first=-1)
    claim(queue=study["queue"], rater=study["people"]["Rosa"])
    found = report(study, "progress")
    assert {name: found[name] for name in ("items", "pairs", "annotations", "raters")} == {
        "items": 2, "pairs": 2, "annotations": 1, "raters": 1,
    }  # fmt: skip
    assert found["queues"] == [
        {
            "id": study["queue"].pk, "name": "Every pair", "paused": False, "slots": 4, "open": 2, "leased": 1,
            "done": 1, "pairs": 2, "pairs_done": 0,
        }
    ]  # fmt: skip


def test_agreement_names_its_coefficient(judged):
    found = report(judged, "agreement")
    assert found["coefficient"] == "percent_agreement" and "Not corrected for chance" in found["definition"]
    helpful = found["criteria"][0]
    figures = helpful.pop("figures")
    assert helpful == {
        "criterion": "helpfulness", "value": 0.5, "units": 2, "comparisons": 2,
        "said": "Too few to say: 2 were judged twice.",
    }  # fmt: skip
    assert (figures["percent"], figures["enough"], figures["stratum"]) == (0.5, False, "all")
    assert found["criteria"][1]["value"] is None


def test_raters_by_pseudonym(judged):
    found = report(judged, "raters")["raters"]
    by_rater = {one["rater"]: one for one in found}
    rosa = by_rater[pseudonym(judged["project"], judged["people"]["Rosa"].pk)]
    assert (rosa["annotations"], rosa["judgments"], rosa["decided"], rosa["median_active_ms"]) == (2, 2, 1, 4000)
    rui = by_rater[pseudonym(judged["project"], judged["people"]["Rui"].pk)]
    lefts = sum(
        (value < 0) != one.swapped
        for one, value in zip(judged["people"]["Rui"].assignments.order_by("id"), (-2, 1), strict=True)
    )
    assert rui["left_share"] == lefts / 2
    assert "example.org" not in str(found)


def test_the_leaderboard_counts(judged):
    found = report(judged, "leaderboard")
    assert (found["criterion"], found["method"], found["left_out"]) == ("helpfulness", "davidson", 0)
    assert "Bradley" in found["note"] and found["alike"] == [["model-0", "model-1"]]
    assert [(one["model"], one["wins"], one["ties"], one["losses"], one["win_share"]) for one in found["models"]] == [
        ("model-0", 2, 1, 1, 0.625), ("model-1", 1, 1, 2, 0.375),
    ]  # fmt: skip


def test_the_leaderboard_leaves_out_pairs_without_two_named_models(judged):
    Response.objects.filter(pk=judged["pairs"][0].second_id).update(model_name="")
    analysed(judged)
    found = report(judged, "leaderboard")
    assert found["left_out"] == 2 and sum(one["comparisons"] for one in found["models"]) == 4


def test_the_leaderboard_of_another_criterion_and_of_none(judged):
    assert report(judged, "leaderboard", criterion="harmlessness")["models"] == []
    assert "helpfulness" in report(judged, "leaderboard", criterion="safety")["errors"]["criterion"]


@pytest.mark.parametrize("name", REPORTS)
def test_an_empty_project_has_reports_too(study, name):
    assert study["api"]["Noor"].get(f"/projects/advice/{name}/").status_code == 200


@pytest.mark.parametrize("report_name", REPORTS)
@pytest.mark.parametrize(("name", "status"), [("Mara", 200), ("Noor", 200), ("Rui", 404), ("Ada", 404), ("Otto", 404)])
def test_reports_are_for_managers_and_researchers(study, report_name, name, status):
    assert study["api"][name].get(f"/projects/advice/{report_name}/").status_code == status


def test_another_projects_reports_are_not_there(study):
    make.project("other", "Other")
    assert study["api"]["Noor"].get("/projects/other/progress/").status_code == 404


def test_what_is_new_is_counted_and_shown_after_the_next_analysis(judged):
    judged["pairs"].append(make.pair(judged["project"]))
    judge(judged, "Rui", first=-1)
    found = report(judged, "raters")
    assert found["new"] > 0 and found["computed_at"] is not None
    assert sum(one["annotations"] for one in found["raters"]) == 4
    analysed(judged)
    assert sum(one["annotations"] for one in report(judged, "raters")["raters"]) == 5


def test_before_the_first_analysis_there_is_nothing_to_show(study):
    judge(study, "Rui", first=-1)
    found = report(study, "agreement")
    assert found["computed_at"] is None and found["new"] == 1 and found["criteria"][0]["value"] is None
    assert report(study, "raters")["raters"] == [] and report(study, "leaderboard")["models"] == []
    assert report(study, "reports") == {"analysis": None, "running": False, "new": 1, "reports": []}


def test_every_report_and_each_of_its_tables(judged):
    noor = judged["api"]["Noor"]
    listed = report(judged, "reports")
    assert listed["analysis"]["state"] == "done" and listed["analysis"]["judgments"] == 4
    assert [one["name"] for one in listed["reports"]] == list(REPORTS_THERE_ARE)
    for one in listed["reports"]:
        found = noor.get(f"/projects/advice/reports/{one['name']}/").json()
        assert list(found["tables"]) == one["tables"] and found["judgments"] == 4
        for table in one["tables"]:
            assert noor.get(f"/projects/advice/reports/{one['name']}/{table}/").json() == found["tables"][table]
    assert "example.org" not in str(listed)


def test_a_table_as_csv(judged):
    answer = judged["api"]["Noor"].client.get("/api/v1/projects/advice/reports/models/models.csv")
    assert answer["Content-Type"].startswith("text/csv")
    head, *rows = b"".join(answer).decode().splitlines()
    assert head.startswith('"criterion","model","rank"') and len(rows) == 2


@pytest.mark.parametrize("path", ["nonsense/", "models/nonsense/", "models/nonsense.csv"])
def test_reports_that_are_not_there(judged, path):
    assert judged["api"]["Noor"].get(f"/projects/advice/reports/{path}").status_code == 404


def test_only_managers_have_them_computed_anew(judged):
    api = judged["api"]
    assert api["Noor"].post("/projects/advice/reports/").status_code == 404
    first = api["Mara"].post("/projects/advice/reports/")
    assert first.status_code == 202 and first.json()["state"] == "waiting"
    assert api["Mara"].post("/projects/advice/reports/").json()["id"] == first.json()["id"]
