"""What one worker counts: the engine's samples of requests and the sessions' own words, second by second.

Our own client hands in its responses (`on_response`); any other client's samples come through Locust's `request` event
(`on_request`); sessions call the other methods. Everything is counted into the current second and taken once a second
by worker.py, which sends it to the master. Nothing here waits or encodes.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol

from loadgen.batch import Second
from loadgen.cache_headers import cache_status, header, is_shared
from loadgen.cells import LATE_US, Cell, Traits
from loadgen.failures import failure_class
from loadgen.histogram import HIGHEST_US
from loadgen.hlog import Tag
from loadgen.http.response import ShopperResponse
from loadgen.page_kinds import MOST_KINDS, SESSION, PageKinds
from loadgen.records import Event, Json, LedgerLine
from loadgen.runclock import RunClock

Ending = Literal["finished", "abandoned", "cut"]
_BUCKETS_PER_PIECE = 1000  # of a Second that is handed over in pieces, so that the loop is never held up for long
_READ_ONLY = ("GET", "HEAD")
_SCHEDULE_LAG = Tag("schedule_lag", SESSION, "ok")


class Table(Protocol):
    """Locust's own statistics."""

    def add(self, cell: Cell, second_at: float) -> None:
        """Take in the samples of the second that began at `second_at`, in seconds since the epoch."""


class Audience(Protocol):
    """Others who listen to Locust's `request` event."""

    def tell(self, response: ShopperResponse) -> None:
        """Let them hear of a sample."""


