"""Where a series of runs changed its level, told only when chance does not explain it; pure, seeded.

Pettitt's rank test (A non-parametric approach to the change-point problem, Applied Statistics 28, 1979) with the
probability taken from shuffled series, and then again on either side of a change that was found. Runs whose noise goes
on from one to the next look like changes to it, as they would to anybody.
"""

import math
from collections.abc import Sequence

import numpy as np

from analysis.bootstrap import FloatArray

ALARM_RATIO = 0.01
LEAST_PIECE = 4  # runs on either side of a change
_SHUFFLES = 5000
_SEED = 1


def least_runs(series_count: int) -> int:
    """The fewest runs whose clearest change would be told, when so many series are looked at together.

    Of n runs, half before and half after, only 2 of all choices of half of them look as clear as that.
    """
    count = 2 * LEAST_PIECE
    while 2 / math.comb(count, count // 2) > ALARM_RATIO / series_count:
        count += 1
    return count


def change_points(values: Sequence[float], series_count: int) -> list[int]:
    """The places of first runs after a change, ascending; `series_count` is how many series share ALARM_RATIO."""
    series = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(_SEED)
    return sorted(_found(series, 0, series_count, generator))


def _found(series: FloatArray, first: int, series_count: int, generator: np.random.Generator) -> list[int]:
    if len(series) < least_runs(series_count):
        return []
    place, weight = _clearest(_ranks(series)[np.newaxis, :])
    shuffled = generator.permuted(np.tile(_ranks(series), (_SHUFFLES, 1)), axis=1)
    _, chance = _clearest(shuffled)
    probability = (1 + int((chance >= weight[0]).sum())) / (1 + _SHUFFLES)
    if probability > ALARM_RATIO / series_count:
        return []
    at = int(place[0])
    before = _found(series[:at], first, series_count, generator)
    return [*before, first + at, *_found(series[at:], first + at, series_count, generator)]


def _ranks(series: FloatArray) -> FloatArray:
    """Ranks less their mean; equal values share theirs."""
    ordered = np.sort(series)
    low, high = np.searchsorted(ordered, series, "left"), np.searchsorted(ordered, series, "right")
    return np.asarray((low + high - len(series)) / 2, dtype=np.float64)


def _clearest(ranks: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of each row where its two parts differ most, and by how much (the sum of ranks on one side)."""
    sums = np.abs(np.cumsum(ranks, axis=1))[:, LEAST_PIECE - 1 : -LEAST_PIECE]
    return np.asarray(sums.argmax(axis=1) + LEAST_PIECE, dtype=np.float64), np.asarray(sums.max(axis=1))
