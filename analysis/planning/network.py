"""The queueing model: every tier an M/M/c station of an open network of product form; pure, in closed form.

Arrivals from outside are Poisson, so each station behaves as if it stood alone (J. R. Jackson, Networks of waiting
lines, Operations Research 5, 1957): how long a visit waits follows from Erlang's C formula (A. K. Erlang, 1917; L.
Kleinrock, Queueing Systems I, 1975, section 3.5). The number of operations grows with the square root of the workers.
"""

import math
from dataclasses import dataclass

_LEAST_SHARE = 1e-17  # of a sum: what is smaller changes no digit of it
_SURELY_SOON_S = 700.0  # e to the minus this is still a number


@dataclass(frozen=True, slots=True)
class Station:
    """A tier under load.

    `offered` is the mean number of workers that the load keeps busy (erlangs); `service_s` what one visit takes of a
    worker; `visits` the share of requests at the front door that come by, 0..1.
    """

    tier: str
    workers: int
    offered: float
    service_s: float
    visits: float

    @property
    def utilisation_ratio(self) -> float:
        """The share of its time that a worker is busy; 1 and above means that the queue grows without end."""
        return self.offered / self.workers

    @property
    def waits_ratio(self) -> float:
        """The share of its visits that find every worker busy."""
        return erlang_c(self.workers, self.offered)

    @property
    def mean_wait_s(self) -> float:
        """How long a visit waits on average; infinite where the queue grows without end."""
        if self.offered >= self.workers:
            return math.inf
        return self.waits_ratio * self.service_s / (self.workers - self.offered)

    @property
    def wait_rate_per_s(self) -> float:
        """Who waits at all waits exponentially long with this rate; 0 where the queue grows without end."""
        return max(0.0, self.workers - self.offered) / self.service_s if self.service_s > 0 else math.inf

    def waits_longer_ratio(self, wait_s: float) -> float:
        """The share of its visits that wait longer than `wait_s` (first come, first served)."""
        if self.offered <= 0:
            return 0.0
        if self.offered >= self.workers:
            return 1.0
        return self.waits_ratio * math.exp(-min(self.wait_rate_per_s * wait_s, _SURELY_SOON_S))


def erlang_c(workers: int, offered: float) -> float:
    """The probability that an arrival finds all of `workers` busy under `offered` erlangs; 1 beyond saturation."""
    if offered <= 0:
        return 0.0
    if offered >= workers:
        return 1.0
    blocked = erlang_b(workers, offered)
    return blocked / (1 - offered / workers * (1 - blocked))


def erlang_b(workers: int, offered: float) -> float:
    """The probability that all of `workers` are busy when nobody waits (M/M/c/c), for `offered` below `workers`.

    That is P(N = c | N <= c) of a Poisson variable N. The sum over N <= c is taken as 1 less the sum beyond c, whose
    terms shrink at least by offered / (c + 1) each: no sum over all workers, and nothing overflows.
    """
    at_most = math.exp(workers * math.log(offered) - offered - math.lgamma(workers + 1))
    beyond, term, number = 0.0, at_most, workers
    while term > _LEAST_SHARE * at_most:
        number += 1
        term *= offered / number
        beyond += term
    return at_most / (1 - beyond)
