"""Shoppers from arrival to leaving, over real HTTP, without Locust's runner."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import gevent
import pytest
from gevent.event import Event as Flag
from locust.event import EventHook

from loadgen.arrivals import Arrivals, Assignment, ClosedArrivals
from loadgen.config import Load, Scenario, Shoppers
from loadgen.hlog import Tag
from loadgen.pacing import poisson_arrivals
from loadgen.recorder import Recorder
from loadgen.records import LedgerLine
from loadgen.runclock import RunClock
from loadgen.schedule import Arrival, Share
from loadgen.session import Session, SessionCut, draw_segment
from tests.engine.scripted_shop import ScriptedShop, eventually

LOAD = Load(rate_per_s=100.0, duration_s=0.3, seed=5)
SCENARIO = Scenario("tiny", "", "none", None, LOAD, Shoppers(segments={"web": 0.5, "app": 0.5}), (), ())
PLANNED = len(list(poisson_arrivals(LOAD.rate, 5)))


class Visits:
    """One worker's arrivals with a journey of the test's own."""

    def __init__(
        self, target: str, visit: Callable[[Session], Any], kind: type[Arrivals] = Arrivals, **how: object
    ) -> None:
        self.recorder = Recorder(RunClock(time.time()))
        assignment = Assignment(SCENARIO, target, Share(), 1000, self.recorder)
        assignment = replace(assignment, **how)  # type: ignore[arg-type]

        def open_session(arrival: Arrival, cut: Flag) -> Session:
            return Session(
                arrival.number,
                arrival.due_s,
                scenario=assignment.scenario,
                target=target,
                recorder=self.recorder,
                cut=cut,
                request_event=EventHook(),
            )

        self.arrivals = kind(assignment, open_session, visit)
        self._source = gevent.spawn(self.arrivals.run)

    def finish(self) -> Counter[str]:
        """Let everybody come and go; the funnel's sums."""
        last_s = self.recorder.clock.instant(LOAD.duration_s)
        gevent.sleep(max(0.0, last_s - time.monotonic()) + 0.02)
        if isinstance(self.arrivals, ClosedArrivals):
            self.arrivals.close()
        assert self.arrivals.join(5.0)
        self.arrivals.finish()
        self._source.join(1.0)
        assert self._source.ready()
        return self.funnel()

    def funnel(self) -> Counter[str]:
        self.seconds = list(self.recorder.take())
        sums: Counter[str] = Counter()
        for second in self.seconds:
            for (_, segment), counts in second.funnel.items():
                sums.update(counts)
                sums[segment] += counts["arrived_count"]
        return sums


def buy(session: Session) -> None:
    session.client.get("/", name="product")
    session.reached("product")
    session.reached("product")
    session.reached("paid")
    session.attempt(LedgerLine(session.at, "place_order", "ok", session.number))


def test_every_planned_session_begins_and_ends(shop: ScriptedShop) -> None:
    visits = Visits(shop.url, buy)
    funnel = visits.finish()
    assert (funnel["arrived_count"], funnel["finished_count"], shop.count) == (PLANNED, PLANNED, PLANNED)
    assert (funnel["product_count"], funnel["paid_count"]) == (PLANNED, PLANNED)
    segments = Counter(draw_segment(SCENARIO, number) for number in range(PLANNED))
    assert {name: funnel[name] for name in ("web", "app")} == segments
    assert sum(len(second.ledger) for second in visits.seconds) == PLANNED
    assert sum(second.histograms[Tag("schedule_lag", "session", "ok")].count for second in visits.seconds) == PLANNED


def test_the_same_seed_makes_the_same_shoppers(shop: ScriptedShop) -> None:
    seen: list[list[tuple[int, float, str, str | None]]] = [[], []]
    for found in seen:

        def visit(session: Session, found: list[tuple[int, float, str, str | None]] = found) -> None:
            found.append((session.number, session.random.random(), session.segment, session.source_address))

        Visits(shop.url, visit).finish()
        found.sort()
    assert seen[0] == seen[1]
    assert len({draw for _, draw, _, _ in seen[0]}) == PLANNED
    assert all(address and address.startswith("127.") for _, _, _, address in seen[0])


def test_a_target_beyond_loopback_sees_this_machines_own_address() -> None:
    addresses: list[str | None] = []
    Visits("http://203.0.113.7", lambda session: addresses.append(session.source_address)).finish()
    assert set(addresses) == {None}


def test_who_arrives_beyond_the_cap_is_dropped_and_counted(shop: ScriptedShop) -> None:
    visits = Visits(shop.url, lambda session: session.think(0.6), session_cap=3)
    funnel = visits.finish()
    assert (funnel["arrived_count"], funnel["dropped_count"]) == (3, PLANNED - 3)
    assert sum(second.counters["session"]["dropped_count"] for second in visits.seconds) == PLANNED - 3


def test_nobody_arrives_while_the_master_is_silent(shop: ScriptedShop) -> None:
    funnel = Visits(shop.url, buy, may_arrive=lambda: False).finish()
    assert (funnel["arrived_count"], funnel["dropped_count"], shop.count) == (0, PLANNED, 0)


