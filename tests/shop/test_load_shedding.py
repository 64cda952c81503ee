"""A shop that is asked for more than it can do stays quick for those it lets in; one that is not refuses nobody.

The shop of these tests has a processor, three database connections, and a payment provider that takes its time; all in
virtual time. Its capacity follows from its numbers.
"""

import asyncio
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_shop.admission import Admission
from reference_shop.protections.load_shedding import DelayLimit, LoadShedding
from reference_shop.web.kinds import page_kind
from tests.shop import virtual_time
from tests.shop.asgi import Kitchen, Visit, ask, ok, refuse, scope_of, turns

CONNECTIONS = 3
HASHING_S = 0.05
REQUESTS = {"/product/7": 0.78, "/cart": 0.14, "/login": 0.02, "/checkout": 0.03, "/checkout/payment": 0.03}
PATHS, WEIGHTS = list(REQUESTS), list(REQUESTS.values())


def stall(seconds: float) -> None:
    """Let time pass in which nothing can run."""
    cast("Any", asyncio.get_running_loop())._leaping.now += seconds


@dataclass
class ModelShop:
    """Each request takes the processor for `processor_s` and a connection for `query_s`; without it, no connection.

    Other programs take `stolen` times as much of the processor as this one.
    """

    processor_s: float
    query_s: float
    provider_s: float = 0.08
    stolen: float = 0.0
    processor_time_s: float = 0.0
    _connections: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONNECTIONS))
    _line: dict[object, float] = field(default_factory=dict)

    @property
    def capacity_per_s(self) -> float:
        return min(1 / (self.processor_s * (1 + self.stolen)), CONNECTIONS / self.query_s if self.query_s else math.inf)

    def longest_wait_s(self) -> float:
        return virtual_time.now() - next(iter(self._line.values())) if self._line else 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._work(self.processor_s / 2)
        if self.query_s:
            await self._query()
        if scope["path"] == "/login":
            await asyncio.sleep(HASHING_S)
        if scope["path"] == "/checkout/payment":
            await asyncio.sleep(self.provider_s)
        self._work(self.processor_s / 2)
        await ok(scope, receive, send)

    def _work(self, seconds: float) -> None:
        stall(seconds * (1 + self.stolen))
        self.processor_time_s += seconds

    async def _query(self) -> None:
        ticket = object()
        self._line[ticket] = virtual_time.now()
        async with self._connections:
            del self._line[ticket]
            await asyncio.sleep(self.query_s)


PROCESSOR_ALONE = (0.004, 0.0)
BUSY_PROCESSOR = (0.004, 0.003)
BUSY_DATABASE = (0.0005, 0.012)


@dataclass
class Guarded:
    """A model shop behind its places, with shedding or without."""

    shop: ModelShop
    app: ASGIApp
    limit: DelayLimit


