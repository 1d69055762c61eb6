"""The SQL behind an export, in pieces. What varies is chosen by `exports/rows.py`; every value is a parameter."""

from __future__ import annotations

# The first attempt counts what is current: its statements see what its snapshot sees, which is kept for the others.
_CURRENT = """
    counted AS (
        SELECT a.id, a.pair_id, a.rater_id, a.guideline_id, a.assignment_id, a.created_at{more}
        FROM labeling_annotation a {scope}
        WHERE a.project_id = %(project)s AND a.current
    )"""
# A later attempt counts what was current in that snapshot.
_WAS_CURRENT = """
    counted AS (
        SELECT a.id, a.pair_id, a.rater_id, a.guideline_id, a.assignment_id, a.created_at{more}
        FROM labeling_annotation a {scope}
        WHERE a.project_id = %(project)s AND a.current AND {visible}
      UNION ALL  -- what a revision has replaced since
        SELECT a.id, a.pair_id, a.rater_id, a.guideline_id, a.assignment_id, a.created_at{more}
        FROM labeling_annotation newer
        CROSS JOIN LATERAL (
            SELECT * FROM labeling_annotation older
            WHERE older.assignment_id = newer.assignment_id AND {older_visible}
            ORDER BY older.revision DESC LIMIT 1
        ) a {scope}
        WHERE newer.project_id = %(project)s AND newer.current AND newer.revision > 1 AND NOT {newer_visible}
    )"""
# A row is visible if its transaction is. One from “the future” came with a restored dump, whose transactions were
# counted by another server: it is as old as the dump.
_VISIBLE = """
    (pg_visible_in_snapshot({0}.transaction, %(as_of)s::pg_snapshot)
        OR {0}.transaction >= pg_snapshot_xmax(pg_current_snapshot()))"""
_SCOPE = """
        JOIN labeling_pair scope ON scope.id = a.pair_id
        JOIN labeling_item scope_item ON scope_item.id = scope.item_id AND {filters}"""
FILTERS = {
    "queues": """EXISTS (
        SELECT 1 FROM labeling_slot t JOIN labeling_queue q ON q.id = t.queue_id
        WHERE t.pair_id = scope.id AND q.project_id = %(project)s AND q.name = ANY(%(queues)s))""",
    "batches": """EXISTS (
        SELECT 1 FROM labeling_batch b WHERE b.id = scope_item.batch_id AND b.name = ANY(%(batches)s))""",
    "languages": "scope_item.language = ANY(%(languages)s)",
    "tags": "scope_item.tags && %(tags)s::varchar[]",
}

# The judgments that count, as (annotation, response or none, preference, both_bad, safe, text).
GIVEN = """
    SELECT annotation_id, response_id, preference, both_bad, safe, text FROM labeling_judgment
    WHERE criterion_id = ANY(%(criteria)s)"""
# A criterion asked only on conflict is answered, where it was not asked, by the side to which the others point.
POINTED = """
    SELECT annotation_id, response_id, preference, both_bad, safe, text FROM labeling_judgment
    WHERE criterion_id = ANY(%(safety)s)
  UNION ALL
    SELECT annotation_id, NULL,
        CASE WHEN given THEN answer WHEN plus AND minus OR bad THEN NULL WHEN plus OR minus THEN mean ELSE 0 END,
        CASE WHEN given THEN answer IS NULL ELSE bad END, NULL, text
    FROM (
        SELECT annotation_id, bool_or(criterion_id = %(criterion)s) AS given,
            max(preference) FILTER (WHERE criterion_id = %(criterion)s) AS answer,
            coalesce(max(text) FILTER (WHERE criterion_id = %(criterion)s), '') AS text,
            bool_or(preference > 0) IS TRUE AS plus, bool_or(preference < 0) IS TRUE AS minus,
            bool_or(both_bad) AND bool_or(preference <> 0) IS NOT TRUE AS bad,
            avg(preference) FILTER (WHERE preference <> 0) AS mean
        FROM labeling_judgment JOIN counted ON counted.id = annotation_id
        WHERE criterion_id = ANY(%(pointing)s)
        GROUP BY annotation_id
    ) answers"""

