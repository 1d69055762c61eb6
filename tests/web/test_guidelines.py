"""The guideline: versions to read, the editor with its preview, drafts, publishing, and what changed."""

import pytest

from labeling.actions.projects import publish_guideline, save_guideline_draft
from labeling.models import Guideline
from labeling.web.text_diff import line_diff
from tests import make

pytestmark = pytest.mark.django_db
GUIDELINES = "/projects/advice/guidelines/"


def text(answer):
    return " ".join(answer.content.decode().split())


def test_members_read_versions(study):
    publish_guideline(
        project=study["project"], by=study["people"]["Mara"], text="# New\n\nBe kind.", change_note="Kinder"
    )
    for name in ("Mara", "Rui", "Noor", "Ada"):
        page = text(study["as_"][name].get(GUIDELINES))
        assert "Version 2" in page and "Version 1" in page and "Kinder" in page and "Be kind." in page
        assert "Prefer the response" in text(study["as_"][name].get(GUIDELINES + "1/"))
    assert study["as_"]["Otto"].get(GUIDELINES).status_code == 404
    assert study["as_"]["Otto"].get(GUIDELINES + "1/").status_code == 404


def test_a_version_says_what_changed(study, mara):
    old = Guideline.objects.get().text
    publish_guideline(project=study["project"], by=None, text=old.replace("clear beats clever", "plain beats clever"))
    page = text(mara.get(GUIDELINES + "2/"))
    assert "<del>2. Correct beats confident; complete beats long; clear beats clever.</del>" in page
    assert "<ins>2. Correct beats confident; complete beats long; plain beats clever.</ins>" in page
    assert "What changed" not in text(mara.get(GUIDELINES + "1/"))
    assert mara.get(GUIDELINES + "3/").status_code == 404


def test_the_editor_begins_from_the_draft_or_what_is_published(study, mara):
    assert "Prefer the response" in text(mara.get(GUIDELINES + "edit/"))
    mara.post(GUIDELINES + "edit/", {"text": "My draft", "do": "save"})
    assert "My draft" in text(mara.get(GUIDELINES + "edit/"))
    assert "My draft" not in text(study["as_"]["Rui"].get(GUIDELINES))
    assert "Go on with the draft" in text(mara.get(GUIDELINES))
    assert "Go on with the draft" not in text(study["as_"]["Rui"].get(GUIDELINES))


def test_publishing_makes_a_version_and_ends_the_draft(study, mara):
    save_guideline_draft(project=study["project"], by=study["people"]["Mara"], text="Draft")
    answer = mara.post(GUIDELINES + "edit/", {"text": "Be kind.", "change_note": "Shorter", "do": "publish"})
    assert answer["Location"] == GUIDELINES
    current = Guideline.objects.get(version=2)
    assert (current.text, current.change_note, current.author) == ("Be kind.", "Shorter", study["people"]["Mara"])
    assert not Guideline.objects.filter(version=None).exists()


def test_the_same_text_is_no_new_version(study, mara):
    old = Guideline.objects.get().text
    answer = mara.post(GUIDELINES + "edit/", {"text": old, "do": "publish"})
    assert answer.status_code == 422 and "Change it before you publish" in text(answer)
    assert Guideline.objects.count() == 1


@pytest.mark.parametrize("typed", ["", "   ", "x" * 200_001])
def test_a_text_that_cannot_be_kept(study, mara, typed):
    assert mara.post(GUIDELINES + "edit/", {"text": typed, "do": "publish"}).status_code == 422
    assert Guideline.objects.count() == 1


def test_the_preview_is_safe_and_stores_nothing(study, mara):
    typed = {"text": "**Bold** <script>alert(1)</script>", "do": "preview"}
    page = text(mara.post(GUIDELINES + "edit/", typed))
    assert "<strong>Bold</strong>" in page and "<script>alert" not in page
    part = text(mara.post(GUIDELINES + "preview/", typed, headers={"HX-Request": "true"}))
    assert part.startswith('<section class="card pad" id="preview"') and "<strong>Bold</strong>" in part
    assert Guideline.objects.count() == 1


@pytest.mark.parametrize("name", ["Rui", "Noor", "Ada", "Otto"])
def test_only_managers_write(study, name):
    client = study["as_"][name]
    assert client.get(GUIDELINES + "edit/").status_code == 404
    assert client.post(GUIDELINES + "edit/", {"text": "Mine", "do": "publish"}).status_code == 404
    assert client.post(GUIDELINES + "preview/", {"text": "x"}).status_code == 404
    assert Guideline.objects.count() == 1


def test_another_projects_guideline_is_not_there(study, mara):
    make.project("other", "Other")
    assert mara.get("/projects/other/guidelines/1/").status_code == 404


def test_changed_lines_come_with_what_is_around_them():
    diff = line_diff("a\nb\nc\nd\ne\nf\ng", "a\nb\nc\nX\ne\nf\ng")
    kinds = [(line.kind, line.text) for line in diff]
    assert kinds == [
        ("gap", ""), ("same", "b"), ("same", "c"), ("gone", "d"), ("new", "X"), ("same", "e"), ("same", "f"),
        ("gap", ""),
    ]  # fmt: skip
    assert line_diff("a", "a") == []
    assert line_diff("a\n" * 3000, "b\n" * 3000) is None
