"""The SQL behind an export, in pieces. What varies is chosen by `exports/rows.py`; every value is a parameter."""

from __future__ import annotations

# The first attempt counts what is current: its statements see what its snapshot sees, which is kept for the others.
_CURRENT = """
    counted AS (
        SELECT a.id, a.pair_id, a.rater_id, a.guideline_id, a.assignment_id, a.created_at{more}
        FROM labeling_annotation a {scope}
        WHERE a.project_id = %(project)s AND a.current {only} {kept}
    )"""
# A later attempt counts what was current in that snapshot.
_WAS_CURRENT = """
    counted AS (
        SELECT a.id, a.pair_id, a.rater_id, a.guideline_id, a.assignment_id, a.created_at{more}
        FROM labeling_annotation a {scope}
        WHERE a.project_id = %(project)s AND a.current AND {visible} {only} {kept}
      UNION ALL  -- what a revision has replaced since
        SELECT a.id, a.pair_id, a.rater_id, a.guideline_id, a.assignment_id, a.created_at{more}
        FROM labeling_annotation newer
        CROSS JOIN LATERAL (
            SELECT * FROM labeling_annotation older
            WHERE older.assignment_id = newer.assignment_id AND {older_visible}
            ORDER BY older.revision DESC LIMIT 1
        ) a {scope}
        WHERE newer.project_id = %(project)s AND newer.current AND newer.revision > 1 AND NOT {newer_visible}
            {only} {kept}
    )"""
# A row is visible if its transaction is. One from “the future” came with a restored dump, whose transactions were
# counted by another server: it is as old as the dump.
_VISIBLE = """
    (pg_visible_in_snapshot({0}.transaction, %(as_of)s::pg_snapshot)
        OR {0}.transaction >= pg_snapshot_xmax(pg_current_snapshot()))"""
# What was withdrawn does not count: of a rater what was judged until then, of an item everything.
_KEPT = """
        AND NOT EXISTS (
            SELECT 1 FROM labeling_withdrawal w WHERE w.id = ANY(%(withdrawals)s)
            AND w.rater_id = a.rater_id AND a.created_at <= w.created_at)
        AND NOT EXISTS (
            SELECT 1 FROM labeling_withdrawal w JOIN labeling_pair gone ON gone.item_id = w.item_id
            WHERE w.id = ANY(%(withdrawals)s) AND gone.id = a.pair_id)"""
WITHDRAWALS = """
    SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM labeling_withdrawal
    WHERE project_id = %(project)s AND lifted_at IS NULL"""
_PAIR_KEPT = """
        AND NOT EXISTS (
            SELECT 1 FROM labeling_withdrawal w WHERE w.id = ANY(%(withdrawals)s) AND w.item_id = scope.item_id)"""
# Only pairs of a stretch, by the index of their numbers.
WITHIN = """
        JOIN labeling_pair lies ON lies.id = a.pair_id AND lies.project_id = %(project)s
            AND lies.stretch BETWEEN %(from)s AND %(to)s"""
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

# Only what some raters said, and only of some pairs, where a part stands for the whole.
RATERS = "AND a.rater_id = ANY(%(raters)s)"
SAMPLE = "AND a.pair_id = ANY(%(sample)s)"
# A part of the judged pairs, in runs of neighbours, which lie side by side on the disk. The index alone answers this.
SAMPLED = """
    SELECT array_agg(DISTINCT pair_id) FROM labeling_annotation
    WHERE project_id = %(project)s AND current AND pair_id %% (%(every)s * %(run)s) < %(run)s"""

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

