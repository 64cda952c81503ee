"""A shop of some servers and one line, in virtual time: what a search would see of it, second by second.

Arrivals are Poisson's; each is given to the server that is free first, which is the recursion of J. Kiefer and
J. Wolfowitz, On the theory of queues with many servers, Trans. Amer. Math. Soc. 78 (1955): exact for every arrival.
"""

import heapq
from collections import Counter
from dataclasses import dataclass

import numpy as np

from lonjak.capacity.observation import Second, Share
from lonjak.capacity.search import Capacity, Search, SearchPlan

P95 = Share("p95", 0.05)


@dataclass(frozen=True, slots=True)
class Queue:
    """`servers` that take `service_s` each, exponentially distributed or constant."""

    servers: int
    service_s: float
    exponential: bool


class VirtualShop:
    """A queue whose response times are to stay below `limit_s`; what was in it when the rate changes stays in it."""

    def __init__(self, queue: Queue, limit_s: float, seed: int) -> None:
        self._queue = queue
        self._limit_s = limit_s
        self._random = np.random.default_rng(seed)
        self._free_at = [0.0] * queue.servers
        self._now_s = 0
        self._finished: Counter[int] = Counter()

    def second(self, elapsed_s: int, rate_per_s: float) -> Second:
        """Let one second pass at a rate."""
        responses = self.responses(rate_per_s)
        count = len(responses)
        return Second(
            elapsed_s=elapsed_s,
            offered_per_s=count,
            generator_bound=False,
            shares={P95.name: (sum(response >= self._limit_s for response in responses), count)},
            levels={},
            goodput_per_s=self._finished.pop(self._now_s - 1, 0),
            response_time_s=sum(responses) / count if count else 0.0,
        )

    def responses(self, rate_per_s: float) -> list[float]:
        """Response times of those who arrive in the next second, in seconds."""
        count = self._random.poisson(rate_per_s)
        arrivals = np.sort(self._now_s + self._random.random(count)).tolist()
        if self._queue.exponential:
            services = self._random.exponential(self._queue.service_s, count).tolist()
        else:
            services = [self._queue.service_s] * count
        free_at, found, finished = self._free_at, [], []
        for arrival, service in zip(arrivals, services, strict=True):
            free = free_at[0]
            done = (free if free > arrival else arrival) + service
            heapq.heapreplace(free_at, done)
            found.append(done - arrival)
            finished.append(int(done))
        self._finished.update(finished)
        self._now_s += 1
        return found


def search(shop: VirtualShop, plan: SearchPlan) -> tuple[Capacity, int]:
    """The answer, and how many virtual seconds it took."""
    running, used_s, elapsed_s = Search(plan), 0, 0
    while (step := running.step) is not None:
        new = running.observe(shop.second(elapsed_s, step.rate_per_s))
        elapsed_s = 0 if new is not None else elapsed_s + 1
        used_s += 1
    return running.result, used_s
