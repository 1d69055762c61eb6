"""The reports of a project, in the order they are computed: what is looked at most comes first."""

from __future__ import annotations

from collections.abc import Callable

from labeling.reports.analysis.agreement import agreement
from labeling.reports.analysis.biases import biases
from labeling.reports.analysis.conflicts import conflicts
from labeling.reports.analysis.contested import contested
from labeling.reports.analysis.distributions import distributions
from labeling.reports.analysis.groups import groups
from labeling.reports.analysis.models import models
from labeling.reports.analysis.raters import raters
from labeling.reports.analysis.safety import safety
from labeling.reports.analysis.shape import Report
from labeling.reports.analysis.source import Source
from labeling.reports.analysis.trends import trends

REPORTS: dict[str, Callable[[Source], Report]] = {
    "agreement": agreement,
    "raters": raters,
    "models": models,
    "safety": safety,
    "biases": biases,
    "conflicts": conflicts,
    "contested": contested,
    "trends": trends,
    "distributions": distributions,
    "groups": groups,
}
