"""From what a row says of its images to the images: their bytes are found, looked at, and named by their hash."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from labeling.importers.archives import Archive, NoFile
from labeling.importers.checks import Problem
from labeling.importers.drafts import ItemDraft, ResponseDraft, check_responses
from labeling.importers.parts import MOST_IMAGES, Content, Part, Sent
from labeling.importers.pictures import MOST_BYTES, NoPicture, Picture, picture

_REMEMBERED = 4


class Darkroom:
    """Develops the images of drafts. Neighbouring rows often share one, so the last few are remembered."""

    def __init__(self, archive: Archive | None) -> None:
        self._archive = archive
        self._last: OrderedDict[str, Picture] = OrderedDict()

    def developed(self, draft: ItemDraft) -> ItemDraft:
        """The draft with its pictures, its parts naming them. Raises Problem at the first that cannot be taken."""
        found = draft.images
        if len(found) > MOST_IMAGES:
            raise Problem("images", f"has {len(found)} images in one row; at most {MOST_IMAGES} are taken")
        pictures: dict[str, Picture] = {}

        def name(image: Sent) -> str:
            made = self._picture(image)
            pictures[made.sha256] = made
            return made.sha256

        turns = [turn | {"content": _named(turn["content"], name)} for turn in draft.conversation]
        answers = tuple(_response(each, name) for each in draft.responses)
        check_responses(answers)
        return replace(draft, conversation=turns, responses=answers, pictures=pictures)

    def _picture(self, image: Sent) -> Picture:
        key = image.key
        if key in self._last:
            self._last.move_to_end(key)
            return self._last[key]
        try:
            made = picture(self._file(image) if image.data is None else image.data)
        except NoPicture as problem:
            raise Problem(image.field, str(problem)) from None
        self._last[key] = made
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        return made

    def _file(self, image: Sent) -> bytes:
        if self._archive is None:
            raise Problem(
                image.field,
                f"names the file “{image.name[:80]}”, but only rows were sent; "
                "pack them and their images into one .zip and send that",
            )
        try:
            return self._archive.read(image.name, MOST_BYTES)
        except NoFile as problem:
            raise Problem(image.field, f"names “{image.name[:80]}”, which {problem}") from None


def _named(content: Content, name: Callable[[Sent], str]) -> Content:
    return content if isinstance(content, str) else [_part(part, name) for part in content]


def _part(part: Part, name: Callable[[Sent], str]) -> Part:
    return part | {"image": name(part["image"])} if part["type"] == "image" else part


def _response(response: ResponseDraft, name: Callable[[Sent], str]) -> ResponseDraft:
    return (
        response if response.parts is None else replace(response, parts=[_part(each, name) for each in response.parts])
    )
