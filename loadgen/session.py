"""One shopper's visit, as scenario code sees it: who it is, what it speaks through, and what it tells the recorder."""

import hashlib
import random
import time
from functools import lru_cache
from typing import Protocol

from gevent.event import Event as Flag
from locust.event import EventHook

from loadgen.addresses import source_address
from loadgen.config import Scenario
from loadgen.gate import host_of, is_loopback
from loadgen.http.client import DEFAULT_TIMEOUTS, SampleRecorder, ShopperClient, Timeouts
from loadgen.records import FUNNEL_STEPS, LedgerLine
from loadgen.runclock import RunClock

_DRAWS = 1 << 64


class SessionCut(BaseException):
    """The run stops: leave the visit. No Exception, so that code that catches those cannot swallow it."""


class SessionRecorder(SampleRecorder, Protocol):
    """What a session tells about itself."""

    @property
    def clock(self) -> RunClock:
        """The time of the run."""

    def session_reached(self, arrival_s: int, segment: str, step: str) -> None:
        """A step of the funnel was reached for the first time."""

    def session_paid(self, arrival_s: int, segment: str, after_s: float) -> None:
        """An order was paid."""

    def attempt(self, line: LedgerLine) -> None:
        """Something was to change at the shop."""


class Session:
    """A shopper from arrival to leaving.

    number: unique within the run; random: this session's own draws, the same for the same seed and number;
    segment: one of the scenario's; source_address: None unless the target is on loopback; client: this shopper's HTTP
    client, whose first request counts from the scheduled instant.
    """

    __slots__ = (
        "_cut",
        "_due_s",
        "_reached",
        "_recorder",
        "abandoned",
        "client",
        "number",
        "random",
        "segment",
        "source_address",
    )

    def __init__(
        self,
        number: int,
        due_s: float,
        *,
        scenario: Scenario,
        target: str,
        recorder: SessionRecorder,
        cut: Flag,
        request_event: EventHook,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
    ) -> None:
        seed = scenario.load.seed
        self.number = number
        self.random = random.Random(f"{seed}/session/{number}")
        self.segment = draw_segment(scenario, number)
        self.source_address = (
            source_address(number, seed, scenario.shoppers.shoppers_per_address) if _is_on_loopback(target) else None
        )
        self.client = ShopperClient(
            target,
            request_event,
            recorder=recorder,
            source_address=self.source_address,
            intended_at=recorder.clock.instant(due_s),
            timeouts=timeouts,
        )
        self.abandoned = False
        self._due_s = due_s
        self._recorder = recorder
        self._cut = cut
        self._reached: tuple[str, ...] = ()

    @property
    def at(self) -> float:
        """Now, in seconds since the epoch on the run's clock, as ledger lines want it."""
        return self._recorder.clock.at

    def think(self, seconds: float) -> None:
        """Wait; raise SessionCut when the run stops before or meanwhile."""
        if self._cut.wait(max(0.0, seconds)):
            raise SessionCut

    def reached(self, step: str) -> None:
        """Note that the visit came to one of records.FUNNEL_STEPS; only the first time counts."""
        if step not in FUNNEL_STEPS:
            raise ValueError(f"{step!r} is not a step of the funnel: {', '.join(FUNNEL_STEPS)}")
        if step in self._reached:
            return
        self._reached += (step,)
        self._recorder.session_reached(self.arrival_s, self.segment, step)
        if step == "paid":
            self._recorder.session_paid(self.arrival_s, self.segment, self._recorder.clock.elapsed_s - self._due_s)

    def attempt(self, line: LedgerLine) -> None:
        """Write an attempt to change something at the shop, whatever became of it, to the ledger."""
        self._recorder.attempt(line)

    def abandon(self) -> None:
        """Note that the shopper's patience ran out; the visit should return next."""
        self.abandoned = True

    @property
    def arrival_s(self) -> int:
        """The second of the run in which the session was to arrive."""
        return int(self._due_s)

    @property
    def lag_us(self) -> int:
        """How long ago the scheduled instant was, in microseconds."""
        late_s = time.monotonic() - self._recorder.clock.instant(self._due_s)
        return max(0, round(late_s * 1_000_000))


def draw_segment(scenario: Scenario, number: int) -> str:
    """The segment of session `number`, also of one that was dropped before it began."""
    digest = hashlib.blake2b(f"{scenario.load.seed}/segment/{number}".encode(), digest_size=8).digest()
    point = int.from_bytes(digest) / _DRAWS
    segments = scenario.shoppers.segments
    for segment, share in segments.items():
        point -= share
        if point < 0.0:
            return segment
    return list(segments)[-1]  # the shares' sum may be 1 less a rounding error


@lru_cache(maxsize=16)
def _is_on_loopback(target: str) -> bool:
    return is_loopback(host_of(target))
