"""How far raters agree, by criterion. One coefficient so far, named for what it is: percent agreement."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db import connection
from django.utils.translation import gettext_lazy as _

from labeling.models import Criterion, Project
from labeling.reports.counted import COUNTS
from labeling.stats.agreement import PercentAgreement, percent_agreement

COEFFICIENT = "percent_agreement"
DEFINITION = _(
    "Of all comparisons of two raters on the same pair, the share in which both gave the same answer. For a "
    "preference the answer is the side (first, second, tie, neither acceptable), whatever its strength; for safety "
    "it is safe or not, response by response; for a rating the exact number. Not corrected for chance."
)

# One row a unit and answer: (criterion, pair, response or 0, answer, how many raters).
_ANSWERS = f"""
SELECT j.criterion_id, a.pair_id, coalesce(j.response_id, 0),
       CASE WHEN j.both_bad THEN 'both_bad' ELSE coalesce(sign(j.preference)::text, j.safe::text, j.rating::text) END,
       count(*)
FROM labeling_annotation a JOIN labeling_judgment j ON j.annotation_id = a.id
WHERE a.project_id = %s AND {COUNTS} AND j.criterion_id = ANY(%s)
GROUP BY 1, 2, 3, 4
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class CriterionAgreement:
    criterion: Criterion
    agreement: PercentAgreement

    @property
    def percent(self) -> int | None:
        return None if self.agreement.share is None else round(100 * self.agreement.share)


def project_agreement(project: Project, criteria: list[Criterion] | None = None) -> list[CriterionAgreement]:
    """Percent agreement on each criterion with answers to count. Two queries; reads every judgment that counts."""
    if criteria is None:
        criteria = list(project.criteria.exclude(kind__in=[Criterion.Kind.TEXT, Criterion.Kind.REASONS]))
    units: dict[int, dict[tuple[int, int], list[int]]] = {criterion.pk: defaultdict(list) for criterion in criteria}
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, [project.pk, list(units)])
        for criterion_id, pair_id, response_id, _, raters in cursor:
            units[criterion_id][pair_id, response_id].append(raters)
    return [CriterionAgreement(criterion, percent_agreement(units[criterion.pk].values())) for criterion in criteria]
