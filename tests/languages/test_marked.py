"""No word that a person reads is left unmarked, in templates and in Python; and the search for them can fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.languages import python, templates
from tests.languages.sources import ROOT, python_sources, template_sources

# Documentation of the API, in English like the API itself; files of an export.
ENGLISH = {"labeling/api_docs.html", "labeling/_api_operation.html", "labeling/_api_fields.html"}
COMPANIES = {"Prolific", "Amazon Mechanical Turk"}


def own(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_word_of_a_template_is_unmarked() -> None:
    files = [path for path in template_sources() if path.suffix == ".html" and own(path)[10:] not in ENGLISH]
    found = [f"{own(path)}:{line}: {words}" for path in files for line, words in templates.unmarked(path)]
    assert not found, "mark these with {% translate %} or {% blocktranslate %}:\n" + "\n".join(found)


def test_no_sentence_of_python_is_unmarked() -> None:
    files = [path for path in python_sources() if not own(path).startswith(python.OF_PROGRAMS)]
    found = [f"{own(path)}:{line}: {words}" for path in files for line, words in python.unmarked(path)]
    assert not found, "mark these with gettext, and fill in by name:\n" + "\n".join(found)


def test_no_name_of_a_choice_is_unmarked() -> None:
    found = [(path, line, name) for path in python_sources() for line, name in python.unnamed_choices(path)]
    assert not [f"{own(path)}:{line}: {name}" for path, line, name in found if name not in COMPANIES]


@pytest.mark.parametrize(
    "bad",
    [
        "<p>Words</p>", '<a title="Words">', '<b data-word="Two words">', '{{ x|default:"Nothing" }}',
        "{% if x %}Words{% endif %}", '<input type="submit" value="Send">', '{% include "x" with title="Two words" %}',
        "{% blocktranslate %}Good{% endblocktranslate %} bad", '<p>{% translate "Good" %}, and {{ x }}</p>',
    ],
)  # fmt: skip
def test_the_search_finds_words_of_templates(bad: str, tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("\n" + bad)
    assert [line for line, _ in templates.unmarked(tmp_path / "x.html")] == [2]


@pytest.mark.parametrize(
    "good",
    [
        '{% translate "Words" %}', "<code>words</code>", "{% blocktranslate %}Words {{ x }}{% endblocktranslate %}",
        "{{ words.of_data }}", '<a class="some words" id="words" hx-get="words">', "{% if x == 'words' %}{% endif %}",
        "{% comment %}words{% endcomment %}", "Annotate · {{ x }} UTC", "{% block page_class %}slim{% endblock %}",
    ],
)  # fmt: skip
def test_the_search_leaves_alone_what_is_no_word(good: str, tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text(good)
    assert not list(templates.unmarked(tmp_path / "x.html"))


@pytest.mark.parametrize(
    "bad",
    [
        'messages.success(request, "Done so.")', 'raise Refused("code", f"No {x} here.")', 'CharField(label="Words")',
        'messages.error(request, "One." if x else _("Two."))', '_(f"Words {x}")', '_("Words %s" % x)',
        'raise forms.ValidationError("Words %(x)s" % {"x": 1})', 'form.add_error(None, ["Words"])',
    ],
)  # fmt: skip
def test_the_search_finds_words_of_python(bad: str, tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(bad)
    assert list(python.unmarked(tmp_path / "x.py"))
    (tmp_path / "x.py").write_text("class A(forms.Form):\n    b = forms.CharField(max_length=3)")
    assert [line for line, _ in python.unmarked(tmp_path / "x.py")] == [2]
    (tmp_path / "x.py").write_text('class A(models.TextChoices):\n    B = "b", "Words"')
    assert list(python.unnamed_choices(tmp_path / "x.py"))


def test_the_search_leaves_marked_python_alone(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(
        'messages.info(r, _("Words"))\nRefused("code", _("No %(x)s.") % {"x": 1}, {"x": "taken"})'
    )
    assert not list(python.unmarked(tmp_path / "x.py"))


def test_a_date_is_written_as_its_language_does() -> None:
    """By the name of a format, which each language fills in; what machines read, and hours, are the same for all."""
    same = {"c", "U", "H:i", "H:i e", "D", "l"}
    found = [
        f"{own(path)}: {form}"
        for path in template_sources()
        for form in re.findall(r"""\|date:["']([^"']+)["']""", path.read_text())
        if form not in same and not re.fullmatch(r"[A-Z_]+_FORMAT", form) and path.suffix == ".html"
    ]
    assert not found, "name a format of annotate/formats/ instead:\n" + "\n".join(found)
