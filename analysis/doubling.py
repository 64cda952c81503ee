"""What the shop would hold with a tier twice as large: capacity with an interval, from a run that saturates it; pure.

Each tier bounds throughput by capacity / utilisation (the asymptotic bounds of J. P. Buzen and P. J. Denning; E. D.
Lazowska et al., Quantitative System Performance, 1984, chapter 5). The tier that gives out is at its bound; twice as
large its bound is twice as high, less what its halves lose to each other (σ of the Universal Scalability Law,
analysis.usl); the others stay where they are, and the lowest bound is the capacity.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis import bootstrap

# What two halves lose to each other where nobody has measured it: nothing at best, and of well-parted work (workers
# that share a socket, a database or a kernel) no more than this.
CONTENTION_UNKNOWN = (0.0, 0.1)


@dataclass(frozen=True, slots=True)
class Capacity:
    """A throughput (requests, sessions or orders a second) with its 95 % interval."""

    per_s: float
    low_per_s: float
    high_per_s: float


@dataclass(frozen=True, slots=True)
class Doubled:
    """What is to be expected with `tier` `factor` times as large; `bound_by` is the tier that would then give out."""

    tier: str
    factor: float
    per_s: float
    low_per_s: float
    high_per_s: float
    bound_by: str

    @property
    def sentence(self) -> str:
        """The prediction in words."""
        then = (
            "which stays the one that gives out"
            if self.bound_by == self.tier
            else f"and then the {self.bound_by} gives out"
        )
        return (
            f"With {self.factor:g} times the {self.tier}, {self.per_s:,.3g}/s ({self.low_per_s:,.3g} to "
            f"{self.high_per_s:,.3g}) are to be expected, {then}."
        )


def measured_capacity(completed_per_s: Sequence[float]) -> Capacity:
    """The mean of saturated seconds, with the interval into which another measurement as long should fall.

    ValueError for fewer than 10 seconds: no interval can be had. The interval of a mean is widened by sqrt(2), for the
    measurement that it is compared with has an error of its own.
    """
    seconds = np.asarray(completed_per_s, dtype=np.float64)
    drawn = bootstrap.weights([len(seconds)]) if len(seconds) else None
    if drawn is None or not np.isfinite(seconds).all() or (seconds < 0).any():
        raise ValueError(f"{len(seconds)} seconds: a capacity needs {bootstrap.LEAST_S} or more, none of them below 0")
    mean = float(seconds.mean())
    estimate = bootstrap.ratio(seconds, np.ones(len(seconds)), drawn)
    low, high = estimate.low or mean, estimate.high or mean
    return Capacity(mean, max(0.0, mean - math.sqrt(2) * (mean - low)), mean + math.sqrt(2) * (high - mean))


def double(
    tier: str,
    capacity: Capacity,
    utilisation: Mapping[str, float],
    *,
    contention: tuple[float, float] = CONTENTION_UNKNOWN,
    factor: float = 2.0,
) -> Doubled:
    """What to expect of `factor` times the tier that gives out at `capacity`.

    `utilisation` of the other tiers at that capacity, each above 0 to 1 of what it has, bounds what more they can take;
    a tier that is not in it has no bound. `contention` is the range of σ. ValueError for a factor below 1.
    """
    if not factor >= 1:
        raise ValueError(f"factor is {factor:g}: it must be 1 or more")
    least, most = contention
    bounds = {
        tier: Capacity(
            capacity.per_s * _gain(factor, (least + most) / 2),
            capacity.low_per_s * _gain(factor, most),
            capacity.high_per_s * _gain(factor, least),
        )
    }
    for other, used in utilisation.items():
        if other != tier and used > 0:
            room = max(1.0, 1 / used)
            bounds[other] = Capacity(capacity.per_s * room, capacity.low_per_s * room, capacity.high_per_s * room)
    bound_by = min(bounds, key=lambda name: bounds[name].per_s)
    return Doubled(
        tier=tier,
        factor=factor,
        per_s=bounds[bound_by].per_s,
        low_per_s=min(bound.low_per_s for bound in bounds.values()),
        high_per_s=min(bound.high_per_s for bound in bounds.values()),
        bound_by=bound_by,
    )


def _gain(factor: float, sigma: float) -> float:
    """Throughput of `factor` times the servers against one (Amdahl's law, the Universal Scalability Law with κ = 0)."""
    return factor / (1 + sigma * (factor - 1))