# Several preferences as one: each rater's weighted mean over what they answered.
WEIGHTED = """
    SELECT annotation_id, response_id, preference, both_bad, safe, text FROM labeling_judgment
    WHERE criterion_id = ANY(%(safety)s)
  UNION ALL
    SELECT annotation_id, NULL,
        round(sum(preference * weight) / sum(weight) FILTER (WHERE preference IS NOT NULL), 9),
        bool_or(both_bad) AND count(preference) = 0, NULL,
        coalesce(string_agg(text, %(separator)s ORDER BY criterion_id) FILTER (WHERE text <> ''), '')
    FROM labeling_judgment
    JOIN unnest(%(weighed)s::bigint[], %(weights)s::numeric[]) AS known (criterion, weight) ON criterion = criterion_id
    GROUP BY annotation_id"""

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
            {answers}
        FROM counted JOIN labeling_pair p ON p.id = counted.pair_id JOIN ({judgments}) j ON j.annotation_id = counted.id
        WHERE p.second_id IS NOT NULL {among}
        GROUP BY p.id
    )"""
# Who answered what, in no order, beside the sums.
_ANSWERS = """,
            array_agg(counted.rater_id) FILTER (WHERE j.preference IS NOT NULL OR j.both_bad) AS raters,
            array_agg(j.preference::float8) FILTER (WHERE j.preference IS NOT NULL OR j.both_bad) AS grades"""
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
    WITH {counted}, {tallies}{decided}
    SELECT least(f.fingerprint, s.fingerprint), greatest(f.fingerprint, s.fingerprint), i.fingerprint,
        f.fingerprint <= s.fingerprint, {texts}, first_raters, second_raters, first_strength, second_strength,
        ties, both_bad, first_safe, first_unsafe, second_safe, second_unsafe, first_said, second_said,
        i.language, {answers}, {decisions}, tallies.id
    FROM tallies JOIN labeling_item i ON i.id = item_id
    JOIN labeling_response f ON f.id = first_id JOIN labeling_response s ON s.id = second_id {beside}
    ORDER BY 1, 2, 3"""
# The same with votes, also of pairs without a second response, whose fingerprint is then the empty text.
BALLOT_STREAM = """
    WITH {counted}, {tallies}{decided}, stream AS (
        SELECT least(f.fingerprint, s.fingerprint) AS low,
            CASE WHEN s.id IS NULL THEN '' ELSE greatest(f.fingerprint, s.fingerprint) END AS high,
            i.fingerprint AS item, coalesce(f.fingerprint <= s.fingerprint, true) AS straight, {texts}, votes,
            f.id AS first_id, {key} AS key, i.metadata->>'domain', i.metadata->>'stated_language', i.language,
            {decisions}, tallies.id
        FROM tallies JOIN labeling_item i ON i.id = item_id
        JOIN labeling_response f ON f.id = first_id LEFT JOIN labeling_response s ON s.id = second_id {beside}
    )
    SELECT * FROM stream {within} ORDER BY key, low, high, item"""
# A stretch of conversations is found by looking at all of them.
KEY_WITHIN = "WHERE key >= %(from)s AND key < %(to)s"
# What adjudicators decided: of each criterion (and response) the last decision, as one JSON text a pair.
_DECIDED = """,
    decided AS (
        SELECT last.pair_id, json_agg(json_build_array(
            last.id, criterion_id, response_id = p.first_id, preference, both_bad, safe, adjudicator_id
            ) ORDER BY last.id)::text AS decisions
        FROM (
            SELECT DISTINCT ON (pair_id, criterion_id, response_id) * FROM labeling_adjudication d
            WHERE d.project_id = %(project)s AND d.rating IS NULL {visible}
            ORDER BY pair_id, criterion_id, response_id, id DESC
        ) last JOIN labeling_pair p ON p.id = last.pair_id
        GROUP BY last.pair_id
    )"""
_BESIDE = "LEFT JOIN decided ON decided.pair_id = tallies.id"
ANSWERS, NO_ANSWERS = "raters, grades", "NULL, NULL"
# jsonb has one text for one value, so this orders by conversation, the same everywhere.
CONVERSATION_KEY = "md5(i.conversation::text)"
PAIRS_ONLY = "AND p.second_id IS NOT NULL"
# The conversation, both texts, and whether there are images: with the texts, those of the conversation are seen in it.
TEXTS = "i.conversation::text, f.content, s.content, f.parts IS NOT NULL OR s.parts IS NOT NULL"
NO_TEXTS = """NULL, NULL, NULL, f.parts IS NOT NULL OR s.parts IS NOT NULL
        OR i.conversation @? '$[*].content[*] ? (@.type == "image")'"""