class Recorder:
    """Counts into seconds; all methods are for greenlets of one thread."""

    def __init__(self, clock: RunClock, table: Table | None = None, audience: Audience | None = None) -> None:
        self.clock = clock
        self._table = table
        self._audience = audience
        self._kinds = PageKinds()
        self._warned: set[str] = set()
        self._seconds: dict[int, Second] = {}
        self._cells: dict[Traits, Cell] = {}  # of the current second
        self._shortcuts: dict[tuple[object, ...], Cell] = {}  # to them, by what a response shows without a closer look
        self._cells_by_second: dict[int, dict[Traits, Cell]] = {}
        self._turns_at = 0.0

    def on_response(self, response: ShopperResponse) -> None:
        """Count a finished sample of our own client."""
        if response.ended_at >= self._turns_at:
            self._turn()
        exception = response.exception
        failure = None if exception is None else failure_class(exception, response.status_code)
        key = (
            response.name,
            response.method,
            failure,
            response.status_code,
            response.cache_status,
            response.cache_control,
            response.sets_cookie,
        )
        cell = self._shortcuts.get(key)
        if cell is None:
            cell = self._shortcuts[key] = self._cell(_traits(response, failure))
        cell.add(response.service_us, response.ttfb_us, response.lag_us, response.body_bytes)
        if response.connect_us:
            cell.add_connect(response.connect_us, response.tls_us)
        if exception is not None:
            cell.errors.append(repr(exception))  # itself it would keep whole frames alive
        if self._audience is not None:
            self._audience.tell(response)

    def on_request(
        self,
        *,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int | None,
        exception: BaseException | None = None,
        response: Any = None,
        **_ignored: object,
    ) -> None:
        """Count one sample of Locust's `request` event, times in milliseconds, of a client that is not ours."""
        headers, status = getattr(response, "headers", None) or {}, getattr(response, "status_code", None) or 0
        traits = Traits(
            name=name,
            method=request_type,
            failure=None if exception is None else failure_class(exception, status),
            answered=status > 0,
            cached=cache_status(header(headers, "cache-status")),
            cacheable=request_type in _READ_ONLY and 0 < status < 400 and _may_be_shared(headers),
            ours=False,
        )
        self._turn()
        cell = self._cell(traits)
        size = _received_bytes(headers, response_length)
        if response_time is None or not math.isfinite(response_time):
            cell.add_untimed(size)
            return
        if response_time < 0:
            self.warn_once("times below 0 were counted as 0")
        first_byte = getattr(response, "elapsed", None)
        service_us = max(0, round(response_time * 1000))
        ttfb_us = round(first_byte.total_seconds() * 1_000_000) if first_byte is not None else service_us
        cell.add(service_us, max(0, ttfb_us), 0, size)

    def session_arrived(self, arrival_s: int, segment: str, lag_us: int) -> None:
        """A session began, `lag_us` microseconds after its scheduled instant."""
        second = self._second()
        second.histograms[_SCHEDULE_LAG].record(lag_us)
        counts = second.funnel[arrival_s, segment]
        counts["arrived_count"] += 1
        if lag_us > LATE_US:
            counts["late_count"] += 1

    def session_dropped(self, arrival_s: int, segment: str) -> None:
        """A session that was scheduled never began."""
        second = self._second()
        second.funnel[arrival_s, segment]["dropped_count"] += 1
        second.counters[SESSION]["dropped_count"] += 1

    def session_reached(self, arrival_s: int, segment: str, step: str) -> None:
        """A session came to a step of the funnel for the first time."""
        self._second().funnel[arrival_s, segment][f"{step}_count"] += 1

    def session_paid(self, arrival_s: int, segment: str, after_s: float) -> None:
        """How long after its arrival a session paid."""
        self._second().funnel[arrival_s, segment]["paid_s_sum"] += after_s  # type: ignore[assignment]

    def session_ended(self, arrival_s: int, segment: str, ending: Ending) -> None:
        """A session that had begun is over."""
        self._second().funnel[arrival_s, segment][f"{ending}_count"] += 1

    def attempt(self, line: LedgerLine) -> None:
        """A state-changing attempt, whatever became of it."""
        self._second().ledger.append(line)

    def loop_lag(self, worker: str, lag_us: int) -> None:
        """How late this process's own event loop woke up."""
        self._second().histograms[Tag("loop_lag", worker, "ok")].record(lag_us)

    def event(self, kind: str, **detail: Json) -> None:
        """Something for the run's history."""
        self._second().events.append(Event(self.clock.at, kind, detail))

    def warn_once(self, message: str) -> None:
        """A warning for the run's history, the first time it is given."""
        self._warn_in(self._second(), message)

    def take(self, before_s: int | None = None) -> Iterator[Second]:
        """Hand over and forget the seconds before `before_s`, or all, in order.

        A second with many page kinds comes in several pieces, each made when it is asked for: they add up.
        """
        known = {*self._seconds, *self._cells_by_second}
        ready = sorted(second for second in known if before_s is None or second < before_s)
        taken = [(self._seconds.pop(at, Second(at)), list(self._cells_by_second.pop(at, {}).values())) for at in ready]
        self._turns_at = 0.0  # the next sample opens its second anew
        return self._pieces(taken)

    def _pieces(self, taken: list[tuple[Second, list[Cell]]]) -> Iterator[Second]:
        for second, cells in taken:
            piece, weight = second, 0
            for cell in cells:
                if weight > _BUCKETS_PER_PIECE:
                    yield piece
                    piece, weight = Second(second.elapsed_s), 0
                self._fold(cell, piece)
                weight += cell.weight
            yield piece

    def _fold(self, cell: Cell, piece: Second) -> None:
        cell.fold_into(piece, self._kind(cell.traits.name))
        if cell.beyond_count:
            self._warn_in(piece, f"times above {HIGHEST_US // 3_600_000_000} h were counted as that")
        if self._table is not None and cell.traits.ours:
            self._table.add(cell, self.clock.started_at + piece.elapsed_s)

    def _turn(self) -> None:
        """See to it that samples are counted into the second that it is now."""
        now_s = self.clock.second
        self._turns_at = self.clock.instant(now_s + 1)
        self._cells = self._cells_by_second.setdefault(now_s, {})
        self._shortcuts = {}

    def _cell(self, traits: Traits) -> Cell:
        cell = self._cells.get(traits)
        if cell is None:
            cell = self._cells[traits] = Cell(traits)
        return cell

    def _warn_in(self, second: Second, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            second.events.append(Event(self.clock.at, "warning", {"message": message}))

    def _second(self) -> Second:
        now_s = self.clock.second
        second = self._seconds.get(now_s)
        if second is None:
            second = self._seconds[now_s] = Second(now_s)
        return second

    def _kind(self, name: str) -> str:
        kind = self._kinds.admit(name)
        if self._kinds.overflowed:
            self.warn_once(f"more than {MOST_KINDS} names of requests: the rest is counted as `other`; give name=")
        return kind


def _traits(response: ShopperResponse, failure: str | None) -> Traits:
    shared = is_shared(response.cache_control.decode("latin-1")) and not response.sets_cookie
    return Traits(
        name=response.name,
        method=response.method,
        failure=failure,
        answered=response.status_code > 0,
        cached=cache_status(response.cache_status.decode("latin-1")),
        cacheable=shared and response.method in _READ_ONLY and 0 < response.status_code < 400,
        ours=True,
    )


def _may_be_shared(headers: Mapping[str, object]) -> bool:
    return is_shared(header(headers, "cache-control")) and not header(headers, "set-cookie")


def _received_bytes(headers: Mapping[str, object], response_length: int | None) -> int:
    # Clients report the unpacked length; what came over the wire is the declared one, when it is declared.
    declared = header(headers, "content-length") if header(headers, "content-encoding") else ""
    return int(declared) if declared.isdecimal() else response_length or 0
