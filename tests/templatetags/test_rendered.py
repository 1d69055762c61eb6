"""The panel that holds a stranger's text."""

from __future__ import annotations

from django.template import Context, Template
from django.utils import translation

from labeling.models import Guideline, Response
from labeling.rendering import render

NOTICE = "Shown as plain text"


def shown(template: str, **context: object) -> str:
    return Template("{% load rendered %}" + template).render(Context(context))


def response(text: str) -> Response:
    made = render(text)
    return Response(content=text, html=made.html, renderer=made.renderer)


def test_a_response_is_an_isolated_panel_in_its_language() -> None:
    assert shown("{{ it|rendered:'zh-Hant' }}", it=response("一*二*")) == (
        '<div dir="auto" class="md prose" lang="zh-Hant" hx-disable data-panel><p>一<em>二</em></p>\n</div>'
    )


def test_without_a_language_there_is_no_lang() -> None:
    assert "lang" not in shown("{{ it|rendered }}", it=response("words"))


def test_a_language_from_a_file_cannot_break_out() -> None:
    html = shown("{{ it|rendered:code }}", it=response("words"), code='"><script>')
    assert "lang" not in html
    assert "script" not in html


def test_a_panel_runs_as_its_first_block_does() -> None:
    assert shown("{{ it|rendered:'ar' }}", it=response("*نعم*\n\nyes")).startswith('<div dir="rtl" class="md prose"')
    assert shown("{{ it|rendered:'ar' }}", it=response("*yes*\n\nنعم")).startswith('<div dir="ltr" class="md prose"')


def test_a_text_in_another_script_has_its_own_language() -> None:
    assert 'lang="en"' in shown("{{ it|rendered:'zh-Hans' }}", it=response("Only English words here."))


def test_nothing_is_said_in_the_readers_language() -> None:
    with translation.override("en"):
        assert '<p class="md-empty">(empty)</p>' in shown("{{ it|rendered }}", it=response("  "))


def test_plain_text_says_why() -> None:
    lossy = response("|a|b|\n|-|-|\n|1|2|3|")
    assert shown("{{ it|rendered }}", it=lossy).startswith('<p class="md-notice">' + NOTICE)
    assert NOTICE not in shown("{{ it|rendered }}", it=response("|a|b|\n|-|-|\n|1|2|"))


def test_one_message_of_a_conversation() -> None:
    entry = {"html": "<p>one</p>", "renderer": 1}
    assert "<p>one</p>" in shown("{{ it|rendered:'en' }}", it=entry)
    assert NOTICE in shown("{{ it|rendered:'en' }}", it=entry | {"renderer": 0})


def test_a_guideline() -> None:
    assert "<h3>One</h3>" in shown("{{ it|rendered }}", it=Guideline(html=render("# One").html))
    assert NOTICE in shown("{{ it|rendered }}", it=Guideline(html=render("|a|\n|-|\n|1|2|").html))
