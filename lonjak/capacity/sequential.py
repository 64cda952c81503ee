"""Does a mean lie above or below zero? A test that may be looked at after every second, of seconds that are alike.

Two things make the textbook's test wrong here. It is looked at again and again until it decides: so it is an e-value,
which may be (Ville's inequality). And a queue near saturation remembers: a bad second follows a bad one, so that thirty
of them say as much as five independent ones. Seconds are therefore put together into batches, of which at most 16 are
kept so that they grow with the step, and the batches that still resemble each other count for fewer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, variance
from typing import Literal, TypeAlias

Side: TypeAlias = Literal["below", "above"]
MOST_BATCHES = 16
LEAST_BATCHES = 4
# Prior variances of the mean, in variances of a batch: what the test is sensitive to. The large one is for steps far
# from the edge, which few independent batches must suffice to tell.
_EFFECT_VARIANCES = (1.0, 25.0)
_MOST_CORRELATED = 0.9
_LEAST_COUNT = 3.0
_MOST_LOG_E = 100.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The mean of a series, and how sure it is: `count` independent values of `variance` would be as sure."""

    mean: float
    variance: float
    count: float

    @property
    def standard_error(self) -> float:
        """Of the mean."""
        return math.sqrt(self.variance / self.count)


def batch_means(seconds: Sequence[float], length: int) -> list[float]:
    """Means of `length` seconds each, counted from the end: what does not fill a batch is the oldest, and left out."""
    first = len(seconds) % length
    return [fmean(seconds[start : start + length]) for start in range(first, len(seconds), length)]


def correlation(values: Sequence[float]) -> float:
    """How much each value resembles the one before, 0..0.9, corrected for what short series hide.

    The correction is Marriott and Pope's, Bias in the estimation of autocorrelations, Biometrika 41 (1954).
    """
    mean, count = fmean(values), len(values)
    spread = math.fsum((value - mean) ** 2 for value in values)
    if spread <= 0:
        return 0.0
    pairs = pairwise(values)
    found = math.fsum((before - mean) * (after - mean) for before, after in pairs) / spread
    return min(max(found + (1 + 3 * found) / count, 0.0), _MOST_CORRELATED)


def sample(seconds: Sequence[float], least_variance: float = 0.0) -> Sample | None:
    """What a series of seconds says of its mean; None when it is too short.

    The variance of batches is no smaller than seconds of `least_variance` would give: a few quiet seconds are no proof
    that none is ever bad. Batches that follow an autoregression of first order count (1 - r)/(1 + r) each.
    """
    length = max(1, math.ceil(len(seconds) / MOST_BATCHES))
    batches = batch_means(seconds, length)
    if len(batches) < LEAST_BATCHES:
        return None
    seen, least, count = variance(batches), least_variance / length, float(len(batches))
    if seen <= least:
        return Sample(fmean(batches), least, count)
    alike = correlation(batches)
    return Sample(fmean(batches), seen, max(_LEAST_COUNT, count * (1 - alike) / (1 + alike)))


def side_of_zero(found: Sample, error: float) -> Side | None:
    """On which side of zero the mean lies, None while that is open; wrong with probability `error` where seconds allow.

    Asked after every second. The mean of two e-values of the t statistic, each with a normal prior on the effect: T. L.
    Lai, On confidence sequences, Annals of Statistics 4 (1976); H. Wang and A. Ramdas, Anytime-valid t-tests and
    confidence sequences for Gaussian means with unknown variance, Sequential Analysis 44 (2025). That holds for
    independent normal batches. Seconds that remember more than a step can tell are decided too boldly: at a memory of
    0.6 from one second to the next, 15 in 100 steps of 35 s exactly at the limit instead of 5. The edge is therefore
    tested by steps of full length, and the answer's interval does not rest on these decisions.
    """
    if found.mean == 0:
        return None
    side: Side = "below" if found.mean < 0 else "above"
    if found.variance == 0:
        return side
    e_value = fmean(_e_value(found, effect) for effect in _EFFECT_VARIANCES)
    return side if e_value >= 1 / error else None


def _e_value(found: Sample, effect_variance: float) -> float:
    degrees, shrink = found.count - 1, 1 + found.count * effect_variance
    t_squared = found.count * found.mean**2 / found.variance
    log_e = (degrees + 1) / 2 * (math.log1p(t_squared / degrees) - math.log1p(t_squared / degrees / shrink))
    return math.exp(min(log_e - math.log(shrink) / 2, _MOST_LOG_E))
