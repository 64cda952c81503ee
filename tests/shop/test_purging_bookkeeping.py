"""What the purger remembers: entries that commit late, products that are due again, caches that are away."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from reference_shop.purging.door import Purged
from reference_shop.purging.follow import PATIENCE_S, Echoes, Seen
from reference_shop.purging.station import GIVE_UP_S, Station
from tests.shop import virtual_time


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_entries_that_were_left_out_are_awaited_until_they_appear() -> None:
    seen = Seen(10, Clock())
    seen.note([11, 14])
    assert (seen.up_to, seen.awaited()) == (14, [12, 13])
    seen.note([12, 15])
    assert (seen.up_to, seen.awaited()) == (15, [13])


def test_what_was_rolled_back_is_not_awaited_for_ever() -> None:
    clock = Clock()
    seen = Seen(0, clock)
    seen.note([2])
    clock.now = 30.0
    seen.note([4])
    clock.now = PATIENCE_S
    assert seen.awaited() == [3]
    clock.now = 30.0 + PATIENCE_S
    assert seen.awaited() == []


def test_a_leap_of_the_numbers_is_awaited_in_part_only() -> None:
    seen = Seen(0, Clock())
    seen.note([1, 10**9])
    assert seen.awaited() == list(range(10**9 - 10_000, 10**9))
    seen.note([10**9 + 10])
    assert len(seen.awaited()) == 10_000
    assert seen.awaited()[-1] == 10**9 + 9


def test_a_product_is_due_again_once_after_its_last_change() -> None:
    clock = Clock()
    echoes = Echoes(1.25, clock)
    echoes.note({7, 8})
    clock.now = 1.0
    echoes.note({7})
    clock.now = 1.25
    assert echoes.due() == {8}
    clock.now = 2.24
    assert echoes.due() == set()
    clock.now = 2.25
    assert echoes.due() == {7}
    assert echoes.due() == set()


def test_nothing_is_due_again_where_nothing_is_remembered() -> None:
    clock = Clock()
    echoes = Echoes(None, clock)
    echoes.note({7})
    clock.now = 1000.0
    assert echoes.due() == set()


Answer = Callable[[Sequence[int]], Purged]


def purging_all(product_ids: Sequence[int]) -> Purged:
    return Purged(done=set(product_ids))


def saying_nothing(product_ids: Sequence[int]) -> Purged:
    return Purged(unanswered=set(product_ids), problem="connection refused")


@dataclass
class Cache:
    """Notes when it was asked to purge what; each answer takes `takes_s`."""

    answer: Answer = purging_all
    takes_s: float = 0.0
    asked: list[tuple[float, list[int]]] = field(default_factory=list)

    async def purge(self, product_ids: Sequence[int]) -> Purged:
        self.asked.append((round(virtual_time.now(), 3), sorted(product_ids)))
        await asyncio.sleep(self.takes_s)
        return self.answer(product_ids)


def play(caches: Sequence[Cache], story: Callable[[Station], Coroutine[Any, Any, None]]) -> None:
    """Tell a story to the first of some stations at work, in virtual time."""

    async def run() -> None:
        stations: list[Station] = []
        for cache in reversed(caches):
            stations.insert(0, Station("cache", cache.purge, stations[0] if stations else None, virtual_time.now))
        work = [asyncio.create_task(station.keep_purging()) for station in stations]
        await story(stations[0])
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)

    virtual_time.run(run())


def test_a_cache_nearer_to_the_shoppers_is_purged_after_the_one_behind_it() -> None:
    shield, pop = Cache(takes_s=0.2), Cache()

    async def story(first: Station) -> None:
        first.add([7, 8])
        await asyncio.sleep(1)

    play([shield, pop], story)
    assert (shield.asked, pop.asked) == ([(0.0, [7, 8])], [(0.2, [7, 8])])


def test_what_comes_while_a_batch_is_purged_is_one_batch() -> None:
    cache = Cache(takes_s=0.5)

    async def story(first: Station) -> None:
        for product_id in (1, 2, 2, 3, 2):
            first.add([product_id])
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)

    play([cache], story)
    assert cache.asked == [(0.0, [1]), (0.5, [2, 3])]


def test_a_silent_cache_is_asked_again_at_growing_intervals_and_then_for_all_at_once() -> None:
    cache = Cache(saying_nothing)

    async def story(first: Station) -> None:
        first.add([1])
        await asyncio.sleep(0.05)
        first.add([2])
        await asyncio.sleep(2)
        cache.answer = purging_all
        await asyncio.sleep(2)

    play([cache], story)
    assert cache.asked == [(at, [1, 2] if at else [1]) for at in (0.0, 0.1, 0.3, 0.7, 1.5, 2.5)]


def test_a_silent_cache_holds_up_no_other_and_what_it_missed_goes_on_once_more() -> None:
    shield, pop = Cache(saying_nothing), Cache()

    async def story(first: Station) -> None:
        first.add([1])
        await asyncio.sleep(0.05)
        first.add([2])
        await asyncio.sleep(0.1)
        shield.answer = purging_all
        await asyncio.sleep(2)

    play([shield, pop], story)
    assert shield.asked == [(0.0, [1]), (0.1, [1, 2]), (0.3, [1, 2])]
    assert pop.asked == [(0.0, [1]), (0.05, [2]), (0.3, [1, 2])]


def test_what_a_cache_refuses_is_asked_for_again_and_holds_up_nothing() -> None:
    refused = {1}
    cache = Cache(lambda ids: Purged(done=set(ids) - refused, refused=set(ids) & refused, problem="502"))

    async def story(first: Station) -> None:
        first.add([1, 2])
        await asyncio.sleep(0.1)
        first.add([3])
        await asyncio.sleep(1.5)
        refused.clear()
        await asyncio.sleep(2)

    play([cache], story)
    assert cache.asked == [(0.0, [1, 2]), (0.1, [3]), (1.0, [1]), (2.0, [1])]


def test_a_cache_that_stays_away_is_given_up_for_what_was_due_long_ago() -> None:
    cache = Cache(saying_nothing)

    async def story(first: Station) -> None:
        first.add([1])
        await asyncio.sleep(GIVE_UP_S - 10)
        first.add([2])
        await asyncio.sleep(15)
        cache.answer = purging_all
        await asyncio.sleep(5)

    play([cache], story)
    assert cache.asked[-1][1] == [2]
    assert max(at for at, ids in cache.asked if 1 in ids) == pytest.approx(GIVE_UP_S, abs=1.1)


def test_what_is_due_is_bounded_however_much_changes() -> None:
    cache = Cache(saying_nothing)

    async def story(first: Station) -> None:
        first.add([1])
        await asyncio.sleep(0.01)
        first.add(range(100_000))
        cache.answer = purging_all
        await asyncio.sleep(1)

    play([cache], story)
    assert cache.asked[-1][1] == list(range(80_000, 100_000))
