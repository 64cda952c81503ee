"""One shopper's visit, as scenario code sees it: who it is, what it speaks through, and what it tells the recorder."""

import hashlib
import random
import time
from functools import lru_cache
from typing import ClassVar, Protocol

from gevent.event import Event as Flag
from locust.event import EventHook

from loadgen.addresses import source_address
from loadgen.config import Scenario
from loadgen.gate import host_of, is_loopback
from loadgen.http.client import DEFAULT_TIMEOUTS, SampleRecorder, ShopperClient, Timeouts
from loadgen.presence import point_of_presence
from loadgen.records import FUNNEL_STEPS, SAFETY_CHECKS, LedgerLine
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

    def safety_checked(self, check: str, count: int = 1) -> None:
        """Answers were looked at for leaks."""

    def leak(
        self, check: str, *, url: str, page_kind: str, cache_status: str, cache_control: str, key: str, told: str
    ) -> None:
        """A leak was found."""


class Session:
    """A shopper from arrival to leaving.

    number: unique within the run; random: this session's own draws, the same for the same seed and number;
    segment: one of the scenario's; target: the base URL that it speaks to, of several points of presence its own;
    source_address: None unless the target is on loopback; client: this shopper's HTTP client, whose first request
    counts from the scheduled instant.
    """

    points_of_presence: ClassVar[tuple[str, ...]] = ()  # of this process's run; sessions of one are spread over all

    __slots__ = (
        "_began_at",
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
        "target",
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
        self.target = point_of_presence(self._points_beside(target), seed, number)
        self.source_address = (
            source_address(number, seed, scenario.shoppers.shoppers_per_address)
            if _is_on_loopback(self.target)
            else None
        )
        self.client = ShopperClient(
            self.target,
            request_event,
            recorder=recorder,
            source_address=self.source_address,
            intended_at=recorder.clock.instant(due_s),
            timeouts=timeouts,
        )
        self.abandoned = False
        self._began_at = time.monotonic()
        self._due_s = due_s
        self._recorder = recorder
        self._cut = cut
        self._reached: tuple[str, ...] = ()

    @classmethod
    def _points_beside(cls, target: str) -> tuple[str, ...]:
        return cls.points_of_presence if target in cls.points_of_presence else (target,)

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

    def safety_checked(self, check: str, count: int = 1) -> None:
        """Note that answers were looked at for what one of records.SAFETY_CHECKS looks for."""
        self._recorder.safety_checked(_known(check), count)

    def leak(
        self, check: str, *, url: str, page_kind: str, cache_status: str, cache_control: str, key: str, told: str
    ) -> None:
        """Raise an alarm: a check found something that nobody but one visitor should see, or that nobody asked for.

        `url` is path and query, `key` the same with the host before it; `told` is a sentence without secret or cookie.
        """
        self._recorder.leak(
            _known(check),
            url=url,
            page_kind=page_kind,
            cache_status=cache_status,
            cache_control=cache_control,
            key=key,
            told=told,
        )

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

    @property
    def stay_us(self) -> int:
        """How long ago the session began, in microseconds."""
        return round((time.monotonic() - self._began_at) * 1_000_000)


def _known(check: str) -> str:
    if check not in SAFETY_CHECKS:
        raise ValueError(f"{check!r} is not a check of safety: {', '.join(SAFETY_CHECKS)}")
    return check


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
