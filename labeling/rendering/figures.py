"""Where an image stands in stored HTML.

The image itself is put there when the page is made: its words are in the reader's language, and whether it is veiled
is up to the queue. No text can forge a place, because the sanitiser knows neither the tag nor the attribute.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import count

from labeling.rendering import Rendered
from labeling.rendering.parts import Part, render_parts

_PLACE = re.compile(r'<figure data-image="(\d+)"></figure>')


def render_with_places(parts: Sequence[Part], text: Callable[[str], Rendered]) -> Rendered:
    """The parts' HTML with a place for each image, numbered from 0."""
    numbers = count()
    return render_parts(parts, lambda part: f'<figure data-image="{next(numbers)}"></figure>', text)


def with_figures(html: str, figures: Sequence[str]) -> str:
    """The HTML with each figure in its place."""
    return _PLACE.sub(lambda place: figures[int(place[1])], html)
