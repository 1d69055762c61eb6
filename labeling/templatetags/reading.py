"""How a rater reads the two responses: formatted or as typed, differences marked or not.

{% reading shown as reading %}  {% panel reading.left shown.language queue.blur_images %}

The choice is the person's, kept in a cookie of their browser, so that the next pair comes as the last was read, with
no script and nothing sent twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.http import HttpRequest
from django.template.context import Context

from labeling.models import Response
from labeling.rendering import RENDERER, Rendered, plain
from labeling.rendering.differences import alike, marked
from labeling.rendering.figures import render_with_places
from labeling.reports.desk import Shown

register = template.Library()

COOKIE = "annotate_reading"
CHOICES = ("raw", "marks")

Panel = dict[str, Any]  # {"content", "html", "renderer"}, as a turn of a conversation


@dataclass(frozen=True, slots=True)
class Reading:
    """`alike`: marking the differences is offered. `too_long`: it was asked for and would take long."""

    raw: bool
    marks: bool
    alike: bool
    too_long: bool
    left: Panel
    right: Panel | None


def chosen(request: HttpRequest) -> set[str]:
    """Which of CHOICES the person has switched on."""
    return set(request.COOKIES.get(COOKIE, "").split(".")).intersection(CHOICES)


@register.simple_tag(takes_context=True)
def reading(context: Context, shown: Shown) -> Reading:
    choices = chosen(context["request"])
    raw = "raw" in choices
    left = _panel(shown.left, raw=raw)
    right = None if shown.right is None else _panel(shown.right, raw=raw)
    near = shown.right is not None and alike(shown.left.content, shown.right.content)
    marks, too_long = near and "marks" in choices, False
    if marks and right:
        both = marked(left["html"], right["html"])
        too_long = both is None
        if both:
            left["html"], right["html"] = both
    return Reading(raw, marks, near, too_long, left, right)


def _panel(response: Response, *, raw: bool) -> Panel:
    content = response.content if response.parts is None else response.parts
    if not raw:
        return {"content": content, "html": response.html, "renderer": response.renderer}
    html = _typed(content).html if isinstance(content, str) else render_with_places(content, _typed).html
    return {"content": content, "html": html, "renderer": RENDERER}


def _typed(text: str) -> Rendered:
    return Rendered(plain(text), RENDERER)
