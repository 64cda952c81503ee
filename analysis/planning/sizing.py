"""How many workers each tier needs at a load: enough headroom, and no longer waits than the objectives leave; pure.

Each tier is sized for itself by bounds that do not depend on the load, and what it needs under a bound only grows with
the load: more shoppers never need fewer workers. Intervals come from drawing the demands again.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from analysis.bootstrap import INTERVAL, REPLICATES, Estimate, FloatArray
from analysis.demand import Demand
from analysis.planning.measured import Measured
from analysis.planning.network import Station
from analysis.planning.response import Allowance

_SEED = 1
_NORMAL_95 = 1.959964  # half the width of a normal distribution's 95 % interval, in standard deviations
_ROUNDING = 1e-9
HEADROOM = "headroom"
LEAST = "one at least"


@dataclass(frozen=True, slots=True)
class Bound:
    """No more than `share` of a tier's visits may wait longer than `wait_s`, for the sake of `name`."""

    name: str
    share: float
    wait_s: float


@dataclass(frozen=True, slots=True)
class TierSize:
    """What a tier needs: `workers` of one processor each, of which the load keeps `busy` busy on average."""

    tier: str
    busy: Estimate
    workers: Estimate
    station: Station
    decided_by: str

    @property
    def count(self) -> int:
        """How many workers to plan with."""
        return self.station.workers


@dataclass(frozen=True, slots=True)
class Sizing:
    """All tiers at one load; `drawn` holds the workers in each replicate, a column a tier."""

    tiers: tuple[TierSize, ...]
    drawn: FloatArray

    @property
    def stations(self) -> tuple[Station, ...]:
        """The planned tiers under the load that they are planned for."""
        return tuple(tier.station for tier in self.tiers)

    @property
    def tightest(self) -> TierSize:
        """The tier that is full first when the load grows."""
        return max(self.tiers, key=lambda tier: tier.station.utilisation_ratio)


class Sizer:
    """Sizes tiers for any load of one run's mixture."""

    def __init__(self, measured: Measured, headroom: float, allowances: Sequence[Allowance]) -> None:
        self._measured = measured
        self._headroom = headroom
        self._allowances = allowances
        self._demands_s = np.array([demand.seconds for demand in measured.demands])
        self._drawn_s = draw_demands(measured.demands)

    def size(self, requests_per_s: float) -> Sizing:
        """The tiers at a rate of requests at the front door, with intervals."""
        counts = self.workers(requests_per_s)
        drawn = np.array([self._needed(demands_s, requests_per_s) for demands_s in self._drawn_s], dtype=np.float64)
        bounds = self._bounds(self._demands_s)
        tiers = [
            self._tier(demand, count, requests_per_s, drawn[:, column], bounds[column])
            for column, (demand, count) in enumerate(zip(self._measured.demands, counts, strict=True))
        ]
        return Sizing(tuple(tiers), drawn)

    def workers(self, requests_per_s: float) -> list[int]:
        """Workers by tier at a rate of requests, by the measured demands themselves."""
        return self._needed(self._demands_s, requests_per_s)

    def _tier(
        self, demand: Demand, count: int, requests_per_s: float, drawn: FloatArray, bounds: Sequence[Bound]
    ) -> TierSize:
        busy = (each_s * requests_per_s for each_s in (demand.seconds, demand.low_s, demand.high_s))
        station = self.station(demand, count, requests_per_s)
        return TierSize(
            tier=demand.tier,
            busy=Estimate(*busy),
            workers=Estimate(float(count), *whole_interval(drawn)),
            station=station,
            decided_by=_decided_by(station, self._headroom, bounds),
        )

    def station(self, demand: Demand, count: int, requests_per_s: float) -> Station:
        """A tier of so many workers at a rate of requests."""
        visits = self._visits(demand.tier)
        return Station(demand.tier, count, demand.seconds * requests_per_s, demand.seconds / visits, visits)

    def _needed(self, demands_s: FloatArray, requests_per_s: float) -> list[int]:
        bounds = self._bounds(demands_s)
        visits = [self._visits(demand.tier) for demand in self._measured.demands]
        return [
            workers_needed(demand_s * requests_per_s, demand_s / share, self._headroom, of_tier)
            for demand_s, share, of_tier in zip(demands_s.tolist(), visits, bounds, strict=True)
        ]

    def _bounds(self, demands_s: FloatArray) -> list[list[Bound]]:
        """The bounds of each tier: every allowance is parted among the tiers on the way.

        How many may wait goes by the demands, how long by what a visit takes; half of both is the same for all, lest a
        tier that costs little be asked to have nobody wait for longer than a blink.
        """
        tiers = [demand.tier for demand in self._measured.demands]
        visits_s = demands_s / np.array([self._visits(tier) for tier in tiers])
        bounds: list[list[Bound]] = [[] for _ in tiers]
        for allowance in self._allowances:
            coming = np.array([self._measured.comes_by(tier, allowance.objective.path[1]) for tier in tiers])
            on_the_way = (coming > 0) & (demands_s > 0)
            parts = zip(_parts(demands_s, on_the_way), _parts(visits_s, on_the_way), coming.tolist(), strict=True)
            for of_tier, (many, long, share) in zip(bounds, parts, strict=True):
                if many > 0:
                    few = min(1.0, allowance.share * many / share)
                    of_tier.append(Bound(str(allowance.objective), few, allowance.wait_s * long))
        return bounds

    def _visits(self, tier: str) -> float:
        """The share of all requests that come by a tier; 1 where none was seen to."""
        return self._measured.visits[tier] or 1.0


