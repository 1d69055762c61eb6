"""`ranking`: all compared responses to one conversation in order, best first.

The order comes from the outcomes of their pairs. A response has a point for each other response that it beats and half
a point where neither is better (a tie, or neither acceptable). A pair that nobody judged counts as the judged pairs
imply: as won where a chain of pairs leads from the one response to the other and none leads back, else as half.
`complete` says that there was a chain for every pair. Equal points share a rank, so responses that beat each other in a
circle do; where all are equal there is no row. Responses that no pairs connect are rows of their own. More than 500
responses to one conversation are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, TEXTS, Format, Made, Row, compared
from exports.recipes.majority import BOTH_BAD, SIDE, TIE, Outcome
from exports.recipes.votes import Needs

MOST_RESPONSES = 500
# As (the better, the other), by fingerprint; a pair without a better one stands in it both ways.
Edges = set[tuple[str, str]]


def _ranked(outcomes: list[Outcome]) -> Iterator[Made]:
    for connected in _components(outcomes):
        row = _row(connected)
        yield connected, [row] if row else []


def _row(outcomes: list[Outcome]) -> Row | None:
    """None where the pairs say that all are alike, and of too many responses."""
    sides = {side.fingerprint: side for outcome in outcomes for side in (outcome.chosen, outcome.rejected)}
    if len(sides) > MOST_RESPONSES:
        return None
    judged = _edges(outcomes)
    points, complete = _points(sorted(sides), judged)
    if len(set(points.values())) == 1:
        return None
    order = sorted(points, key=lambda name: (-points[name], name))
    ranks = {name: 1 + sum(other > points[name] for other in points.values()) for name in order}
    return {
        "prompt": outcomes[0].prompt,
        "responses": [sides[name].text for name in order],
        "ranks": [ranks[name] for name in order],
        "points": [points[name] for name in order],
        "consistent": all(ranks[one] <= ranks[other] for one, other in judged if (other, one) not in judged),
        "complete": complete,
        "ranking_id": compared(outcomes[0]).key[:16] + order[0][:16],
    }


def _edges(outcomes: list[Outcome]) -> Edges:
    found: Edges = set()
    for outcome in outcomes:
        one, other = outcome.chosen.fingerprint, outcome.rejected.fingerprint
        found.add((one, other))
        if outcome.kind != SIDE:
            found.add((other, one))
    return found


def _points(names: list[str], judged: Edges) -> tuple[dict[str, float], bool]:
    """Points by response, and whether every two of them can be compared."""
    implied = _closure(names, judged)
    points, complete = dict.fromkeys(names, 0.0), True
    for one, other in combinations(names, 2):
        known = judged if (one, other) in judged or (other, one) in judged else implied
        up, down = (one, other) in known, (other, one) in known
        complete &= up or down
        points[one] += 0.5 if up == down else float(up)
        points[other] += 0.5 if up == down else float(down)
    return points, complete


def _closure(names: list[str], judged: Edges) -> Edges:
    """Whatever a chain of pairs leads to from where."""
    below: dict[str, set[str]] = {name: set() for name in names}
    for one, other in judged:
        below[one].add(other)
    found: Edges = set()
    for name in names:
        seen, open_ = set[str](), [name]
        while open_:
            fresh = below[open_.pop()] - seen
            seen |= fresh
            open_ += fresh
        found |= {(name, other) for other in seen}
    return found


def _components(outcomes: list[Outcome]) -> list[list[Outcome]]:
    """Outcomes by the responses that they connect, in the order of the first of each."""
    parents: dict[str, str] = {}
    for outcome in outcomes:
        one, other = (_root(parents, side.fingerprint) for side in (outcome.chosen, outcome.rejected))
        parents[max(one, other)] = min(one, other)
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(_root(parents, outcome.chosen.fingerprint), []).append(outcome)
    return list(found.values())


def _root(parents: dict[str, str], name: str) -> str:
    while parents.setdefault(name, name) != name:
        parents[name] = parents[parents[name]]
        name = parents[name]
    return name


FORMAT = Format(
    name="ranking",
    title=_("Ranking"),
    description=_("All responses to a conversation in order, from the outcomes of their pairs."),
    trainer="listwise losses, best-of-n, reward models with K responses",
    schema=pa.schema(
        [
            ("prompt", MESSAGES),
            ("responses", TEXTS),
            ("ranks", pa.list_(pa.int32())),
            ("points", pa.list_(pa.float32())),
            ("consistent", pa.bool_()),
            ("complete", pa.bool_()),
            ("ranking_id", pa.string()),
        ]
    ),
    gather=_ranked,
    takes=frozenset({SIDE, TIE, BOTH_BAD}),
    needs=Needs(whole=True),
    columns={
        "prompt": _("the conversation up to the responses, as a list of role and content"),
        "responses": _("all compared responses, the best first"),
        "ranks": _("the rank of each: 1 is best, equal ones share a rank"),
        "points": _("the other responses that each beats, a half where neither is better"),
        "consistent": _("whether no judged pair says the opposite of the order"),
        "complete": _("whether the judged pairs say of every two responses how they stand, directly or by a chain"),
        "ranking_id": _("what was ranked, as a hash of its texts"),
    },
    use="""\
from datasets import load_dataset

rows = load_dataset("{directory}", split="train")
best = [{{"messages": row["prompt"] + [{{"role": "assistant", "content": row["responses"][0]}}]}} for row in rows]
""",
)
