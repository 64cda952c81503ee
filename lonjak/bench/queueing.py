"""What response times a single server that freezes once must show: queueing theory, pure.

Two ways that know nothing of each other: Lindley's recursion over given arrivals (exact for each of them), and the
closed form for arrivals at a constant rate in the fluid limit (exact quantiles of their mixture).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Freeze:
    """From `from_s` on the server does nothing for `lasts_s`; what it was doing goes on afterwards."""

    from_s: float
    lasts_s: float

    @property
    def until_s(self) -> float:
        """When the server goes on."""
        return self.from_s + self.lasts_s

    def done_s(self, begun_s: float, work_s: float) -> float:
        """When work is done that is begun at an instant, or as soon after it as the server is not frozen."""
        if begun_s >= self.from_s:
            return max(begun_s, self.until_s) + work_s
        done_s = begun_s + work_s
        return done_s if done_s <= self.from_s else done_s + self.lasts_s


def response_times_s(arrivals_s: Iterable[float], service_s: float, freeze: Freeze) -> list[float]:
    """How long each arrival waits and is served, first come first served, in the order of `arrivals_s` (ascending).

    The recursion of D. V. Lindley, The theory of queues with a single server, Proc. Camb. Phil. Soc. 48 (1952), over
    instants of departure: whoever comes is begun when it is there and the one before has left.
    """
    found: list[float] = []
    free_s = -math.inf
    for arrival_s in arrivals_s:
        free_s = freeze.done_s(max(arrival_s, free_s), service_s)
        found.append(free_s - arrival_s)
    return found


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` (0..100] of all values do not exceed, as loadgen.histogram counts ranks."""
    rank = max(1, math.ceil(round(percent / 100 * len(values), 6)))
    return sorted(values)[rank - 1]


@dataclass(frozen=True, slots=True)
class ConstantArrivals:
    """A D/D/1 queue with one freeze, in the fluid limit. Its utilisation is below 1, and the run outlasts the backlog.

    Who arrives `u` into the freeze waits for the rest of it and for those before: R(u) = service + freeze - u(1 - ρ),
    until the backlog is gone at u = freeze / (1 - ρ). All others are served at once.
    """

    rate_per_s: float
    service_s: float
    freeze_s: float
    duration_s: float

    @property
    def utilisation_ratio(self) -> float:
        """ρ: the share of its time that the server works when it is not frozen."""
        return self.rate_per_s * self.service_s

    @property
    def drain_s(self) -> float:
        """How long after the freeze somebody still waits."""
        return self.freeze_s * self.utilisation_ratio / (1 - self.utilisation_ratio)

    @property
    def hit_ratio(self) -> float:
        """The share of arrivals that the freeze delays."""
        return (self.freeze_s + self.drain_s) / self.duration_s

    @property
    def mean_s(self) -> float:
        """The mean response time: a triangle over the delayed share, and the service."""
        return self.service_s + self.hit_ratio * self.freeze_s / 2

    def percentile_s(self, percent: float) -> float:
        """The response time that `percent` (0..100) of all arrivals do not exceed."""
        above_s = (1 - percent / 100) * self.duration_s
        return self.service_s + max(0.0, self.freeze_s - above_s * (1 - self.utilisation_ratio))
