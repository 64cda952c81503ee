"""When sessions arrive: pure schedules, drawn from a seed before the first request is sent.

A Poisson process of a rate that changes with time is a unit-rate process seen through the integral of the rate
(time-rescaling theorem; Cox and Lewis, The Statistical Analysis of Series of Events, 1966): arrival i lies where the
expected number of arrivals reaches the sum of i exponential draws.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class RatePoint:
    """At `at_s` seconds from the start the rate is `per_s` sessions per second; straight lines lie between."""

    at_s: float
    per_s: float


def poisson_arrivals(rate: Sequence[RatePoint], seed: int) -> Iterator[float]:
    """Intended instants in seconds from the start, ascending, within the rate's first and last point."""
    draw = random.Random(seed)
    due = draw.expovariate(1.0)
    passed = 0.0
    for before, after in pairwise(rate):
        expected = _expected(before, after, after.at_s - before.at_s)
        while due < passed + expected:
            yield before.at_s + _seconds_until(before, after, due - passed)
            due += draw.expovariate(1.0)
        passed += expected


def rate_at(rate: Sequence[RatePoint], at_s: float) -> float:
    """Sessions per second at an instant; 0 outside the schedule."""
    for before, after in pairwise(rate):
        if before.at_s <= at_s <= after.at_s and after.at_s > before.at_s:
            return before.per_s + (after.per_s - before.per_s) * (at_s - before.at_s) / (after.at_s - before.at_s)
    return 0.0


def expected_count(rate: Sequence[RatePoint]) -> float:
    """How many arrivals the schedule holds on average."""
    return sum(_expected(before, after, after.at_s - before.at_s) for before, after in pairwise(rate))


def _slope(before: RatePoint, after: RatePoint) -> float:
    width_s = after.at_s - before.at_s
    return (after.per_s - before.per_s) / width_s if width_s > 0 else 0.0


def _expected(before: RatePoint, after: RatePoint, seconds: float) -> float:
    return before.per_s * seconds + _slope(before, after) * seconds * seconds / 2


def _seconds_until(before: RatePoint, after: RatePoint, expected: float) -> float:
    # The root of slope/2 * s² + per_s * s = expected, in the form that stays exact for a slope near 0.
    root = math.sqrt(max(0.0, before.per_s**2 + 2 * _slope(before, after) * expected))
    return 2 * expected / (before.per_s + root)
