"""The one place that calls HTML safe: only what labeling.rendering made, which the database stores with its version.

{{ response|rendered:item.language }}     {{ entry|rendered:item.language }}     {{ guideline|rendered }}
{% panel response item.language queue.blur_images %}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from labeling.models import Guideline, Response
from labeling.rendering import EMPTY, PLAIN, PLAIN_OPENS
from labeling.rendering.figures import with_figures
from labeling.rendering.languages import language_of
from labeling.templatetags.figures import figure

register = template.Library()

_DIRECTED = re.compile(r'<\w+ dir="(ltr|rtl)"')


@register.filter
def rendered(source: Response | Guideline | Mapping[str, Any], language: str = "") -> SafeString:
    """The panel of a response, a guideline or a turn ({"html", "renderer"}, with "content" where it has images).

    Images are veiled: who knows what the queue says asks for a `panel`.
    """
    if isinstance(source, Mapping | Response):
        return panel(source, language, veiled=True)
    return _noticed(source.html, source.html.startswith(PLAIN_OPENS), language)


@register.simple_tag
def panel(source: Response | Mapping[str, Any], language: str = "", veiled: bool = False) -> SafeString:
    """As `rendered`, and says whether the images are veiled."""
    if isinstance(source, Response):
        html, renderer, parts = source.html, source.renderer, source.parts
    else:
        html, renderer, parts = str(source["html"]), source["renderer"], source.get("content")
    if isinstance(parts, list):
        figures = [figure(part, language, veiled=veiled) for part in parts if part["type"] == "image"]
        html = with_figures(html, figures)
    return _noticed(html, renderer == PLAIN, language)


def _noticed(html: str, is_plain: bool, language: str) -> SafeString:
    said = _("Shown as plain text: as formatted text it would lose words or take too long to lay out.")
    notice = format_html('<p class="md-notice">{}</p>', said) if is_plain else ""
    return format_html("{}{}", notice, _panel(html, language))


def _panel(html: str, language: str) -> SafeString:
    # htmx attributes in it, were there any, would be dead: hx-disable is the last of three guards
    tag = language_of(html, language)
    # What is in no known language must not be drawn and read as that of a page in Chinese.
    unknown = not tag and not (get_language() or "en").startswith("en")
    lang = format_html(' lang="{}"', tag) if tag or unknown else ""
    if html == EMPTY:
        html = format_html('<p class="md-empty">{}</p>', _("(empty)"))
    # blocks that have a direction are overlooked by "auto"
    way = blocks[1] if (blocks := _DIRECTED.search(html)) else "auto"
    return format_html('<div dir="{}" class="md prose"{} hx-disable data-panel>{}</div>', way, lang, mark_safe(html))  # noqa: S308