_TALLIES = """
    tallies AS (
        SELECT p.id, p.item_id, p.first_id, p.second_id,
            count(*) FILTER (WHERE j.preference < 0) AS first_raters,
            count(*) FILTER (WHERE j.preference > 0) AS second_raters,
            coalesce(sum(-j.preference) FILTER (WHERE j.preference < 0), 0)::float8 AS first_strength,
            coalesce(sum(j.preference) FILTER (WHERE j.preference > 0), 0)::float8 AS second_strength,
            count(*) FILTER (WHERE j.preference = 0) AS ties,
            count(*) FILTER (WHERE j.both_bad) AS both_bad,
            count(*) FILTER (WHERE j.response_id = p.first_id AND j.safe) AS first_safe,
            count(*) FILTER (WHERE j.response_id = p.first_id AND NOT j.safe) AS first_unsafe,
            count(*) FILTER (WHERE j.response_id = p.second_id AND j.safe) AS second_safe,
            count(*) FILTER (WHERE j.response_id = p.second_id AND NOT j.safe) AS second_unsafe,
            string_agg(j.text, %(separator)s) FILTER (WHERE j.preference < 0 AND j.text <> '') AS first_said,
            string_agg(j.text, %(separator)s) FILTER (WHERE j.preference > 0 AND j.text <> '') AS second_said
        FROM counted JOIN labeling_pair p ON p.id = counted.pair_id JOIN ({judgments}) j ON j.annotation_id = counted.id
        WHERE p.second_id IS NOT NULL {among}
        GROUP BY p.id
    )"""
# What a vote has beyond the sums; only selected where votes are asked for.
_MORE = ", a.revision, a.principle, a.instrument, a.kept_hints, a.active_ms"
# Every vote of a pair as one JSON text, in no order. Of an imported one nobody knows what stood on the left. Most
# answers are a bare preference or verdict, and end there.
_BALLOTS = """
    said AS (
        SELECT annotation_id, json_agg(CASE
            WHEN text <> '' OR rating IS NOT NULL OR severity IS NOT NULL OR categories <> '{{}}' THEN json_build_array(
                criterion_id, response_id, preference, both_bad, safe, text, rating, categories, severity)
            WHEN safe IS NULL THEN json_build_array(criterion_id, response_id, preference, both_bad)
            ELSE json_build_array(criterion_id, response_id, preference, both_bad, safe) END) AS answers
        FROM counted JOIN labeling_judgment ON annotation_id = counted.id GROUP BY annotation_id
    ), tallies AS (
        SELECT p.id, p.item_id, p.first_id, p.second_id, json_agg(json_build_array(
            c.rater_id, c.guideline_id, c.revision, c.principle, c.instrument, c.kept_hints,
            CASE WHEN a.queue_id IS NOT NULL THEN a.swapped END, c.active_ms,
            (c.created_at AT TIME ZONE 'UTC')::date, said.answers))::text AS votes
        FROM counted c JOIN labeling_pair p ON p.id = c.pair_id JOIN labeling_assignment a ON a.id = c.assignment_id
        JOIN said ON said.annotation_id = c.id
        WHERE true {singles} {among}
        GROUP BY p.id
    )"""
STREAM = """
    WITH {counted}, {tallies}
    SELECT least(f.fingerprint, s.fingerprint), greatest(f.fingerprint, s.fingerprint), i.fingerprint,
        f.fingerprint <= s.fingerprint, {texts}, first_raters, second_raters, first_strength, second_strength,
        ties, both_bad, first_safe, first_unsafe, second_safe, second_unsafe, first_said, second_said,
        i.language, tallies.id
    FROM tallies JOIN labeling_item i ON i.id = item_id
    JOIN labeling_response f ON f.id = first_id JOIN labeling_response s ON s.id = second_id
    {after} ORDER BY 1, 2, 3"""
