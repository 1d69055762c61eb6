"""HTML of texts that an older renderer made, made anew. Nobody's act on the project, so nothing is audited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from labeling.actions.copying import as_json
from labeling.models import Item, Response
from labeling.rendering import RENDERER, Rendered, render
from labeling.rendering.figures import render_with_places

CHUNK = 500

# Renders the next rows above an id; answers how many they were and the last one's id, or None when there are no more.
Step = Callable[[int], tuple[int, int] | None]


@transaction.atomic
def render_responses(after: int) -> tuple[int, int] | None:
    """The next CHUNK responses. Texts shown plain are tried again, because a newer renderer may know better."""
    old = Response.objects.filter(pk__gt=after, renderer__lt=RENDERER).order_by("pk")
    rows = list(old.only("content", "parts")[:CHUNK])
    made = [_shown(row.content if row.parts is None else row.parts) for row in rows]
    _update(
        "UPDATE labeling_response SET html = new.html, renderer = new.renderer"
        " FROM unnest(%s::bigint[], %s::text[], %s::smallint[]) AS new (id, html, renderer)"
        " WHERE labeling_response.id = new.id",
        [[row.pk for row in rows], [each.html for each in made], [each.renderer for each in made]],
    )
    return (len(rows), rows[-1].pk) if rows else None


@transaction.atomic
def render_conversations(after: int) -> tuple[int, int] | None:
    """The next CHUNK items with a turn of an older renderer."""
    old = Item.objects.filter(pk__gt=after).extra(
        where=["EXISTS (SELECT FROM jsonb_array_elements(conversation_html) turn WHERE (turn->>'renderer')::int < %s)"],
        params=[RENDERER],
    )
    rows = list(old.order_by("pk").only("conversation")[:CHUNK])
    _update(
        "UPDATE labeling_item SET conversation_html = new.html FROM unnest(%s::bigint[], %s::jsonb[]) AS new (id, html)"
        " WHERE labeling_item.id = new.id",
        [[row.pk for row in rows], [as_json([_turn(turn) for turn in row.conversation]) for row in rows]],
    )
    return (len(rows), rows[-1].pk) if rows else None


STEPS: dict[str, Step] = {"conversations": render_conversations, "responses": render_responses}


def _shown(content: Any) -> Rendered:
    return render(content) if isinstance(content, str) else render_with_places(content, render)


def _turn(turn: dict[str, Any]) -> dict[str, Any]:
    made = _shown(turn["content"])
    return {"html": made.html, "renderer": made.renderer}


def _update(statement: str, columns: list[list[Any]]) -> None:
    if columns[0]:
        with connection.cursor() as cursor:
            cursor.execute(statement, columns)
