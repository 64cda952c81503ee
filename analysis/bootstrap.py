"""Intervals for figures of a run by resampling its seconds in blocks; pure, and the same seed gives the same interval.

Seconds that follow each other are alike, so whole blocks of them are drawn: the circular block bootstrap (Politis and
Romano, A circular block-resampling procedure for stationary data, 1992), with blocks of the cube root of the number of
seconds (Hall, Horowitz and Jing, On blocking rules for the bootstrap with dependent data, Biometrika 82, 1995). Of
several parts, parts are drawn first, and then blocks within each. The interval lies between the 2.5th and the 97.5th
percentile of what the resampled seconds give.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from loadgen.records import Json

FloatArray: TypeAlias = npt.NDArray[np.float64]
REPLICATES = 1000
INTERVAL = (2.5, 97.5)
# With fewer seconds than these a handful of blocks would be drawn again and again.
LEAST_S = 10
_SEED = 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval; all None where nothing was measured, bounds None where no interval can be had."""

    value: float | None = None
    low: float | None = None
    high: float | None = None

    def overlaps(self, other: "Estimate") -> bool:
        """Whether the two are not told apart: their intervals meet, or one of them has none."""
        if self.low is None or self.high is None or other.low is None or other.high is None:
            return True
        return self.low <= other.high and other.low <= self.high

    def as_json(self) -> dict[str, Json]:
        """The figure as it stands in a study's summary.json."""
        return {"value": self.value, "low": self.low, "high": self.high}


NOTHING = Estimate()


def block_length(seconds: int) -> int:
    """How many seconds are drawn together: the cube root of their number, rounded up."""
    return max(1, math.ceil(round(math.cbrt(seconds), 6)))


def weights(lengths: Sequence[int], replicates: int = REPLICATES, seed: int = _SEED) -> FloatArray | None:
    """How often each second counts in each replicate; `lengths` are the parts' seconds, which stand side by side.

    None when there are too few seconds for an interval.
    """
    if sum(lengths) < LEAST_S or min(lengths, default=0) == 0:
        return None
    generator = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    drawn = np.zeros((replicates, int(starts[-1])))
    for replicate in drawn:
        for part in generator.integers(len(lengths), size=len(lengths)):
            seconds = _blocks(lengths[part], generator)
            np.add.at(replicate, starts[part] + seconds, 1.0)
    return drawn


def _blocks(length: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    """As many seconds of a part as it has, in blocks that may run over its end into its beginning."""
    block = block_length(length)
    firsts = generator.integers(length, size=-(-length // block))
    seconds = (firsts[:, np.newaxis] + np.arange(block)) % length
    return np.asarray(seconds.ravel()[:length], dtype=np.int64)


def ratio(part: FloatArray, whole: FloatArray, drawn: FloatArray | None, scale: float = 1.0) -> Estimate:
    """`scale` times the sum of `part` over the sum of `whole`, both by second; nothing where the whole is 0."""
    if not whole.sum() > 0:
        return NOTHING
    value = scale * float(part.sum() / whole.sum())
    if drawn is None:
        return Estimate(value)
    wholes = drawn @ whole
    sound = wholes > 0
    return _bounded(value, scale * (drawn @ part)[sound] / wholes[sound])


def complement(estimate: Estimate) -> Estimate:
    """One less a ratio: what is left of the whole."""
    if estimate.value is None:
        return estimate
    low, high = (None if bound is None else 1 - bound for bound in (estimate.high, estimate.low))
    return Estimate(1 - estimate.value, low, high)


def percentile(counts: FloatArray, values: FloatArray, percent: float, drawn: FloatArray | None) -> Estimate:
    """The smallest of `values` (ascending) that `percent` of all counted do not exceed; `counts[second, value]`.

    Ranks are those of loadgen.histogram.
    """
    if not counts.sum() > 0:
        return NOTHING
    value = float(_percentiles(counts.sum(axis=0)[np.newaxis, :], values, percent)[0])
    if drawn is None:
        return Estimate(value)
    resampled = drawn @ counts
    return _bounded(value, _percentiles(resampled[resampled.sum(axis=1) > 0], values, percent))


def _percentiles(counts: FloatArray, values: FloatArray, percent: float) -> FloatArray:
    """The percentile of each row of counts."""
    running = np.cumsum(counts, axis=1)
    ranks = np.maximum(1, np.ceil(np.round(percent / 100 * running[:, -1], 6)))
    positions = (running < ranks[:, np.newaxis]).sum(axis=1)
    return np.asarray(values[positions], dtype=np.float64)


def _bounded(value: float, replicates: FloatArray) -> Estimate:
    if not len(replicates):
        return Estimate(value)
    low, high = np.percentile(replicates, INTERVAL)
    return Estimate(value, float(low), float(high))
