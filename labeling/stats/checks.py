"""How bad a rater may be, from answers that are known: no clock, no crowd, only right and wrong."""

from __future__ import annotations

import numpy as np

# Beta(4.4, 1.6), mean 0.73: what is believed of a rater before the first check.
RIGHT, WRONG = 4.4, 1.6
_GRID = (np.arange(2000) + 0.5) / 2000


def below(level: float, *, right: int, wrong: int) -> float:
    """P(share of right answers < `level` | so many right and wrong), by the midpoint rule, to 1e-4."""
    log = (RIGHT + right - 1) * np.log(_GRID) + (WRONG + wrong - 1) * np.log1p(-_GRID)
    density = np.exp(log - log.max())
    return float(density[level > _GRID].sum() / density.sum())
