"""The lane in which an open slot lies: SQL for whoever makes slots, brings them back or moves them."""

from __future__ import annotations

from labeling.models.queues import HIDDEN

# The lane of a row `item`: those of its tags that are topics of the project, in Python's order. The topics are read
# once a statement; an item without tags costs nothing.
LANE_OF_ITEM = """CASE WHEN cardinality(item.tags) = 0 THEN '' ELSE (
    SELECT coalesce(string_agg(topic, ' ' ORDER BY topic COLLATE "C"), '')
    FROM unnest((SELECT array_agg(key) FROM labeling_topic WHERE project_id = %(project)s)) AS topic
    WHERE topic = ANY(item.tags)) END"""
# The same for a pair that is in the queue already; one that was found broken stays hidden.
LANE_OF_PAIR = f"""CASE WHEN EXISTS (
        SELECT FROM labeling_slot aside WHERE aside.queue_id = %(queue)s AND aside.pair_id = slot.pair_id
          AND aside.lane = '{HIDDEN}' AND aside.state = 'open')
    THEN '{HIDDEN}' ELSE (
        SELECT {LANE_OF_ITEM} FROM labeling_pair pair JOIN labeling_item item ON item.id = pair.item_id
        WHERE pair.id = slot.pair_id) END"""  # noqa: S608 (constants of this module)
