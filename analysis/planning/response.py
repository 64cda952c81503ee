"""Response times at another size: what the run measured, and the waiting that the model adds to it.

A planned response time is taken as R + W: R as measured, W the sum of the waits at the tiers, independent of it. What
the run waited itself is in R already, so that the sum is rather too long than too short.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.bootstrap import FloatArray
from analysis.planning.measured import Measured
from analysis.planning.network import Station
from analysis.steady_seconds import Counted
from loadgen.objectives import PERCENTILES, Objective, samples_needed

_SAMPLES = 20_000  # of which 20 lie beyond p99.9
_SEED = 1


@dataclass(frozen=True, slots=True)
class Allowance:
    """What waiting an objective leaves: no more than `share` of the requests may wait longer than `wait_s` in all."""

    objective: Objective
    share: float
    wait_s: float


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an objective asks of a plan: an allowance, or a sentence that says why it asks nothing that can be met."""

    objective: Objective
    allowance: Allowance | None
    sentence: str | None
    broken: bool


def plannable(objective: Objective) -> bool:
    """Whether the size of a shop decides on it: percentiles of response times that are to stay below a limit."""
    path = objective.path
    return (
        len(path) == 3 and path[0] == "response_time_ms" and path[2] in PERCENTILES and objective.comparator[0] == "<"
    )


def ruling(objective: Objective, measured: Measured) -> Ruling:
    """Hold an objective against the run's own response times, to which a plan can only add."""
    counted = measured.response_ms.get(objective.path[1])
    needed = samples_needed(objective.path[2])
    if counted is None or counted.count < needed:
        had = 0 if counted is None else counted.count
        told = f"{objective} was not planned for: the run has {had} such response times, and {needed} are needed"
        return Ruling(objective, None, told, broken=False)
    allowance = _allowance(objective, counted)
    if allowance is None:
        level = PERCENTILES[objective.path[2]]
        value = percentile_ms(_quantiles(counted), level)
        told = (
            f"{objective.name} was {value:.4g} ms in the run itself, not {objective.comparator} {objective.limit:g}: "
            "no number of workers mends that; make a request cheaper, or record a run with less load"
        )
        return Ruling(objective, None, told, broken=True)
    return Ruling(objective, allowance, None, broken=False)


def _allowance(objective: Objective, counted: Counted) -> Allowance | None:
    """The split of what is left that leaves most: for any x below the limit L, P(R + W > L) <= P(R > x) + P(W > L - x).

    So W may exceed L - x with probability 1 - q - P(R > x); the x is taken whose product of both is largest.
    """
    limit, spare = objective.limit, 1 - PERCENTILES[objective.path[2]] / 100
    totals = counted.counts.sum(axis=0)
    beyond = 1 - np.cumsum(totals) / totals.sum()
    shares, waits_ms = spare - beyond, limit - counted.values_ms
    sound = (shares > 1e-9) & (waits_ms > 0)
    if not sound.any():
        return None
    best = int(np.argmax(np.where(sound, shares * waits_ms, -1.0)))
    return Allowance(objective, float(shares[best]), float(waits_ms[best]) / 1000)


class ResponseTimes:
    """Percentiles of R + W for any set of stations; the same draws each time, so that less waiting is never slower."""

    def __init__(self, measured: Measured) -> None:
        draws = np.random.default_rng(_SEED)
        self._measured = measured
        self._order = draws.permutation(_SAMPLES)
        tiers = [demand.tier for demand in measured.demands]
        self._chances = {tier: draws.random(_SAMPLES) for tier in tiers}
        self._exponentials = {tier: draws.standard_exponential(_SAMPLES) for tier in tiers}

    def known(self, kind: str) -> bool:
        """Whether the run recorded response times of that page kind."""
        return kind in self._measured.response_ms

    def percentile_ms(self, kind: str, percent: float, stations: Sequence[Station]) -> float | None:
        """None where a queue grows without end."""
        if any(station.visits > 0 and station.offered >= station.workers for station in stations):
            return None
        sampled = _quantiles(self._measured.response_ms[kind])[self._order]
        for station in stations:
            visits = self._measured.comes_by(station.tier, kind)
            waiting = self._chances[station.tier] < visits * station.waits_ratio
            waits_ms = 1000 * self._exponentials[station.tier] / station.wait_rate_per_s
            sampled = sampled + np.where(waiting, waits_ms, 0.0)
        return percentile_ms(sampled, percent)


def percentile_ms(sampled: FloatArray, percent: float) -> float:
    """The smallest value that `percent` of the sampled do not exceed."""
    rank = max(1, math.ceil(round(percent / 100 * len(sampled), 6)))
    return float(np.partition(sampled, rank - 1)[rank - 1])


def _quantiles(counted: Counted) -> FloatArray:
    """As many values as samples are drawn, evenly spread over the measured distribution, ascending."""
    running = np.cumsum(counted.counts.sum(axis=0))
    ranks = (np.arange(_SAMPLES) + 0.5) / _SAMPLES * running[-1]
    return np.asarray(counted.values_ms[np.searchsorted(running, ranks)], dtype=np.float64)


def percentiles_ms(
    times: ResponseTimes, stations: Sequence[Station], wanted: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, float | None]]:
    """Percentiles by page kind and name, of those that the run recorded."""
    return {
        kind: {name: times.percentile_ms(kind, PERCENTILES[name], stations) for name in names}
        for kind, names in wanted.items()
        if times.known(kind)
    }
