"""How far raters agree, by criterion and by slice of the data, with intervals and beside what others reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from labeling.models import Criterion
from labeling.reports.analysis.judged import Judged, Named, Votes, grades, most_frequent
from labeling.reports.analysis.shape import Report, Table
from labeling.reports.analysis.source import Source
from labeling.stats import coefficients
from labeling.stats.bootstrap import alpha_interval, percent_interval, pool
from labeling.stats.counts import Ints, count_table
from labeling.stats.pairwise import pairs_of_raters

LEAST_PERCENT, LEAST_ALPHA, LEAST_AUDIT = 30, 50, 200  # units with two answers or more
LEAST_SHARED, MOST_RATER_PAIRS = 5, 1000
MOST_SLICES = 12
DRAWS, DRAWS_OF_SLICE = 1000, 200
USUAL = (0.25, 0.55)  # of alpha, for preferences
RARE = 0.85  # one answer given so often: kappa and alpha look worse than they are

_FIGURES = (
    "units", "judgments", "raters", "comparisons", "percent", "percent_low", "percent_high", "percent_pooled",
    "alpha", "alpha_low", "alpha_high", "ordinal", "ordinal_low", "ordinal_high", "interval", "fleiss",
    "weighted_kappa", "ac1", "ac2", "brennan_prediger", "most_common", "most_common_share", "enough_percent", "enough",
)  # fmt: skip
# What published projects report of their own raters. Percent unless another coefficient is named.
PUBLISHED = (
    ("InstructGPT", "preference", "percent", 0.726, 0.711, 0.741, "arXiv:2203.02155"),
    ("InstructGPT, other raters", "preference", "percent", 0.773, 0.760, 0.786, "arXiv:2203.02155"),
    ("HH-RLHF, with the authors", "preference", "percent", 0.63, None, None, "arXiv:2204.05862"),
    ("PKU-SafeRLHF, helpfulness", "preference", "percent", 0.6239, None, None, "arXiv:2406.15513"),
    ("PKU-SafeRLHF, harmlessness", "preference", "percent", 0.6091, None, None, "arXiv:2406.15513"),
    ("PKU-SafeRLHF, safety", "safety", "percent", 0.8168, None, None, "arXiv:2406.15513"),
    ("Llama 2, evaluation", "preference", "ac2", None, 0.37, 0.55, "arXiv:2307.09288"),
    ("HelpSteer2, helpfulness", "rating", "weighted_kappa", 0.706, None, None, "arXiv:2406.08673"),
    ("HelpSteer2-Preference, before filtering", "preference", "weighted_kappa", 0.489, None, None, "arXiv:2410.01257"),
)


@dataclass(frozen=True, slots=True)
class Slice:
    """Judgments that share something: `by` says what, `name` which."""

    by: str
    name: str
    votes: Votes


def agreement(source: Source) -> Report:
    judged = source.judged
    report = Report(
        tables={
            "criteria": Table(("criterion", "kind", "stratum", "early", "shown", *_FIGURES)),
            "slices": Table(("criterion", "kind", "by", "of", *_FIGURES)),
            "rater_pairs": Table(("criterion", "rater", "other", "units", "percent", "kappa", "weighted_kappa")),
            "published": Table(("project", "kind", "coefficient", "value", "low", "high", "source")),
        }
    )
    for criterion in judged.criteria:
        votes = judged.votes(criterion, gold=False)
        if not len(votes):
            continue
        _headline(report, judged, votes)
        for one in _slices(judged, votes):
            whole = one.by == "all"
            if whole or (np.bincount(one.votes.unit) >= 2).sum() >= LEAST_PERCENT:
                found = figures(one.votes, DRAWS if whole else DRAWS_OF_SLICE)
                cells = {"criterion": criterion.key, "kind": criterion.kind, "by": one.by, "of": one.name}
                report.tables["slices"].add(**cells, **found)
        _two_by_two(report.tables["rater_pairs"], judged, votes)
    names = report.tables["published"].columns
    for row in PUBLISHED:
        report.tables["published"].add(**dict(zip(names, row, strict=True)))
    return report


def figures(votes: Votes, draws: int) -> dict[str, Any]:
    """Every coefficient of these judgments, by the names of the columns; NaN where one is not defined."""
    counts = votes.counts()
    pooled = pool(counts)
    many = pooled.counts.sum(1)
    comparisons = int((many * (many - 1) // 2 * pooled.times).sum())
    given = counts.sum(0)
    low, high = percent_interval(pooled, draws=draws)
    alpha_low, alpha_high = alpha_interval(pooled, draws=draws)
    found = {
        "units": pooled.units, "judgments": len(votes), "raters": len(np.unique(votes.rater)),
        "comparisons": comparisons, "percent": coefficients.percent(counts), "percent_low": low, "percent_high": high,
        "percent_pooled": coefficients.percent_pooled(counts), "alpha": coefficients.krippendorff_alpha(counts),
        "alpha_low": alpha_low, "alpha_high": alpha_high, "fleiss": coefficients.fleiss_kappa(counts),
        "ac1": coefficients.gwet_ac1(counts), "brennan_prediger": coefficients.brennan_prediger(counts),
        "most_common": votes.categories[int(given.argmax())], "most_common_share": float(given.max() / given.sum()),
        "enough_percent": pooled.units >= LEAST_PERCENT, "enough": pooled.units >= LEAST_ALPHA,
    }  # fmt: skip
    return found | (_of_grades(votes, draws) if votes.criterion.kind != Criterion.Kind.SAFETY else {})


def _of_grades(votes: Votes, draws: int) -> dict[str, Any]:
    """What takes notice of how near two answers are."""
    number, grade, graded = grades(votes)
    table = count_table(votes.unit[graded], grade[graded], votes.units, number)
    low, high = alpha_interval(pool(table), "ordinal", draws=draws)
    near = coefficients.partial_agreement(number, 2)
    return {
        "ordinal": coefficients.krippendorff_alpha(table, "ordinal"), "ordinal_low": low, "ordinal_high": high,
        "interval": coefficients.krippendorff_alpha(table, "interval", values=_values(votes, number)),
        "weighted_kappa": coefficients.weighted_kappa(table, near), "ac2": coefficients.gwet_ac2(table, near),
    }  # fmt: skip


def _values(votes: Votes, number: int) -> Any:
    """What the grades stand for: without ties the two weakest are two apart."""
    strengths = votes.criterion.strengths
    if votes.criterion.kind != Criterion.Kind.PREFERENCE or number % 2:
        return np.arange(number, dtype=np.float64)
    return np.array([*range(-strengths, 0), *range(1, strengths + 1)], dtype=np.float64)


def _headline(report: Report, judged: Judged, votes: Votes) -> None:
    """One row a criterion. Pairs whose number of raters followed from their answers would make it look worse, so where
    a queue adapts, it is of those drawn for the audit and of those that always get the same number."""
    adaptive = np.zeros(len(judged.pairs), dtype=np.bool_)
    adaptive[judged.given.pair[judged.given.adaptive]] = True
    fair = ~adaptive | judged.pairs.audit
    stratum, of, early = "all", votes, False
    if adaptive.any():
        of = votes.only(fair[votes.pair])
        units = pool(of.counts()).units
        early = units < LEAST_AUDIT
        stratum, of = ("audit", of) if units >= LEAST_ALPHA else ("all", votes)
    found = figures(of, DRAWS)
    criterion = votes.criterion
    shown = "ac1" if found["most_common_share"] > RARE else "alpha"
    report.tables["criteria"].add(
        criterion=criterion.key, kind=criterion.kind, stratum=stratum, early=early, shown=shown, **found
    )
    names = ("percent", "alpha", "alpha_low", "alpha_high", "ac1", "units", "most_common", "most_common_share")
    report.say(
        _said(criterion, found, shown), {"criterion": criterion.key}, "read_contested" if _is_low(found) else "",
        early=early, kind=criterion.kind, **{name: found[name] for name in names},
    )  # fmt: skip


def _said(criterion: Criterion, found: dict[str, Any], shown: str) -> str:
    if not found["enough_percent"]:
        return "agreement_too_few"
    if shown == "ac1":
        return "agreement_rare"
    if not found["enough"] or np.isnan(found["alpha"]):
        return "agreement_percent"
    if criterion.kind != Criterion.Kind.PREFERENCE:
        return "agreement_plain"
    if found["alpha"] > USUAL[1]:
        return "agreement_high"
    return "agreement_low" if found["alpha"] < USUAL[0] else "agreement_usual"


def _is_low(found: dict[str, Any]) -> bool:
    return bool(found["enough"] and found["most_common_share"] <= RARE and found["alpha"] < USUAL[0])


def _slices(judged: Judged, votes: Votes) -> Iterator[Slice]:
    yield Slice("all", "", votes)
    items = judged.items
    for by, named in (("language", items.language), ("batch", items.batch), ("category", items.category)):
        yield from _by_item(judged, votes, by, named)
    for number in _common(np.bincount(items.tagged, minlength=len(items.tag_names))):
        has = np.zeros(len(items.ids), dtype=np.bool_)
        has[items.tagged_item[items.tagged == number]] = True
        yield Slice("tag", items.tag_names[number], votes.only(has[judged.pairs.item[votes.pair]]))
    yield from _by_models(judged, votes)
    version = judged.given.guideline[votes.given]
    for number in _common(np.bincount(version, minlength=len(judged.guidelines))):
        if judged.guidelines[number]:
            yield Slice("guideline", judged.guidelines[number], votes.only(version == number))


def _by_item(judged: Judged, votes: Votes, by: str, named: Named) -> Iterator[Slice]:
    of = judged.of_item(named, votes.pair)
    for number in most_frequent(named, judged.pairs.item, MOST_SLICES):
        yield Slice(by, named.names[number], votes.only(of == number))


def _by_models(judged: Judged, votes: Votes) -> Iterator[Slice]:
    """By the two models that meet, whichever stands first."""
    one, other = judged.pairs.first_model, judged.pairs.second_model
    size = len(judged.pairs.models)
    key = np.where((one < 0) | (other < 0), -1, np.minimum(one, other) * size + np.maximum(one, other))
    known, number = np.unique(key, return_inverse=True)
    for place in _common(np.bincount(number[key >= 0], minlength=len(known))):
        pair = int(known[place])
        name = " · ".join(sorted((judged.pairs.models[pair // size], judged.pairs.models[pair % size])))
        yield Slice("models", name, votes.only(number[votes.pair] == place))


def _common(counts: Ints) -> list[int]:
    order = np.argsort(-counts, kind="stable")[:MOST_SLICES]
    return [int(number) for number in order if counts[number] >= LEAST_PERCENT]


def _two_by_two(table: Table, judged: Judged, votes: Votes) -> None:
    """Cohen's kappa of every two raters on what both judged, those who share most first."""
    for found in pairs_of_raters(
        votes.unit, votes.rater, votes.answer, len(votes.categories), least=LEAST_SHARED, most=MOST_RATER_PAIRS
    ):
        table.add(
            criterion=votes.criterion.key, rater=judged.pseudonyms[found.rater], other=judged.pseudonyms[found.other],
            units=found.units, percent=found.percent, kappa=found.kappa, weighted_kappa=found.weighted,
        )  # fmt: skip
