"""What most raters of a pair said, criterion by criterion, where there is such a thing. No query of a request's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from labeling.reports.counted import COUNTS

_SAID = f"""
SELECT a.pair_id, j.criterion_id, j.response_id, c.kind,
    CASE WHEN j.both_bad THEN 'neither' ELSE coalesce(sign(j.preference)::int::text, j.safe::text) END AS said,
    count(*), avg(abs(j.preference))
FROM unnest(%(pairs)s::bigint[], %(criteria)s::bigint[]) AS asked(pair_id, criterion_id)
JOIN labeling_annotation a ON a.pair_id = asked.pair_id AND a.project_id = %(project)s
JOIN labeling_judgment j ON j.annotation_id = a.id AND j.criterion_id = asked.criterion_id
JOIN labeling_criterion c ON c.id = j.criterion_id AND c.kind IN ('preference', 'safety')
WHERE {COUNTS} GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 (constants of this module)
_BELIEVED = """
SELECT known.pair_id, max(known.first_better) FROM labeling_queuedpair known
JOIN labeling_queue queue ON queue.id = known.queue_id AND queue.project_id = %(project)s
WHERE known.pair_id = ANY(%(pairs)s) AND known.first_better IS NOT NULL GROUP BY 1 HAVING count(*) = 1
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """What most said of a criterion (of one response, for safety): a preference in stored order, neither, or safe."""

    criterion_id: int
    response_id: int | None = None
    preference: int | None = None
    both_bad: bool = False
    safe: bool | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    raters: int
    grade: float


def crowd_choices(project_id: int, asked: Mapping[int, Sequence[int]]) -> dict[int, list[Choice]]:
    """For each pair, of the criteria that are asked of it: the answer that more raters gave than any other.

    Where two preferences have as many, the side that the pair's queue believes in, if it does; else there is none.
    Two queries.
    """
    flat = [(pair, criterion) for pair, criteria in asked.items() for criterion in criteria]
    values: dict[str, Any] = {
        "project": project_id, "pairs": [pair for pair, _ in flat], "criteria": [criterion for _, criterion in flat],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_SAID, values)
        rows = cursor.fetchall()
        cursor.execute(_BELIEVED, values)
        believed = dict(cursor.fetchall())
    tallies: dict[tuple[int, int, int | None, str], dict[str, _Said]] = {}
    for pair, criterion, response, kind, said, raters, grade in rows:
        tallies.setdefault((pair, criterion, response, kind), {})[said] = _Said(raters, float(grade or 0))
    found: dict[int, list[Choice]] = {pair: [] for pair in asked}
    for (pair, criterion, response, kind), answers in sorted(tallies.items(), key=repr):
        made = _safe(answers) if kind == "safety" else _side(answers, believed.get(pair))
        if made is not None:
            found[pair].append(_choice(criterion, response, made, answers[made].grade))
    return found


def _choice(criterion: int, response: int | None, said: str, grade: float) -> Choice:
    if said == "neither":
        return Choice(criterion, both_bad=True)
    if said in ("true", "false"):
        return Choice(criterion, response, safe=said == "true")
    return Choice(criterion, preference=int(said) * max(1, int(grade + 0.5)))


def _most(answers: Mapping[str, _Said]) -> list[str]:
    top = max(each.raters for each in answers.values())
    return sorted(said for said, each in answers.items() if each.raters == top)


def _safe(answers: Mapping[str, _Said]) -> str | None:
    return only(_most(answers))


def _side(answers: Mapping[str, _Said], first_better: float | None) -> str | None:
    leading = _most(answers)
    if len(leading) > 1 and first_better is not None and first_better != 0.5:
        side = "-1" if first_better > 0.5 else "1"
        return side if side in leading else None
    return only(leading)


def only(found: Iterable[str]) -> str | None:
    rest = list(found)
    return rest[0] if len(rest) == 1 else None
