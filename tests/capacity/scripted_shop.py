"""A shop that shows by its rate, and the seconds of the step, exactly what a test says; no queue, no chance."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from lonjak.capacity.observation import Second, Share
from lonjak.capacity.search import Search, SearchPlan, Step

P95 = Share("p95", 0.05)
Shows: TypeAlias = Callable[[float, int], Second]


def second(rate_per_s: float, elapsed_s: int, bad_ratio: float = 0.0) -> Second:
    """A second with 10 requests a session, of which a share is bad."""
    count = max(1, round(10 * rate_per_s))
    return Second(
        elapsed_s=elapsed_s,
        offered_per_s=rate_per_s,
        generator_bound=False,
        shares={P95.name: (round(bad_ratio * count), count)},
        levels={},
        goodput_per_s=count * (1 - bad_ratio),
        response_time_s=0.01,
    )


def holding_until(capacity_per_s: float) -> Shows:
    """A cliff: nothing is bad up to the capacity, half of everything beyond it."""
    return lambda rate, elapsed: second(rate, elapsed, 0.0 if rate <= capacity_per_s else 0.5)


def bound_from(ceiling_per_s: float, shows: Shows) -> Shows:
    """The same shop behind a generator that is the limit from a rate on."""
    return lambda rate, elapsed: replace(shows(rate, elapsed), generator_bound=rate >= ceiling_per_s)


@dataclass(frozen=True, slots=True)
class Walk:
    """A search that has ended: all steps that it asked for, draining ones too, and how many seconds it was told of."""

    search: Search
    asked: tuple[Step, ...]
    told_s: int


def walk(plan: SearchPlan, shows: Shows) -> Walk:
    """Feed a search until it ends."""
    search, asked, told_s, elapsed_s = Search(plan), [], 0, 0
    while (step := search.step) is not None:
        if not asked or asked[-1] is not step:
            asked.append(step)
        new = search.observe(shows(step.rate_per_s, elapsed_s))
        elapsed_s, told_s = 0 if new is not None else elapsed_s + 1, told_s + 1
        assert told_s <= 100_000
    return Walk(search, tuple(asked), told_s)
