"""The guideline: versions to read, the editor with its preview, drafts, publishing, and what changed."""

import re

import pytest

from labeling.actions.annotate import submit
from labeling.actions.assign import claim
from labeling.actions.guidelines import acknowledge, publish_guideline, save_guideline_draft
from labeling.models import Guideline
from labeling.rendering import render
from labeling.rendering.outline import blocks
from labeling.web.text_diff import line_diff, passages
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
    assert part.startswith('<section class="card pad stack" id="preview"') and "<strong>Bold</strong>" in part
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


def read(text):
    return blocks(render(text).html)


def shown(old, new):
    """The changes as lines: "-gone-" and "+new+" in their places, a heading after "#"."""
    marks = {"gone": "-{}-", "new": "+{}+", "same": "{}"}
    return [
        "…" if one.kind == "gap" else "# " * one.heading + "".join(marks[r.kind].format(r.text) for r in one.runs)
        for one in passages(read(old), read(new))
    ]


THREE = "1. One thing is said.\n2. Two things.\n3. Three things are said here."
OLD = f"# A\n\nsame\n\nas before\n\n## B\n\n{THREE}\n\n## C\n\nend"


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (OLD, []),
        (OLD.replace("**", "").replace("Two things", "**Two** *things*"), []),
        (OLD.replace("One thing is", "One thing was"), ["# B", "1. One thing -is-+was+ said.", "2. Two things."]),
        (
            OLD.replace("Three things are said", "Three sentences were said"),
            ["# B", "2. Two things.", "3. Three -things are-+sentences were+ said here.", "# C"],
        ),
        (
            OLD.replace("2. Two things.", "2. New.\n3. Two things.").replace("3. Three", "4. Three"),
            [
                "# B",
                "1. One thing is said.",
                "+2. New.+",
                "-2-+3+. Two things.",
                "-3-+4+. Three things are said here.",
                "# C",
            ],
        ),
        (
            OLD.replace("2. Two things.\n", ""),
            ["# B", "1. One thing is said.", "-2. Two things.-", "3. Three things are said here."],
        ),
        (OLD.replace("end", "fin"), ["# C", "-end-", "+fin+"]),
        (
            OLD.replace("same", "other").replace("end", "fin"),
            ["# A", "-same-", "+other+", "as before", "# C", "-end-", "+fin+"],
        ),
    ],
)
def test_what_changed_as_it_is_read(new, expected):
    assert shown(OLD, new) == expected


def test_what_changed_in_chinese_is_marked_by_the_character():
    assert shown("1、先看事实，再看语气。", "1、先看事实，后看语气。") == ["1. 先看事实，-再-+后+看语气。"]


def test_texts_too_long_to_be_compared():
    assert passages(read("a\n\n" * 600), read("b\n\n" * 600)) is None
    long = "word " * 500
    assert [one.kind for one in passages(read(long), read(long + "more"))] == ["gone", "new"]


def test_the_preview_says_what_can_be_cited_and_what_is_wrong_with_the_numbers(study, mara):
    def preview(typed):
        return text(mara.post(GUIDELINES + "preview/", {"text": typed}))

    page = preview("# A\n\n1. One\n2. Two\n\n## B\n\n2. Again\n\nand\n\n6. Six")
    assert "Number 2 is used more than once" in page and "Numbers 3, 4, 5 are missing." in page
    assert "4 principles that raters can cite" in page and "<bdi>Again</bdi>" in page
    assert "Number 3 is missing." in preview("1. a\n2. b\n\nand\n\n4. c")
    assert "No sentence is numbered yet" in preview("# A\n\nb")
    good = preview("1. One\n2. Two")
    assert "missing" not in good and "more than once" not in good and "No sentence" not in good
    plain = preview("1. a\n" * 10_000)
    assert "Shown as plain text" in plain and "No sentence is numbered" not in plain


def test_odd_numbers_are_published_all_the_same(study, mara):
    assert (
        mara.post(GUIDELINES + "edit/", {"text": "1. a\n2. b\n\nx\n\n2. c\n\ny\n\n9. d", "do": "publish"}).status_code
        == 302
    )
    published = Guideline.objects.get(version=2)
    assert [one["number"] for one in published.principles] == [1, 2, 2, 9]
    assert published.principles[2] == {"number": 2, "text": "c", "anchor": "gp-2-2", "section": ""}
    assert 'id="gp-9"' in published.html


def test_publishing_says_what_will_happen(study, mara):
    assert "Publishing makes version 2. Nobody has judged here yet." in text(mara.get(GUIDELINES + "edit/"))
    judge(study, "Rui")
    assert "1 rater has judged here and reads what changed" in text(mara.get(GUIDELINES + "edit/"))


def judge(study, name, principle=None):
    rater = study["people"][name]
    assignment = claim(queue=study["queue"], rater=rater)
    body = {"judgments": {"helpfulness": {"preference": 1}}, "principle": principle}
    submit(assignment=assignment, rater=rater, body=body)


def test_a_manager_sees_who_has_read_and_what_was_cited(study, mara):
    judge(study, "Rui", principle=6)
    judge(study, "Rosa", principle=6)
    judge(study, "Rosa", principle=2)
    page = text(mara.get(GUIDELINES))
    assert "2 of 2 raters have read version 1." in page and page.count("judged under it") == 2
    second = publish_guideline(project=study["project"], by=None, text="1. New")
    page = text(mara.get(GUIDELINES))
    assert "0 of 2 raters have read version 2." in page and page.count("not yet") == 2
    acknowledge(guideline=second, user=study["people"]["Rui"])
    page = text(mara.get(GUIDELINES))
    assert "1 of 2 raters has read version 2." in page and page.index("Rosa") < page.index("Rui</bdi>")
    first = text(mara.get(GUIDELINES + "1/"))
    cited = re.findall(r'<span class="n num">(\d+)</span><a href="#gp-\d">.*?</a><span class="num">(\d+)</span>', first)
    assert cited == [(str(n), {6: "2", 2: "1"}.get(n, "0")) for n in range(1, 8)]


@pytest.mark.parametrize("name", ["Rui", "Noor", "Ada"])
def test_only_managers_see_who_has_read_and_what_was_cited(study, name):
    for address in (GUIDELINES, GUIDELINES + "1/"):
        page = text(study["as_"][name].get(address))
        assert "Read by" not in page and "times cited" not in page


def test_the_page_takes_few_queries(study, mara, django_assert_max_num_queries):
    judge(study, "Rui", principle=6)
    publish_guideline(project=study["project"], by=None, text="1. New")
    with django_assert_max_num_queries(12):
        mara.get(GUIDELINES)
