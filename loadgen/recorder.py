"""What one worker counts: the engine's samples of requests and the sessions' own words, second by second.

Our own client hands in its responses (`on_response`); any other client's samples come through Locust's `request` event
(`on_request`); sessions call the other methods. Everything is counted into the current second and taken once a second
by worker.py, which sends it to the master. Nothing here waits or encodes.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from loadgen.batch import Second
from loadgen.cache_headers import epoch, generated_at, header
from loadgen.cells import LATE_US, STORED_COOKIE, Cell, Traits
from loadgen.failures import failure_class
from loadgen.histogram import HIGHEST_US
from loadgen.hlog import Tag
from loadgen.http.response import ShopperResponse
from loadgen.leaks import Leak, Leaks
from loadgen.page_kinds import MOST_KINDS, SESSION, PageKinds
from loadgen.records import MOST_CACHES, STAY, Event, Json, LedgerLine
from loadgen.runclock import RunClock
from loadgen.traits import TraitsReader

Ending = Literal["finished", "abandoned", "cut"]
_BUCKETS_PER_PIECE = 1000  # of a Second that is handed over in pieces, so that the loop is never held up for long
_SCHEDULE_LAG = Tag("schedule_lag", SESSION, "ok")
_STAYS: dict[Ending, Tag] = {ending: Tag(STAY, SESSION, ending) for ending in ("finished", "abandoned", "cut")}


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
        self._traits = TraitsReader()
        self._leaks = Leaks()
        self._epoch_s = clock.started_at - clock.instant(0.0)  # at 0 of `time.monotonic`, on the master's clock
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
            cell = self._shortcuts[key] = self._cell(self._traits.of_ours(response, failure))
        cell.add(response.service_us, response.ttfb_us, response.lag_us, response.body_bytes)
        if response.connect_us:
            cell.add_connect(response.connect_us, response.tls_us)
        if exception is not None:
            cell.errors.append(repr(exception))  # itself it would keep whole frames alive
        if cell.looked_into:
            if (made_at := generated_at(response.head)) is not None:
                cell.add_made(made_at, self._epoch_s + response.ended_at, response.path)
            if cell.traits.leaky and self._leaks.wants(STORED_COOKIE):
                self._tell_of_cookie(response.url, response.name, response.headers)
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
        failure = None if exception is None else failure_class(exception, status)
        self._turn()
        cell = self._cell(self._traits.of_foreign(name, request_type, status, headers, failure))
        if cell.looked_into:
            url = str(getattr(response, "url", None) or "")
            if (made_at := epoch(header(headers, "x-generated-at"))) is not None:
                cell.add_made(made_at, self.clock.at, urlsplit(url).path)
            if cell.traits.leaky and self._leaks.wants(STORED_COOKIE):
                self._tell_of_cookie(url, name, headers)
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

    def session_ended(self, arrival_s: int, segment: str, ending: Ending, stay_us: int = 0) -> None:
        """A session that had begun is over, after `stay_us` microseconds."""
        second = self._second()
        second.funnel[arrival_s, segment][f"{ending}_count"] += 1
        second.histograms[_STAYS[ending]].record(min(stay_us, HIGHEST_US))

    def attempt(self, line: LedgerLine) -> None:
        """A state-changing attempt, whatever became of it."""
        self._second().ledger.append(line)

    def safety_checked(self, check: str, count: int = 1) -> None:
        """Answers were looked at for what one of records.SAFETY_CHECKS looks for."""
        self._second().safety[check]["checked_count"] += count

    def leak(
        self,
        check: str,
        *,
        url: str,
        page_kind: str,
        cache_status: str,
        cache_control: str,
        key: str,
        told: str,
    ) -> None:
        """A check found something: an alarm, and the first ones of a check are told in the run's history.

        `url` is path and query, `key` the same with the host before it; `told` is a sentence without secret or cookie.
        """
        second = self._second()
        second.safety[check]["alarm_count"] += 1
        leak = Leak(check, url, page_kind, cache_status, cache_control, key, told)
        second.events += self._leaks.tell(self.clock.at, leak)

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
            if self._traits.overflowed:
                self.warn_once(f"more than {MOST_CACHES} names of caches: the rest is counted as `other`")
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

    def _tell_of_cookie(self, url: str, page_kind: str, headers: Mapping[str, object]) -> None:
        """The alarm itself is counted with its cell."""
        leak = Leak.at(url, STORED_COOKIE, page_kind, headers, "an answer from a cache's store sets a cookie")
        self._second().events += self._leaks.tell(self.clock.at, leak)

    def _kind(self, name: str) -> str:
        kind = self._kinds.admit(name)
        if self._kinds.overflowed:
            self.warn_once(f"more than {MOST_KINDS} names of requests: the rest is counted as `other`; give name=")
        return kind


def _received_bytes(headers: Mapping[str, object], response_length: int | None) -> int:
    # Clients report the unpacked length; what came over the wire is the declared one, when it is declared.
    declared = header(headers, "content-length") if header(headers, "content-encoding") else ""
    return int(declared) if declared.isdecimal() else response_length or 0