# The same with votes, also of pairs without a second response, whose fingerprint is then the empty text.
BALLOT_STREAM = """
    WITH {counted}, {tallies}, stream AS (
        SELECT least(f.fingerprint, s.fingerprint) AS low,
            CASE WHEN s.id IS NULL THEN '' ELSE greatest(f.fingerprint, s.fingerprint) END AS high,
            i.fingerprint AS item, coalesce(f.fingerprint <= s.fingerprint, true) AS straight, {texts}, votes,
            f.id AS first_id, {key} AS key, i.metadata->>'domain', i.metadata->>'stated_language', i.language,
            tallies.id
        FROM tallies JOIN labeling_item i ON i.id = item_id
        JOIN labeling_response f ON f.id = first_id LEFT JOIN labeling_response s ON s.id = second_id
    )
    SELECT * FROM stream {after} ORDER BY key, low, high, item"""
BALLOT_AFTER = "WHERE (key, low, high) > (%(key)s, %(low)s, %(high)s)"
# jsonb has one text for one value, so this orders by conversation, the same everywhere.
CONVERSATION_KEY = "md5(i.conversation::text)"
PAIRS_ONLY = "AND p.second_id IS NOT NULL"
AFTER = """
    WHERE (least(f.fingerprint, s.fingerprint), greatest(f.fingerprint, s.fingerprint)) > (%(low)s, %(high)s)"""
# The conversation, both texts, and whether there are images: with the texts, those of the conversation are seen in it.
TEXTS = "i.conversation::text, f.content, s.content, f.parts IS NOT NULL OR s.parts IS NOT NULL"
NO_TEXTS = """NULL, NULL, NULL, f.parts IS NOT NULL OR s.parts IS NOT NULL
        OR i.conversation @? '$[*].content[*] ? (@.type == "image")'"""
AMONG = "AND p.id = ANY(%(pairs)s)"

_PAIRS = """
    SELECT count(*) FROM labeling_pair scope {item}
    WHERE scope.project_id = %(project)s {singles}"""
# An imported judgment has no queue: nobody knows which response stood on the left.
FACTS = """
    WITH {counted}, sides AS (
        SELECT (preference < 0) <> swapped AS was_left FROM counted
        JOIN labeling_assignment a ON a.id = assignment_id AND a.queue_id IS NOT NULL
        JOIN labeling_judgment j ON j.annotation_id = counted.id AND j.criterion_id = %(criterion)s
        WHERE preference <> 0
    ), versions AS (
        SELECT version, count(*) FROM counted JOIN labeling_guideline g ON g.id = guideline_id GROUP BY version
    )
    SELECT count(*),
        (SELECT count(*) FROM (SELECT DISTINCT pair_id FROM counted) judged),
        (SELECT count(*) FROM (SELECT DISTINCT rater_id FROM counted) raters),
        min(id), max(id), min(created_at)::date, max(created_at)::date,
        (SELECT json_object_agg(version, count ORDER BY version)::text FROM versions),
        (SELECT count(*) FROM sides WHERE was_left), (SELECT count(*) FROM sides)
    FROM counted"""


def counted(filters: str, *, again: bool, votes: bool = False) -> str:
    """The annotations that count, as the table `counted`; `again` for those of an earlier attempt's snapshot."""
    pieces = {"scope": _SCOPE.format(filters=filters) if filters else "", "more": _MORE if votes else ""}
    if not again:
        return _CURRENT.format(**pieces)
    rows = {"visible": "a", "older_visible": "older", "newer_visible": "newer"}
    return _WAS_CURRENT.format(**pieces, **{name: _VISIBLE.format(row) for name, row in rows.items()})


def tallies(judgments: str, among: str = "") -> str:
    """The judgments of every pair added up, as the table `tallies`."""
    return _TALLIES.format(judgments=judgments, among=among)


def ballots(singles: bool, among: str = "") -> str:
    """The votes of every pair, as the table `tallies`."""
    return _BALLOTS.format(singles="" if singles else PAIRS_ONLY, among=among)


def pairs(filters: str, singles: bool = False) -> str:
    item = f"JOIN labeling_item scope_item ON scope_item.id = scope.item_id AND {filters}" if filters else ""
    return _PAIRS.format(item=item, singles="" if singles else "AND scope.second_id IS NOT NULL")