def test_a_cut_ends_thinking_but_finishes_the_request_in_flight(shop: ScriptedShop) -> None:
    def visit(session: Session) -> None:
        session.client.get("/slow/0.4", name="product")
        session.think(60)

    visits = Visits(shop.url, visit)
    eventually(lambda: shop.count == PLANNED)
    visits.arrivals.cut()
    funnel = visits.finish()
    assert (funnel["arrived_count"], funnel["cut_count"]) == (PLANNED, PLANNED)
    assert sum(second.counters["product"]["request_count"] for second in visits.seconds) == PLANNED
    assert sum(second.counters["product"]["failed_count"] for second in visits.seconds) == 0


def test_journeys_cannot_swallow_a_cut(shop: ScriptedShop) -> None:
    def stubborn(session: Session) -> None:
        while True:
            try:
                session.think(60)
            except Exception:
                continue

    visits = Visits(shop.url, stubborn)
    eventually(lambda: visits.arrivals.in_progress_count == PLANNED)
    visits.arrivals.cut()
    assert visits.finish()["cut_count"] == PLANNED
    assert not issubclass(SessionCut, Exception)


def test_a_visit_that_yields_its_pauses_holds_no_greenlet(shop: ScriptedShop) -> None:
    leaving: list[int] = []
    greenlets: list[gevent.Greenlet] = []

    def visit(session: Session) -> Iterator[float]:
        greenlets.append(gevent.getcurrent())
        try:
            session.client.get("/", name="product")
            yield 0.05
            greenlets.append(gevent.getcurrent())
            session.client.get("/", name="product")
            yield 60.0
        finally:
            leaving.append(session.number)

    visits = Visits(shop.url, visit)
    eventually(lambda: shop.count == 2 * PLANNED)
    eventually(lambda: len(greenlets) == 2 * PLANNED and all(greenlet.dead for greenlet in greenlets))
    assert visits.arrivals.in_progress_count == PLANNED
    visits.arrivals.cut()
    assert visits.finish()["cut_count"] == PLANNED
    assert sorted(leaving) == list(range(PLANNED))


def test_a_visit_that_yields_to_its_end_has_finished(shop: ScriptedShop) -> None:
    def visit(session: Session) -> Iterator[float]:
        yield 0.0
        session.client.get("/", name="product")
        if session.number % 2:
            session.abandon()

    funnel = Visits(shop.url, visit).finish()
    assert (funnel["finished_count"], funnel["abandoned_count"]) == (PLANNED - PLANNED // 2, PLANNED // 2)


def test_the_closed_model_keeps_as_many_shoppers_as_it_has_users(shop: ScriptedShop) -> None:
    most = [0]

    def visit(session: Session) -> Iterator[float]:
        most[0] = max(most[0], visits.arrivals.in_progress_count)
        yield 0.02

    load = replace(LOAD, model="closed", users=7)
    visits = Visits(shop.url, visit, scenario=replace(SCENARIO, load=load), kind=ClosedArrivals)
    funnel = visits.finish()
    assert most == [7]
    assert funnel["arrived_count"] == funnel["finished_count"] > 2 * 7
    assert funnel["late_count"] == 0


def test_a_closed_door_lets_those_inside_finish(shop: ScriptedShop) -> None:
    visits = Visits(shop.url, lambda session: session.think(0.2))
    eventually(lambda: visits.arrivals.in_progress_count > 0)
    visits.arrivals.close()
    funnel = visits.finish()
    assert 0 < funnel["arrived_count"] < PLANNED
    assert funnel["finished_count"] == funnel["arrived_count"]


def test_a_shopper_who_gives_up_has_abandoned(shop: ScriptedShop) -> None:
    funnel = Visits(shop.url, lambda session: session.abandon()).finish()
    assert (funnel["abandoned_count"], funnel["finished_count"]) == (PLANNED, 0)


def test_broken_journeys_are_cut_sessions_with_one_warning(
    shop: ScriptedShop, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(session: Session) -> None:
        with session.client.get("/", name="product", catch_response=True):
            raise KeyError("price")

    visits = Visits(shop.url, broken)
    funnel = visits.finish()
    assert funnel["cut_count"] == PLANNED
    assert sum(second.counters["product"]["failed_content_count"] for second in visits.seconds) == PLANNED
    [warning] = [event for second in visits.seconds for event in second.events]
    assert str(warning.detail["message"]).startswith("a session's code failed: KeyError: 'price' (test_sessions.py:")


def test_a_step_that_the_funnel_does_not_have_is_refused(shop: ScriptedShop) -> None:
    problems: list[str] = []

    def lost(session: Session) -> None:
        try:
            session.reached("till")
        except ValueError as error:
            problems.append(str(error))

    Visits(shop.url, lost).finish()
    assert set(problems) == {"'till' is not a step of the funnel: product, cart, checkout, payment, paid"}


def test_another_rate_changes_how_many_arrive(shop: ScriptedShop) -> None:
    visits = Visits(shop.url, buy)
    visits.arrivals.set_rate(0.0, 0.0)
    assert visits.finish()["arrived_count"] == 0