AMONG = "AND p.id = ANY(%(pairs)s)"

# Who pointed where, in the order of the comparison, by whole comparisons: every so manieth by the hash of its texts.
_POINTS = """
    WITH {counted}
    SELECT counted.pair_id, counted.rater_id,
        sign(CASE WHEN f.fingerprint <= s.fingerprint THEN j.preference ELSE -j.preference END)::int
    FROM counted JOIN labeling_pair p ON p.id = counted.pair_id JOIN ({judgments}) j ON j.annotation_id = counted.id
    JOIN labeling_response f ON f.id = p.first_id JOIN labeling_response s ON s.id = p.second_id
    WHERE (j.preference IS NOT NULL OR j.both_bad)
        AND ('x' || left(f.fingerprint, 7))::bit(28)::int %% %(share)s = 0
    ORDER BY 1, 2"""
COUNT = "WITH {counted} SELECT count(*) FROM counted"
_PAIRS = """
    SELECT count(*) FROM labeling_pair scope {item}
    WHERE scope.project_id = %(project)s {singles} {kept}"""
JUDGED = "WITH {counted} SELECT count(DISTINCT pair_id) FROM counted"
HAS = """
    WITH {counted} SELECT EXISTS (
        SELECT 1 FROM counted JOIN labeling_pair p ON p.id = counted.pair_id WHERE p.item_id = %(item)s)"""
# One row a rater: how many annotations, and of their answers that took a side, how many chose the left one. An imported
# judgment has no queue: nobody knows which response stood on the left.
BY_RATER = """
    WITH {counted}, sides AS (
        SELECT counted.rater_id, count(*) AS sided, count(*) FILTER (WHERE (preference < 0) <> swapped) AS lefts
        FROM counted JOIN labeling_assignment a ON a.id = assignment_id AND a.queue_id IS NOT NULL
        JOIN labeling_judgment j ON j.annotation_id = counted.id AND j.criterion_id = %(criterion)s
        WHERE preference <> 0 GROUP BY counted.rater_id
    ), each AS (SELECT rater_id, count(*) AS given FROM counted GROUP BY rater_id)
    SELECT rater_id, given, coalesce(sided, 0), coalesce(lefts, 0) FROM each LEFT JOIN sides USING (rater_id)"""
FACTS = """
    WITH {counted}
    SELECT guideline_id, count(*), min(created_at AT TIME ZONE 'UTC')::date, max(created_at AT TIME ZONE 'UTC')::date
    FROM counted GROUP BY guideline_id"""

# A vote of a transaction that the first snapshot sees may still be revised by one that only the second sees.
_BETWEEN = """
    WITH votes AS (
        SELECT a.pair_id, NOT later.was AS new, later.was AS revised, false AS withdrawn, false AS decided
        FROM labeling_annotation a CROSS JOIN LATERAL (
            SELECT EXISTS (
                SELECT 1 FROM labeling_annotation older
                WHERE older.assignment_id = a.assignment_id AND older.revision < a.revision AND {older}) AS was
        ) later
        WHERE a.project_id = %(project)s AND NOT {before} AND {after}
      UNION ALL
        SELECT a.pair_id, false, false, true, false FROM labeling_annotation a
        JOIN labeling_withdrawal w ON w.id = ANY(%(withdrawn)s) AND w.rater_id = a.rater_id
        WHERE a.project_id = %(project)s AND a.created_at <= w.created_at AND {before}
      UNION ALL
        SELECT a.pair_id, true, false, false, false FROM labeling_annotation a
        JOIN labeling_withdrawal w ON w.id = ANY(%(lifted)s) AND w.rater_id = a.rater_id
        WHERE a.project_id = %(project)s AND a.created_at <= w.created_at AND {before}
      UNION ALL
        SELECT a.pair_id, false, false, true, false FROM labeling_annotation a JOIN labeling_pair p ON p.id = a.pair_id
        JOIN labeling_withdrawal w ON w.id = ANY(%(withdrawn)s) AND w.item_id = p.item_id
        WHERE a.project_id = %(project)s AND {before}
      UNION ALL
        SELECT d.pair_id, false, false, false, true FROM labeling_adjudication d
        WHERE %(decided)s AND d.project_id = %(project)s AND NOT {decided_before} AND {decided_after}
    ), pairs AS (
        SELECT pair_id, bool_or(new) AS new, bool_or(revised) AS revised, bool_or(withdrawn) AS withdrawn,
            bool_or(decided) AS decided
        FROM votes GROUP BY pair_id
    )
    SELECT {key} AS key, least(f.fingerprint, s.fingerprint) AS low,
        CASE WHEN s.id IS NULL THEN '' ELSE greatest(f.fingerprint, s.fingerprint) END AS high, i.fingerprint AS item,
        new, revised, withdrawn, decided
    FROM pairs JOIN labeling_pair p ON p.id = pair_id JOIN labeling_item i ON i.id = p.item_id
    JOIN labeling_response f ON f.id = p.first_id LEFT JOIN labeling_response s ON s.id = p.second_id
    ORDER BY key, low, high, item"""


