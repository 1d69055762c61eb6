"""An image part as the figure that people see: composed from escaped values, whatever its description says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext

register = template.Library()

COLUMNS = 8


@register.simple_tag
def figure(part: Mapping[str, Any], language: str = "", *, veiled: bool = False) -> SafeString:
    """`language` is that of the description; `veiled` images are grey and unloaded until they are opened."""
    cells = [
        {"x": place % COLUMNS, "y": place // COLUMNS, "grey": grey} for place, grey in enumerate(part["greys"] * veiled)
    ]
    facts = {"part": part, "language": language, "veiled": veiled, "cells": cells}
    shown: SafeString = render_to_string(
        "labeling/_figure.html", facts | {"no_description": gettext("Image without a description")}
    )
    return shown
