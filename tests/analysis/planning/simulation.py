"""A simulation of an open network of queues, event by event: an oracle that knows no formula."""

import heapq
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Tier:
    servers: int
    service_s: float
    goes_on: float  # the share that goes on to the next tier


def waits_s(tiers: Sequence[Tier], rate_per_s: float, arrivals: int, warm_up_s: float, seed: int) -> list[list[float]]:
    """How long each visit of each tier waited, first come first served; exponential in everything."""
    draws = random.Random(seed)
    free = [tier.servers for tier in tiers]
    queues: list[deque[float]] = [deque() for _ in tiers]
    found: list[list[float]] = [[] for _ in tiers]
    at_s = 0.0
    events: list[tuple[float, int, bool]] = []  # when, at which tier, whether somebody leaves it
    for _ in range(arrivals):
        at_s += draws.expovariate(rate_per_s)
        events.append((at_s, 0, False))
    while events:
        now_s, number, leaves = heapq.heappop(events)
        tier = tiers[number]
        if leaves:
            free[number] += 1
            if draws.random() < tier.goes_on:
                heapq.heappush(events, (now_s, number + 1, False))
        else:
            queues[number].append(now_s)
        while free[number] and queues[number]:
            free[number] -= 1
            came_s = queues[number].popleft()
            if came_s > warm_up_s:
                found[number].append(now_s - came_s)
            heapq.heappush(events, (now_s + draws.expovariate(1 / tier.service_s), number, True))
    return found