def counted(
    filters: str, *, again: bool, withdrawn: bool, votes: bool = False, only: str = "", within: bool = False
) -> str:
    """The annotations that count, as the table `counted`; `again` for those of an earlier attempt's snapshot, `within`
    for those of a stretch of the pairs."""
    scope = (_SCOPE.format(filters=filters) if filters else "") + (WITHIN if within else "")
    pieces = {
        "scope": scope, "more": _MORE if votes else "", "only": only,
        "kept": _KEPT if withdrawn else "",
    }  # fmt: skip
    if not again:
        return _CURRENT.format(**pieces)
    rows = {"visible": "a", "older_visible": "older", "newer_visible": "newer"}
    return _WAS_CURRENT.format(**pieces, **{name: _VISIBLE.format(row) for name, row in rows.items()})


def tallies(judgments: str, among: str = "", answers: bool = False) -> str:
    """The judgments of every pair added up, as the table `tallies`."""
    return _TALLIES.format(judgments=judgments, among=among, answers=_ANSWERS if answers else "")


def decided(*, first: bool, again: bool) -> dict[str, str]:
    """The pieces of a stream that bring decisions, if those go `first`; `again` for those of an earlier attempt."""
    if not first:
        return {"decided": "", "decisions": "NULL", "beside": ""}
    visible = f"AND {_VISIBLE.format('d')}" if again else ""
    return {"decided": _DECIDED.format(visible=visible), "decisions": "decided.decisions", "beside": _BESIDE}


def points(counted: str, judgments: str) -> str:
    """Every answer to a criterion, for learning how far raters are to be trusted."""
    return _POINTS.format(counted=counted, judgments=judgments)


def ballots(singles: bool, among: str = "") -> str:
    """The votes of every pair, as the table `tallies`."""
    return _BALLOTS.format(singles="" if singles else PAIRS_ONLY, among=among)


def pairs(filters: str, *, withdrawn: bool, singles: bool = False) -> str:
    item = f"JOIN labeling_item scope_item ON scope_item.id = scope.item_id AND {filters}" if filters else ""
    kept = _PAIR_KEPT if withdrawn else ""
    return _PAIRS.format(item=item, kept=kept, singles="" if singles else "AND scope.second_id IS NOT NULL")


def between(*, whole: bool) -> str:
    """By comparison, in the order of the ledgers: votes that came in, were revised, or were withdrawn between two
    snapshots, and decisions that were made; `whole` if that order is by conversation first."""
    before, after = (_VISIBLE.replace("as_of", moment) for moment in ("before", "after"))
    key = CONVERSATION_KEY if whole else "''"
    return _BETWEEN.format(
        key=key, before=before.format("a"), after=after.format("a"), older=before.format("older"),
        decided_before=before.format("d"), decided_after=after.format("d"),
    )  # fmt: skip