def guarded(
    processor_s: float, query_s: float, *, sheds: bool = True, provider_s: float = 0.08, concurrency: int = 40
) -> Guarded:
    shop = ModelShop(processor_s, query_s, provider_s)
    admission = Admission(shop, refuse, concurrency=concurrency, clock=virtual_time.now)
    limit = DelayLimit(least=concurrency // 5, most=6.0 * concurrency)
    if not sheds:
        return Guarded(shop, admission, limit)
    waits_s = (lambda: admission.longest_wait_s, shop.longest_wait_s)
    shedding = LoadShedding(
        admission,
        refuse,
        limit,
        kind_of=page_kind,
        waits_s=waits_s,
        clock=virtual_time.now,
        processor_clock=lambda: shop.processor_time_s,
    )
    return Guarded(shop, shedding, limit)


@dataclass
class Crowd:
    """Everybody who asked since the last `forget`."""

    guarded: Guarded
    rng: random.Random
    answers: list[tuple[str, int, float]] = field(default_factory=list)

    async def come(self, share_of_capacity: float, seconds: float, paths: list[str] = PATHS) -> None:
        """Ask at random instants, at this rate on the mean; return when all are answered."""
        rate = share_of_capacity * self.guarded.shop.capacity_per_s
        instant = virtual_time.now()
        ends_at = instant + seconds
        weights = [REQUESTS[path] for path in paths]
        async with asyncio.TaskGroup() as group:
            while (instant := instant + self.rng.expovariate(rate)) < ends_at:
                if instant > virtual_time.now():
                    await asyncio.sleep(instant - virtual_time.now())
                group.create_task(self._ask(self.rng.choices(paths, weights)[0], instant))

    async def _ask(self, path: str, instant: float) -> None:
        visit = await ask(self.guarded.app, path, "POST" if path in {"/login", "/checkout/payment"} else "GET")
        self.answers.append((path, visit.status, virtual_time.now() - instant))

    def forget(self) -> None:
        self.answers.clear()

    @property
    def refused_count(self) -> int:
        return sum(status == 503 for _, status, _ in self.answers)

    def admitted_ratio(self, path: str) -> float:
        statuses = Counter(status for asked, status, _ in self.answers if asked == path)
        return statuses[200] / statuses.total()

    def p95_s(self, path: str) -> float:
        times = sorted(time for asked, status, time in self.answers if asked == path and status == 200)
        return times[int(0.95 * len(times))]


@pytest.mark.parametrize("bottleneck", [PROCESSOR_ALONE, BUSY_PROCESSOR, BUSY_DATABASE])
@pytest.mark.parametrize("seed", range(3))
def test_steady_load_below_capacity_is_served_to_the_last_request(seed: int, bottleneck: tuple[float, float]) -> None:
    async def story() -> None:
        crowd = Crowd(guarded(*bottleneck), random.Random(seed))
        await crowd.come(0.8, seconds=20)
        assert crowd.refused_count == 0

    virtual_time.run(story())


def test_a_slow_provider_and_slow_logins_are_no_overload() -> None:
    async def story() -> None:
        crowd = Crowd(guarded(*BUSY_PROCESSOR, provider_s=5.0), random.Random(1))
        await crowd.come(0.6, seconds=20)
        assert crowd.refused_count == 0
        crowd.forget()
        await crowd.come(0.05, 5, ["/login", "/checkout/payment"])
        assert crowd.refused_count == 0

    virtual_time.run(story())


def test_a_burst_that_the_shop_can_swallow_is_no_overload() -> None:
    async def story() -> None:
        crowd = Crowd(guarded(*BUSY_PROCESSOR), random.Random(1))
        for _ in range(5):
            async with asyncio.TaskGroup() as group:
                for _ in range(50):
                    group.create_task(crowd._ask("/product/7", virtual_time.now()))
            await asyncio.sleep(1)
        assert crowd.refused_count == 0

    virtual_time.run(story())


@pytest.mark.parametrize(("every_s", "stall_s"), [(0.2, 0.1), (2.0, 0.3)])
def test_a_processor_that_is_taken_away_now_and_then_is_no_overload(every_s: float, stall_s: float) -> None:
    async def story() -> None:
        crowd = Crowd(guarded(*PROCESSOR_ALONE), random.Random(1))

        async def others() -> None:
            while True:
                await asyncio.sleep(every_s)
                stall(stall_s)

        stalling = asyncio.create_task(others())
        await crowd.come(0.35, seconds=20)
        stalling.cancel()
        assert crowd.refused_count == 0

    virtual_time.run(story())


def test_a_processor_of_which_others_have_most_is_no_overload_while_it_does_all_there_is_to_do() -> None:
    async def story() -> None:
        crowd = Crowd(guarded(*PROCESSOR_ALONE), random.Random(1))
        crowd.guarded.shop.stolen = 3.0
        await crowd.come(0.9, seconds=60)
        assert crowd.refused_count == 0

    virtual_time.run(story())


@pytest.mark.parametrize("bottleneck", [PROCESSOR_ALONE, BUSY_PROCESSOR, BUSY_DATABASE])
@pytest.mark.parametrize("seed", range(3))
def test_under_three_times_its_capacity_a_shop_stays_quick_and_sells(
    seed: int, bottleneck: tuple[float, float]
) -> None:
    async def story(*, sheds: bool) -> Crowd:
        crowd = Crowd(guarded(*bottleneck, sheds=sheds), random.Random(seed))
        await crowd.come(0.5, seconds=2)
        overloaded = asyncio.create_task(crowd.come(3, seconds=8))
        await asyncio.sleep(2)
        crowd.forget()
        await overloaded
        return crowd

    without, protected = virtual_time.run(story(sheds=False)), virtual_time.run(story(sheds=True))
    assert without.p95_s("/product/7") > 0.4
    assert protected.p95_s("/product/7") < 0.25
    assert protected.p95_s("/checkout") < 0.25
    assert without.admitted_ratio("/checkout") < 0.5
    assert protected.admitted_ratio("/checkout") > 0.9
    assert protected.admitted_ratio("/checkout/payment") > 0.9
    assert protected.admitted_ratio("/checkout") > protected.admitted_ratio("/product/7") + 0.5


def test_what_is_served_under_overload_is_nearly_as_much_as_ever() -> None:
    async def story() -> None:
        crowd = Crowd(guarded(*BUSY_DATABASE), random.Random(1))
        await crowd.come(3, seconds=10)
        served_per_s = (len(crowd.answers) - crowd.refused_count) / 10
        assert served_per_s > 0.95 * crowd.guarded.shop.capacity_per_s

    virtual_time.run(story())


@pytest.mark.parametrize("bottleneck", [PROCESSOR_ALONE, BUSY_PROCESSOR, BUSY_DATABASE])
def test_when_the_overload_is_over_nobody_is_refused_any_more(bottleneck: tuple[float, float]) -> None:
    async def story() -> None:
        crowd = Crowd(guarded(*bottleneck), random.Random(1))
        await crowd.come(3, seconds=5)
        assert crowd.refused_count > 0
        await crowd.come(0.6, seconds=1)
        crowd.forget()
        await crowd.come(0.6, seconds=20)
        assert crowd.refused_count == 0

    virtual_time.run(story())


def test_the_more_a_request_matters_the_more_of_the_limit_it_may_use() -> None:
    async def story() -> None:
        kitchen = Kitchen()
        shedding = _with_limit(20, kitchen, virtual_time.now)
        bot = [(b"user-agent", b"Mozilla/5.0 (compatible; Googlebot/2.1)")]
        most: dict[str, int] = {}
        tasks = []
        for kind, path, headers in (
            ("bot", "/product/{}", bot),
            ("browsing", "/product/{}", []),
            ("cart", "/cart/{}", []),
            ("checkout", "/checkout/{}", []),
        ):
            while True:
                visit = Visit(scope_of(path.format(len(kitchen.guests)), headers=headers))
                tasks.append(visit.start(shedding))
                await turns()
                if visit.status == 503:
                    break
            most[kind] = len(kitchen.guests)
        assert most == {"bot": 10, "browsing": 14, "cart": 17, "checkout": 20}
        assert shedding.refused_count == 4
        for path in list(kitchen.guests):
            await kitchen.serve(path)
        await asyncio.gather(*tasks)
        assert shedding.present == 0

    virtual_time.run(story())


def test_operators_are_never_refused_and_payments_in_progress_refuse_nobody() -> None:
    async def story() -> None:
        kitchen = Kitchen()
        shedding = _with_limit(2, kitchen, virtual_time.now)
        visits = [Visit(scope_of("/checkout/payment", "POST")) for _ in range(3)]
        tasks = [visit.start(shedding) for visit in visits]
        await turns()
        assert shedding.present == 0
        visits += [Visit(scope_of(path)) for path in ("/product/1", "/cart", "/product/3", "/readyz")]
        tasks += [visit.start(shedding) for visit in visits[3:]]
        await turns()
        assert list(kitchen.guests) == ["/checkout/payment", "/product/1", "/cart", "/readyz"]
        assert [visit.status for visit in visits[3:]] == [0, 0, 503, 0]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    virtual_time.run(story())


def _with_limit(value: float, app: ASGIApp, clock: Callable[[], float]) -> LoadShedding:
    return LoadShedding(app, refuse, DelayLimit(least=2, most=value), kind_of=page_kind, waits_s=(), clock=clock)


def observe_interval(limit: DelayLimit, begins: float, delays: list[float], arrived: int = 1) -> None:
    """Take samples a millisecond apart, a hundred requests being present."""
    for number, delay in enumerate(delays):
        limit.observe(begins + number * 0.001, delay, arrived, 100)


def limit_with(least: float = 10) -> DelayLimit:
    limit = DelayLimit(least=least, most=500, target_s=0.02, interval_s=0.25)
    limit.observe(-0.3, 0.0, 1, 1)
    limit.observe(-0.25, 0.0, 1, 1)
    return limit


def test_the_limit_is_cut_in_proportion_to_the_excess_of_a_delay_that_stood_for_an_interval() -> None:
    limit = limit_with()
    observe_interval(limit, 0.0, [0.025] * 20)
    assert limit.value == 500
    limit.observe(0.25, 0.025, 1, 100)
    assert limit.value == 80


def test_one_cut_halves_the_limit_at_most_and_never_goes_below_the_least() -> None:
    limit = limit_with(least=30)
    observe_interval(limit, 0.0, [9.0] * 20)
    observe_interval(limit, 0.25, [9.0] * 20)
    assert limit.value == 50
    limit.observe(0.5, 0.0, 1, 100)
    assert limit.value == 30


@pytest.mark.parametrize(
    ("delays", "arrived"),
    [([0.5] * 19 + [0.0], 1), ([0.5] * 4, 2), ([0.5], 50)],
    ids=["one found no queue", "few came", "one stall kept many"],
)
def test_the_limit_stays_while_no_queue_is_known_to_stand(delays: list[float], arrived: int) -> None:
    limit = limit_with()
    observe_interval(limit, 0.0, delays, arrived)
    limit.observe(0.25, 0.0, 1, 100)
    assert limit.value == 500


def test_the_limit_rises_by_a_tenth_each_quarter_of_a_second_also_while_nobody_comes() -> None:
    limit = limit_with()
    observe_interval(limit, 0.0, [9.0] * 20)
    observe_interval(limit, 0.25, [0.0] * 20)
    assert limit.value == 50
    observe_interval(limit, 0.5, [0.0] * 20)
    assert limit.value == pytest.approx(56)
    observe_interval(limit, 1.0, [0.0] * 20)
    assert limit.value == pytest.approx((56 * 1.1 + 1) * 1.1)
    limit.observe(3600.0, 0.0, 1, 1)
    assert limit.value == 500


def test_a_turn_that_takes_longer_than_an_interval_is_no_quiet_time() -> None:
    limit = limit_with()
    observe_interval(limit, 0.0, [0.04] * 20)
    limit.observe(3.0, 3.0, 1, 100)
    assert limit.value == 50
