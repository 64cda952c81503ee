"""At which arrival rate a queue's p95 of response times reaches a limit, by theory: the oracle of the capacity search.

M/M/c: A. K. Erlang's delay probability (1917) and the response time as a wait and a service that know nothing of each
other (D. Gross, J. F. Shortle, J. M. Thompson, C. M. Harris, Fundamentals of Queueing Theory, 4th ed. 2008, section
2.3). M/D/c: G. J. Franx, A simple solution for the M/D/c waiting time distribution, Operations Research Letters 29
(2001), over the number of customers, whose distribution follows from C. D. Crommelin's relation (1932): whoever is
served now is gone one service time later, and nobody else is.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt


def erlang_c(servers: int, offered_erlang: float) -> float:
    """How likely an arrival finds all servers busy, by the recursion of Erlang's loss formula."""
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = offered_erlang * blocked / (server + offered_erlang * blocked)
    return servers * blocked / (servers - offered_erlang * (1 - blocked))


def exponential_tail(servers: int, service_s: float, rate_per_s: float, limit_s: float) -> float:
    """M/M/c: the share of response times above a limit."""
    mu, spare = 1 / service_s, servers / service_s - rate_per_s
    if spare <= 0:
        return 1.0
    waits = erlang_c(servers, rate_per_s * service_s)
    alone, drained = math.exp(-mu * limit_s), math.exp(-spare * limit_s)
    if math.isclose(spare, mu, rel_tol=1e-9):
        both = (1 + mu * limit_s) * alone
    else:
        both = (spare * alone - mu * drained) / (spare - mu)
    return (1 - waits) * alone + waits * both


def constant_tail(servers: int, service_s: float, rate_per_s: float, limit_s: float) -> float:
    """M/D/c: the share of response times above a limit."""
    wait_s = limit_s - service_s
    if rate_per_s * service_s >= servers or wait_s < 0:
        return 1.0
    steps = int(wait_s / service_s) + 1  # (steps - 1) service times <= wait < steps service times
    mean = rate_per_s * (steps * service_s - wait_s)
    at_most = np.cumsum(customers(servers, rate_per_s * service_s, most=(steps + 1) * servers))[servers:]
    kept = steps * servers - 1
    return 1 - float(np.dot(poisson(mean, kept + 1), at_most[kept::-1]))


def customers(servers: int, offered_erlang: float, most: int) -> npt.NDArray[np.float64]:
    """M/D/c: how likely 0, 1, ... customers are in the queue and in service; `most` is the least length of the answer.

    The equations are cut where the tail, which falls at least as (offered / servers) does, has gone.
    """
    size = max(most, servers * 4) + math.ceil(30 / -math.log(offered_erlang / servers)) + 1
    coming = poisson(offered_erlang, size)
    stays = np.maximum(np.arange(size) - servers, 0)
    step = np.arange(size)[:, None] - stays[None, :]
    chance = np.where(step >= 0, coming[np.maximum(step, 0)], 0.0)
    system = chance - np.eye(size)
    system[-1] = 1.0
    return np.linalg.solve(system, np.eye(size)[-1])


def poisson(mean: float, size: int) -> npt.NDArray[np.float64]:
    """How likely 0, 1, ..., size - 1 events are."""
    counts = np.arange(size)
    logarithms = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size)))])
    return np.exp(counts * math.log(mean) - mean - logarithms) if mean > 0 else (counts == 0).astype(float)


def capacity_per_s(tail: Callable[[float], float], most_per_s: float, share: float = 0.05) -> float:
    """The rate at which the share above the limit reaches `share`, by halving; the share grows with the rate."""
    low, high = 0.0, most_per_s
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) < share else (low, middle)
    return (low + high) / 2