def _parts(weights: FloatArray, counted: npt.NDArray[np.bool_]) -> list[float]:
    """Parts of one for those that are counted: half by their weights, half the same for each; 0 for the others."""
    if not counted.any():
        return [0.0] * len(weights)
    by_weight = np.where(counted, weights, 0.0)
    parts = by_weight / by_weight.sum() / 2 + counted / counted.sum() / 2
    return [float(part) for part in parts]


def _decided_by(station: Station, headroom: float, bounds: Sequence[Bound]) -> str:
    """What would not hold with one worker less."""
    if station.workers > least_workers(station.offered, headroom):
        fewer = replace(station, workers=station.workers - 1)
        return next(bound.name for bound in bounds if not _holds(fewer, bound))
    return HEADROOM if station.workers > 1 else LEAST


def least_workers(offered: float, headroom: float) -> int:
    """The fewest workers that are busy for no more than 1 - headroom of their time, and never all of it."""
    enough = max(1, math.ceil(offered / (1 - headroom) - _ROUNDING))
    return enough if enough > offered else enough + 1


def workers_needed(offered: float, service_s: float, headroom: float, bounds: Sequence[Bound]) -> int:
    """The fewest workers with that headroom under which every bound holds."""

    def enough(count: int) -> bool:
        station = Station("", count, offered, service_s, 1.0)
        return all(_holds(station, bound) for bound in bounds)

    return _fewest(enough, least_workers(offered, headroom))


def _fewest(enough: Callable[[int], bool], least: int) -> int:
    """The smallest number from `least` on that is enough, where a larger one always is: doubling, then halving."""
    if enough(least):
        return least
    step = 1
    while not enough(least + step):
        step *= 2
    low, high = least + step // 2, least + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _holds(station: Station, bound: Bound) -> bool:
    # Nobody waits more often than always: where the exponential alone is short enough, Erlang's sum is spared.
    if math.exp(-min(station.wait_rate_per_s * bound.wait_s, 700.0)) <= bound.share:
        return True
    return station.waits_longer_ratio(bound.wait_s) <= bound.share


def draw_demands(demands: Sequence[Demand]) -> FloatArray:
    """Demands drawn from their 95 % intervals, a row a replicate: each half of an interval as half a normal curve.

    Two normal halves of different widths, joined at the estimate (the split normal distribution), cut off at zero.
    """
    deviations = np.random.default_rng(_SEED).standard_normal((REPLICATES, len(demands)))
    middle = np.array([demand.seconds for demand in demands])
    below = np.array([max(0.0, demand.seconds - demand.low_s) for demand in demands]) / _NORMAL_95
    above = np.array([max(0.0, demand.high_s - demand.seconds) for demand in demands]) / _NORMAL_95
    drawn = middle + deviations * np.where(deviations < 0, below, above)
    return np.asarray(np.maximum(drawn, 0.0), dtype=np.float64)


def interval(replicates: FloatArray) -> tuple[float, float]:
    """The 95 % interval of drawn figures."""
    low, high = np.percentile(replicates, INTERVAL)
    return float(low), float(high)


def whole_interval(replicates: FloatArray) -> tuple[float, float]:
    """The same of whole numbers, rounded outwards."""
    low, high = interval(replicates)
    return math.floor(low + _ROUNDING) * 1.0, math.ceil(high - _ROUNDING) * 1.0
