"""A chunk of drafts → items, responses, pairs and slots, by COPY. Runs in the caller's transaction."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from labeling.actions.authors import find_authors
from labeling.actions.copying import as_json, check_at_once, copy_rows, reserve_ids
from labeling.actions.queues import add_slots
from labeling.importers import Content, ItemDraft, Refused
from labeling.models import Batch, Item, Pair, Queue, Refusal, Response
from labeling.models.items import stretch_of
from labeling.rendering import Rendered, render
from labeling.rendering.figures import render_with_places

_ITEM = (
    "id", "project_id", "batch_id", "external_id", "fingerprint", "conversation", "conversation_html", "language",
    "tags", "metadata", "gold", "author_id", "priority",
)  # fmt: skip
_RESPONSE = (
    "id", "project_id", "item_id", "position", "fingerprint", "content", "parts", "model_name", "html", "renderer",
)  # fmt: skip
_RESPONSE_TYPES = ("int8", "int8", "int8", "int2", "text", "text", "jsonb", "text", "text", "int2")
_PAIR = ("id", "project_id", "item_id", "first_id", "second_id", "stretch")
_PAIR_TYPES = ("int8",) * len(_PAIR)

Rendering = Mapping[str, Rendered]


@dataclass(frozen=True, slots=True)
class _Placed:
    """A draft with the ids that its rows will have, and the fingerprints of its responses."""

    draft: ItemDraft
    fingerprint: str
    item_id: int
    response_ids: list[int]
    fingerprints: list[str]


def render_all(drafts: Iterable[ItemDraft]) -> dict[str, Rendered]:
    """Every text once: prompts repeat."""
    texts = {text for draft in drafts for text in draft.texts}
    return {text: render(text) for text in texts}


def copy_items(batch: Batch, drafts: Mapping[str, ItemDraft], rendered: Rendering, images: Mapping[str, str]) -> None:
    """Store drafts by fingerprint; none of them may be in the project. `rendered` holds all their texts, `images` the
    tokens of their images by the hash that the drafts name."""
    if not drafts:
        return
    placed = _place(drafts)
    authors = find_authors(batch.project_id, {draft.author for draft in drafts.values() if draft.author})
    check_at_once()
    copy_rows(Item, _ITEM, (_item(batch, each, rendered, images, authors) for each in placed))
    responses = (row for each in placed for row in _responses(batch, each, rendered, images))
    copy_rows(Response, _RESPONSE, responses, _RESPONSE_TYPES)
    pairs = [pair for each in placed for pair in _pairs(each)]
    pair_ids = reserve_ids(Pair, len(pairs))
    rows = ((pk, batch.project_id, *pair) for pk, pair in zip(pair_ids, pairs, strict=True))
    copy_rows(Pair, _PAIR, rows, _PAIR_TYPES)
    for queue in Queue.objects.filter(project_id=batch.project_id).order_by("pk"):
        add_slots(queue=queue, pair_ids=pair_ids, fresh=True)


def copy_refusals(batch: Batch, refused: Iterable[Refused]) -> None:
    rows = ((batch.pk, each.line, _storable(each.field)[:200], _storable(each.reason)[:500]) for each in refused)
    copy_rows(Refusal, ("batch_id", "line", "field", "reason"), rows)


def _place(drafts: Mapping[str, ItemDraft]) -> list[_Placed]:
    item_ids = reserve_ids(Item, len(drafts))
    response_ids = iter(reserve_ids(Response, sum(len(draft.responses) for draft in drafts.values())))
    return [
        _Placed(
            draft,
            fingerprint,
            item_id,
            list(itertools.islice(response_ids, len(draft.responses))),
            [response.fingerprint for response in draft.responses],
        )
        for item_id, (fingerprint, draft) in zip(item_ids, drafts.items(), strict=True)
    ]


def _item(
    batch: Batch, placed: _Placed, rendered: Rendering, images: Mapping[str, str], authors: Mapping[str, int]
) -> tuple[Any, ...]:
    draft, author = placed.draft, authors.get(placed.draft.author)
    metadata = draft.metadata | {"author": draft.author} if draft.author and author is None else draft.metadata
    shown = [_html(message["content"], rendered) for message in draft.conversation]
    turns = [turn | {"content": _stored(turn["content"], draft, images)} for turn in draft.conversation]
    return (
        placed.item_id, batch.project_id, batch.pk, draft.external_id, placed.fingerprint, as_json(turns),
        as_json([{"html": each.html, "renderer": each.renderer} for each in shown]), draft.language, draft.tags,
        as_json(metadata), as_json(draft.gold) if draft.gold else None, author, draft.priority,
    )  # fmt: skip


def _responses(
    batch: Batch, placed: _Placed, rendered: Rendering, images: Mapping[str, str]
) -> Iterator[tuple[Any, ...]]:
    known = zip(placed.response_ids, placed.fingerprints, placed.draft.responses, strict=True)
    for position, (pk, fingerprint, response) in enumerate(known):
        shown = _html(response.shown, rendered)
        parts = None if response.parts is None else Jsonb(_stored(response.parts, placed.draft, images), as_json)
        yield (
            pk, batch.project_id, placed.item_id, position, fingerprint, response.content, parts,
            response.model_name, shown.html, shown.renderer,
        )  # fmt: skip


def _html(content: Content, rendered: Rendering) -> Rendered:
    return rendered[content] if isinstance(content, str) else render_with_places(content, rendered.__getitem__)


def _stored(content: Content, draft: ItemDraft, images: Mapping[str, str]) -> Content:
    """Content as it is stored: an image by its token, with what a page needs to lay it out before it is loaded."""
    if isinstance(content, str):
        return content
    return [_image(part, draft, images) if part["type"] == "image" else part for part in content]


def _image(part: dict[str, Any], draft: ItemDraft, images: Mapping[str, str]) -> dict[str, Any]:
    picture = draft.pictures[part["image"]]
    size = {"width": picture.width, "height": picture.height, "greys": picture.greys}
    return {"type": "image", "image": images[picture.sha256], "alt": part["alt"], **size}


def _pairs(placed: _Placed) -> Iterator[tuple[int, int, int | None, int]]:
    """Every two responses of an item, or its only one."""
    known = list(zip(placed.response_ids, placed.fingerprints, strict=True))
    if len(known) == 1:
        yield placed.item_id, placed.response_ids[0], None, stretch_of(placed.fingerprints[0])
    for (first, one), (second, other) in itertools.combinations(known, 2):
        yield placed.item_id, first, second, stretch_of(min(one, other))


def _storable(text: str) -> str:
    """A refusal may quote what was wrong with the text, which is then wrong in the refusal too."""
    return text.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
