"""How long raters take, against what there was to read. Only time in view is meant, in seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labeling.stats.counts import Floats, Ints

WORDS_A_SECOND = 5.0  # 300 a minute
FASTEST = 3.0  # nobody reads so many times faster
LAST, TOO_MANY, FAR_BELOW = 30, 0.2, -3.5


@dataclass(frozen=True, slots=True)
class Pace:
    """log seconds = mean + of the rater + slope * log words. `usual` (answers,) are the seconds by that, `z` how far an
    answer is off in robust deviations, `too_fast` whether there was no time to read, or it is off by far."""

    mean: float
    slope: float
    rater: Floats
    usual: Floats
    z: Floats
    too_fast: np.ndarray[tuple[int], np.dtype[np.bool_]]


def pace(seconds: Floats, words: Floats, rater: Ints, raters: int) -> Pace:
    """Fit by least squares within raters; one (seconds, words, rater) an answer, seconds and words above 0.

    An answer is measured against the crowd's pace at that length, not against the rater's own: who is always too fast
    is too fast.
    """
    time, length = np.log(seconds), np.log(np.maximum(words, 1))
    number = np.maximum(np.bincount(rater, minlength=raters), 1)
    mean_time, mean_length = (np.bincount(rater, each, raters) / number for each in (time, length))
    within = length - mean_length[rater]
    spread = float((within**2).sum())
    slope = float((within * (time - mean_time[rater])).sum()) / spread if spread > 1e-9 else 0.0
    told = np.bincount(rater, minlength=raters) > 0
    own = mean_time - slope * mean_length
    mean = float(np.median(own[told])) if told.any() else 0.0
    usual = mean + slope * length
    off = time - usual
    middle = np.median(off) if len(off) else 0.0
    deviation = 1.4826 * float(np.median(np.abs(off - middle))) if len(off) else 1.0
    z = (off - middle) / (deviation or 1.0)
    too_fast = (seconds < words / (FASTEST * WORDS_A_SECOND)) | (z < FAR_BELOW)
    return Pace(mean, slope, np.where(told, own - mean, np.nan), np.exp(usual), z, too_fast)


def last_of_each(rater: Ints, raters: int, last: int = LAST) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which answers are among the last of their rater; answers come in the order of time."""
    order = np.argsort(rater, kind="stable")
    ends = np.cumsum(np.bincount(rater, minlength=raters))
    kept = np.zeros(len(rater), dtype=np.bool_)
    kept[order] = np.arange(len(rater)) >= ends[rater[order]] - last
    return kept
