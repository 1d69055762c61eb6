"""The budget meter of a queue that adapts, for its own page and for whoever shows queues."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from labeling.models import Queue
from labeling.reports.budget import BARS, budget
from labeling.web.charts import stack

HEIGHT, STEP = 60, 38
_SHADES = ("done", "leased", "open", "warn")


def budget_context(queue: Queue) -> dict[str, Any]:
    """What `labeling/_budget.html` shows; `budget` is None where every pair has the same number of raters."""
    found = budget(queue)
    if found is None:
        return {"budget": None}
    parts = [
        ("done", found.settled, _("settled")),
        ("warn", found.contested + found.full, _("contested")),
        ("leased", found.in_progress, _("in progress")),
        ("open", found.not_started, _("not started")),
    ]
    needed = [
        (_SHADES[min(place, len(_SHADES) - 1)], one.pairs, _("with %(judgments)s") % {"judgments": one.judgments})
        for place, one in enumerate(found.needed)
    ]
    top = max(found.sure) or 1
    bars = [
        {"x": place * STEP, "y": round(HEIGHT * (1 - count / top), 1), "height": round(HEIGHT * count / top, 1),
         "from": round(50 + 50 * place / BARS), "to": round(50 + 50 * (place + 1) / BARS), "pairs": count}
        for place, count in enumerate(found.sure)
    ]  # fmt: skip
    return {"budget": found, "budget_pairs": stack(parts), "budget_needed": stack(needed), "budget_sure": bars}
