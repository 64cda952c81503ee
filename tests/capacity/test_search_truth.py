"""Searches in virtual time against queues whose capacity theory knows.

20 searches in the ordinary run. The whole proof: LONJAK_SEARCHES=200 pytest -s tests/capacity/test_search_truth.py
"""

import math
import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

import pytest

from lonjak.capacity.search import Capacity, SearchPlan
from tests.capacity.queue_theory import capacity_per_s, constant_tail, exponential_tail
from tests.capacity.virtual_shop import P95, Queue, VirtualShop, search

SEARCHES = int(os.environ.get("LONJAK_SEARCHES", "20"))
START_PER_S = 50.0
RESOLUTION_RATIO = 0.05
LEAST_CAPACITY_PER_S = 500.0
BUDGET_S = 300


@dataclass(frozen=True, slots=True)
class Searched:
    """One search: what it was of, what theory says, and what was found in how many seconds."""

    queue: Queue
    limit_s: float
    true_per_s: float
    found: Capacity
    used_s: int

    @property
    def error_ratio(self) -> float:
        return math.inf if self.found.rate_per_s is None else self.found.rate_per_s / self.true_per_s - 1

    @property
    def covers(self) -> bool:
        low, high = self.found.low_per_s, self.found.high_per_s
        return low is not None and high is not None and low <= self.true_per_s <= high

    @property
    def sweep_s(self) -> float:
        """What a linear sweep of the same resolution takes: from the same start, each step the resolution higher, up to
        the first beyond the capacity, each as long as this search's steps were in the mean."""
        steps = math.floor(math.log(self.true_per_s / START_PER_S) / math.log(1 + RESOLUTION_RATIO)) + 2
        return steps * self.used_s / len(self.found.steps)

    def __str__(self) -> str:
        kind = "M/M" if self.queue.exponential else "M/D"
        return (
            f"{kind}/{self.queue.servers}, {1000 * self.queue.service_s:g} ms, p95 < {1000 * self.limit_s:g} ms:"
            f" {self.true_per_s:.1f}/s by theory; {self.used_s} s: {self.found.sentence}"
        )


def drawn(seed: int) -> tuple[Queue, float, float]:
    """A queue, a limit and the capacity that theory gives them, 500/s or more; even seeds are M/M/c, odd ones M/D/c."""
    draw, exponential = random.Random(seed), seed % 2 == 0
    tail: Callable[[int, float, float, float], float] = exponential_tail if exponential else constant_tail
    while True:
        queue = Queue(draw.randint(4, 12), draw.choice([0.005, 0.006, 0.0075, 0.008, 0.01]), exponential)
        limit_s = queue.service_s * draw.choice([4, 5, 6, 8] if exponential else [2, 2.5, 3, 4])
        most = queue.servers / queue.service_s
        if most <= LEAST_CAPACITY_PER_S:
            continue
        known = capacity_per_s(lambda rate, q=queue, at=limit_s: tail(q.servers, q.service_s, rate, at), most)
        if known >= LEAST_CAPACITY_PER_S:
            return queue, limit_s, known


@pytest.fixture(scope="module")
def searched() -> list[Searched]:
    found = []
    for seed in range(SEARCHES):
        queue, limit_s, known = drawn(seed)
        plan = SearchPlan((P95,), START_PER_S, 1.0, 4000.0, RESOLUTION_RATIO, budget_s=BUDGET_S)
        result, used_s = search(VirtualShop(queue, limit_s, seed), plan)
        found.append(Searched(queue, limit_s, known, result, used_s))
    print(
        f"\n{len(found)} searches: {sum(abs(each.error_ratio) <= 0.05 for each in found)} within 5 %,"
        f" {sum(each.covers for each in found)} intervals cover,"
        f" root mean square error {100 * math.sqrt(fmean(each.error_ratio**2 for each in found)):.2f} %,"
        f" {fmean(each.used_s for each in found):.0f} s in the mean ({max(each.used_s for each in found)} at most),"
        f" a sweep {fmean(each.sweep_s for each in found):.0f} s"
    )
    return found


def test_the_capacity_found_is_within_five_percent_of_theory(searched: list[Searched]) -> None:
    missed = [str(each) for each in searched if abs(each.error_ratio) > 0.05]
    assert len(missed) <= 0.05 * len(searched), "\n".join(missed)


def test_the_interval_covers_what_theory_says(searched: list[Searched]) -> None:
    missed = [str(each) for each in searched if not each.covers]
    assert len(missed) <= 0.1 * len(searched), "\n".join(missed)


def test_the_interval_says_something(searched: list[Searched]) -> None:
    # An interval that covers everything covers the truth: on average it is no wider than a tenth to either side.
    widths = [(each.found.high_per_s or math.inf) - (each.found.low_per_s or 0.0) for each in searched]
    assert fmean(width / 2 / each.true_per_s for width, each in zip(widths, searched, strict=True)) <= 0.1


def test_it_takes_five_minutes_and_a_third_of_a_sweep(searched: list[Searched]) -> None:
    assert fmean(each.used_s for each in searched) <= 300
    assert max(each.used_s for each in searched) <= BUDGET_S
    assert fmean(each.used_s for each in searched) <= fmean(each.sweep_s for each in searched) / 3


def test_a_queue_that_is_overloaded_goes_on_serving_at_its_full_rate(searched: list[Searched]) -> None:
    assert {each.found.beyond for each in searched} == {"holds"}
