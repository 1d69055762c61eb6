"""A message of text and images as one panel: the texts by the renderer, each image by whoever keeps the images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from labeling.rendering import PLAIN, RENDERER, Rendered, render

Part = Mapping[str, Any]


def render_parts(
    parts: Iterable[Part], figure: Callable[[Part], str], text: Callable[[str], Rendered] = render
) -> Rendered:
    """Safe HTML of {"type": "text", "text"} and {"type": "image", …} in their order.

    `figure` answers an image part with safe HTML of a block: nothing cleans it afterwards. `text` is how texts are
    shown. The renderer is PLAIN if one of the texts had to be shown as it was typed, so that the notice appears.
    Raises ValueError for a part of another type, which an importer must have refused before.
    """
    shown: list[str] = []
    renderer = RENDERER
    for part in parts:
        if part["type"] == "image":
            shown.append(figure(part))
        elif part["type"] == "text":
            made = text(part["text"])
            shown.append(made.html)
            renderer = PLAIN if made.renderer == PLAIN else renderer
        else:
            raise ValueError(f"no part of a message: {part['type']!r}")
    return Rendered("\n".join(shown), renderer)
