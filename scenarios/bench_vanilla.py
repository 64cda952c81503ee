"""The same sessions as in bench_door.py, number by number, on Locust's fast client and as users of plain Locust."""

import os
import time
from collections.abc import Iterator
from itertools import count
from typing import ClassVar, cast

import gevent
from gevent.event import Event as Flag
from locust import User, task
from locust.env import Environment

from loadgen.bench.fast_client import FastClient
from loadgen.bench.meter import SCENARIO_VARIABLE, Meter, own_target, tape_length
from loadgen.config import load_scenario
from loadgen.http.client import ShopperClient
from loadgen.http.response import ShopperResponse
from loadgen.records import LedgerLine
from loadgen.runclock import RunClock
from loadgen.session import Session
from scenarios.shop_visits import ShopVisits

_LONG_S = 3600.0


class Nowhere:
    """Records nothing: Locust keeps its own table."""

    def __init__(self) -> None:
        self.clock = RunClock(time.time())

    def on_response(self, response: ShopperResponse) -> None:
        """Count one."""

    def session_reached(self, arrival_s: int, segment: str, step: str) -> None:
        """A step of the funnel was reached for the first time."""

    def session_paid(self, arrival_s: int, segment: str, after_s: float) -> None:
        """An order was paid."""

    def attempt(self, line: LedgerLine) -> None:
        """Something was to change at the shop."""

    def safety_checked(self, check: str, count: int = 1) -> None:
        """Answers were looked at for leaks."""

    def leak(
        self, check: str, *, url: str, page_kind: str, cache_status: str, cache_control: str, key: str, told: str
    ) -> None:
        """A leak was found."""


class FastShopper(User):
    """One visit after the other, until as many as were ordered have begun."""

    numbers: ClassVar[Iterator[int]] = count()
    meter: ClassVar[Meter | None] = None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        total = environment.stats.total
        self._scenario = load_scenario(os.environ[SCENARIO_VARIABLE])
        if FastShopper.meter is None:
            FastShopper.meter = Meter.from_environment(lambda: (total.num_requests, total.num_failures))
        self._meter = FastShopper.meter

    @task
    def shop(self) -> None:
        """One shopper, from the first page to leaving."""
        number = next(self.numbers)
        if number >= self._meter.session_count:
            gevent.sleep(_LONG_S)
        session = self._session(number % tape_length())
        self._meter.begin()
        for pause_s in ShopVisits(self._scenario).visit(session):
            gevent.sleep(pause_s)
        session.client.close()
        self._meter.end()

    def _session(self, number: int) -> Session:
        events, target = self.environment.events, own_target(self.host or "", number)
        session = Session(
            number,
            0.0,
            scenario=self._scenario,
            target=target,
            recorder=Nowhere(),
            cut=Flag(),
            request_event=events.request,
        )
        session.client = cast(ShopperClient, FastClient(target, events.request))
        return session
