"""When sessions arrive: pure schedules, drawn from a seed before the first request is sent.

Arrivals of a rate that changes with time are arrivals of rate 1 seen through the integral of the rate: arrival i lies
where the expected number of arrivals reaches a level. For a Poisson process the levels are sums of exponential draws
(time-rescaling theorem; Cox and Lewis, The Statistical Analysis of Series of Events, 1966); for constant arrivals they
are 1/2, 3/2, 5/2, …
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, count, pairwise, repeat
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RatePoint:
    """At `at_s` seconds from the start the rate is `per_s` sessions per second; straight lines lie between."""

    at_s: float
    per_s: float


class Crowd(Protocol):
    """What `users_at` needs of a load."""

    @property
    def users(self) -> int:
        """Users at the profile's full height."""

    @property
    def profile(self) -> tuple[tuple[float, float], ...]:
        """Points (share of the duration, share of the users)."""

    @property
    def duration_s(self) -> float:
        """Seconds from the first to the last point."""


def poisson_arrivals(rate: Sequence[RatePoint], seed: int) -> Iterator[float]:
    """Intended instants in seconds from the start, ascending, within the rate's first and last point."""
    return _instants(rate, accumulate(map(random.Random(seed).expovariate, repeat(1.0))))


def constant_arrivals(rate: Sequence[RatePoint]) -> Iterator[float]:
    """Evenly spaced instants in seconds from the start: arrival i is where i + 1/2 arrivals are expected.

    The half keeps the count within 1/2 of what is expected at every instant, and nobody arrives at the start itself.
    """
    return _instants(rate, count(0.5))


def from_instant(rate: Sequence[RatePoint], from_s: float) -> tuple[RatePoint, ...]:
    """The rate's rest from `from_s` seconds on; nothing when it has ended by then."""
    later = [point for point in rate if point.at_s > from_s]
    if not later or later[0] is rate[0]:
        return tuple(later)
    return RatePoint(from_s, rate_at(rate, from_s)), *later


def rate_at(rate: Sequence[RatePoint], at_s: float) -> float:
    """Sessions per second at an instant, after a step that lies there; 0 outside the schedule."""
    for before, after in reversed(list(pairwise(rate))):
        if before.at_s <= at_s <= after.at_s and after.at_s > before.at_s:
            return before.per_s + _slope(before, after) * (at_s - before.at_s)
    return 0.0


def expected_count(rate: Sequence[RatePoint]) -> float:
    """How many arrivals the schedule holds on average."""
    return sum(_expected(before, after) for before, after in pairwise(rate))


def users_at(load: Crowd, elapsed_s: float) -> int:
    """Users that a closed load wants `elapsed_s` seconds from the start, to the nearest whole one.

    0 before the start, and from the end of the duration on.
    """
    if not 0 <= elapsed_s < load.duration_s:
        return 0
    shares = [RatePoint(at, share) for at, share in load.profile]
    return math.floor(rate_at(shares, elapsed_s / load.duration_s) * load.users + 0.5)


def _instants(rate: Sequence[RatePoint], levels: Iterator[float]) -> Iterator[float]:
    """Where the expected number of arrivals reaches each level."""
    level, passed = next(levels), 0.0
    for before, after in pairwise(rate):
        reached = passed + _expected(before, after)
        start_s, per_s, slope = before.at_s, before.per_s, _slope(before, after)
        while level < reached:
            yield start_s + _seconds_until(per_s, slope, level - passed)
            level = next(levels)
        passed = reached


def _slope(before: RatePoint, after: RatePoint) -> float:
    width_s = after.at_s - before.at_s
    return (after.per_s - before.per_s) / width_s if width_s > 0 else 0.0


def _expected(before: RatePoint, after: RatePoint) -> float:
    return (before.per_s + after.per_s) / 2 * (after.at_s - before.at_s)


def _seconds_until(per_s: float, slope: float, expected: float) -> float:
    if slope == 0 or expected <= 0:  # a level may fall on the point where a rate rises from 0
        return expected / per_s if expected > 0 else 0.0
    # The root of slope/2 * s² + per_s * s = expected, in the form that stays exact for a slope near 0.
    return 2 * expected / (per_s + math.sqrt(max(0.0, per_s * per_s + 2 * slope * expected)))
