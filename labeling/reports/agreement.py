"""How far raters agree, by criterion, as the newest analysis found it: what the overview and the API show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from labeling.models import Criterion, Project
from labeling.reports.findings import Found, find
from labeling.stats.agreement import PercentAgreement

COEFFICIENT = "percent_agreement"
DEFINITION = _(
    "Of all comparisons of two raters on the same pair, the share in which both gave the same answer. For a "
    "preference the answer is the side (first, second, tie, neither acceptable), whatever its strength; for safety "
    "it is safe or not, response by response; for a rating the exact number. Not corrected for chance."
)


@dataclass(frozen=True, slots=True)
class CriterionAgreement:
    """`agreement` is of all judgments; `headline` the figures of the audit where queues adapt, by the names of the
    report's columns, empty before the first analysis; `said` the sentence beside them."""

    criterion: Criterion
    agreement: PercentAgreement
    headline: dict[str, Any] = field(default_factory=dict)
    said: str = ""

    @property
    def percent(self) -> int | None:
        return None if self.agreement.share is None else round(100 * self.agreement.share)


def project_agreement(project: Project, criteria: list[Criterion] | None = None) -> list[CriterionAgreement]:
    """Every criterion whose answers can be counted. Two queries, whatever was judged."""
    if criteria is None:
        criteria = list(project.criteria.exclude(kind__in=[Criterion.Kind.TEXT, Criterion.Kind.REASONS]))
    return of_criteria(find(project, "agreement"), criteria)


def of_criteria(found: Found | None, criteria: list[Criterion]) -> list[CriterionAgreement]:
    if found is None:
        return [CriterionAgreement(criterion, PercentAgreement(0, 0, 0)) for criterion in criteria]
    everything = {row["criterion"]: row for row in found.rows("slices") if row["by"] == "all"}
    headline = {row["criterion"]: row for row in found.rows("criteria")}
    said = {sentence.about["criterion"]: sentence.text for sentence in found.sentences}
    return [
        CriterionAgreement(
            criterion,
            _percent(everything.get(criterion.key)),
            headline.get(criterion.key, {}),
            said.get(criterion.key, ""),
        )
        for criterion in criteria
    ]


def _percent(row: dict[str, Any] | None) -> PercentAgreement:
    if row is None:
        return PercentAgreement(0, 0, 0)
    return PercentAgreement(row["units"], row["comparisons"], round((row["percent_pooled"] or 0) * row["comparisons"]))
