"""Projects of any size, made by SQL in seconds: what the benchmarks work on."""

from __future__ import annotations

from django.db import connection

from labeling.actions.people import add_member, create_person
from labeling.actions.projects import create_project
from labeling.actions.queues import add_slots
from labeling.models import Batch, Queue, User

WORDS = (
    "the quick answer explains why a patient reader may prefer one reply to another and what it would cost to be wrong "
)


def make_queue(slug: str, pairs: int, overlap: int = 3) -> Queue:
    """A project whose queue holds `pairs` pairs of two responses of about 500 characters."""
    project = create_project(slug=slug, name=slug, by=None)
    batch = Batch.objects.create(project=project, name="made", state=Batch.State.DONE)
    facts: dict[str, int | str] = {"project": project.pk, "batch": batch.pk, "pairs": pairs, "words": WORDS * 4}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO labeling_item (project_id, batch_id, external_id, fingerprint, conversation, conversation_html,
                                       language, tags, metadata)
            SELECT %(project)s, %(batch)s, 'made-' || n,
                   encode(sha256(convert_to(%(project)s || '-' || n, 'UTF8')), 'hex'),
                   jsonb_build_array(jsonb_build_object('role', 'user', 'content', 'Question ' || n)),
                   jsonb_build_array(jsonb_build_object('html', '<p>Question ' || n || '</p>', 'renderer', 1)),
                   'en', '{}', '{}'
            FROM generate_series(1, %(pairs)s) AS n
            """,
            facts,
        )
        cursor.execute(
            """
            INSERT INTO labeling_response (project_id, item_id, position, fingerprint, content, model_name, html,
                                           renderer)
            SELECT %(project)s, item.id, place, encode(sha256(convert_to(item.id || '-' || place, 'UTF8')), 'hex'),
                   text, 'model-' || place, '<p>' || text || '</p>', 1
            FROM labeling_item item CROSS JOIN generate_series(0, 1) AS place,
                 LATERAL (SELECT 'Answer ' || place || ' to ' || item.id || ': ' || %(words)s AS text) AS made
            WHERE item.project_id = %(project)s ORDER BY item.id, place
            """,
            facts,
        )
        cursor.execute(
            """
            INSERT INTO labeling_pair (project_id, item_id, first_id, second_id)
            SELECT %(project)s, item_id, min(id), max(id) FROM labeling_response
            WHERE project_id = %(project)s GROUP BY item_id ORDER BY item_id
            """,
            facts,
        )
    queue = project.queues.get()
    queue.overlap = overlap
    queue.save(update_fields=["overlap"])
    add_slots(queue=queue)
    analyze()
    return queue


def make_raters(queue: Queue, number: int) -> list[User]:
    raters = [create_person(email=f"rater-{queue.pk}-{place}@bench.example") for place in range(number)]
    for rater in raters:
        add_member(project=queue.project, user=rater, role="rater", by=None)
    return raters


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
