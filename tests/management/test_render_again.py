"""manage.py render_again: what an older renderer made is made anew, in steps, and nothing else is touched."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.actions import render_again
from labeling.models import Item, Response
from labeling.rendering import PLAIN, RENDERER
from tests import make

pytestmark = pytest.mark.django_db


def run() -> str:
    out = StringIO()
    call_command("render_again", stdout=out)
    return out.getvalue()


def age() -> None:
    """Every row as version 1 might have left it."""
    Response.objects.update(html="<p>old</p>", renderer=1)
    for item in Item.objects.all():
        item.conversation_html = [{"html": "<p>old</p>", "renderer": 1} for _ in item.conversation]
        item.save()


def test_old_html_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_again, "CHUNK", 2)
    project = make.project()
    for _ in range(3):
        make.pair(project, "**用量：**每次", "$x$", conversation=[{"role": "user", "content": "*Why?*"}])
    age()
    said = run()
    assert "3 conversations rendered." in said
    assert "6 responses rendered." in said
    assert set(Response.objects.values_list("renderer", flat=True)) == {RENDERER}
    assert Response.objects.filter(html="<p><strong>用量：</strong>每次</p>\n").count() == 3
    turns = [item.conversation_html for item in Item.objects.all()]
    assert turns == [[{"html": "<p><em>Why?</em></p>\n", "renderer": RENDERER}]] * 3


def test_what_is_new_is_left_alone() -> None:
    make.pair(make.project(), "*one*", "two")
    Response.objects.filter(content="two").update(html="<p>kept</p>")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        said = run()
    assert "0 responses rendered." in said
    assert not any(query["sql"].startswith("UPDATE") for query in queries)
    assert Response.objects.filter(html="<p>kept</p>").exists()


def test_images_keep_their_places() -> None:
    make.pair(make.project(), "one", "two")
    parts = [{"type": "text", "text": "*Look*"}, {"type": "image", "image": "token"}]
    Response.objects.filter(content="one").update(parts=parts)
    age()
    run()
    html = Response.objects.get(content="one").html
    assert html.split() == ["<p><em>Look</em></p>", "<figure", 'data-image="0"></figure>']


def test_a_text_shown_plain_is_tried_again() -> None:
    make.pair(make.project(), "one", "|a|\n|-|\n|1|lost|")
    Response.objects.update(html="<pre>", renderer=PLAIN)
    assert "2 responses rendered." in run()
    assert sorted(Response.objects.values_list("renderer", flat=True)) == [PLAIN, RENDERER]


def test_stopped_half_way_it_goes_on() -> None:
    project = make.project()
    make.pair(project)
    make.pair(project)
    age()
    first = Response.objects.order_by("pk")[0]
    first.html, first.renderer = "<p>done before</p>", RENDERER
    first.save()
    assert "3 responses rendered." in run()
    assert Response.objects.get(pk=first.pk).html == "<p>done before</p>"
