"""What a worker (or a lone process) records: requests of any user class, sessions, attempts, events, lags.

Listens to Locust's `request` event; sessions call the other methods. Everything is counted into the current second and
taken once a second by worker.py, which sends it to the master. Nothing here waits, encodes or sums.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from loadgen.batch import Second
from loadgen.cache_headers import cache_status, header, is_shared
from loadgen.client import CONTEXT_KEY, RequestContext
from loadgen.failures import failure_class
from loadgen.hlog import Tag
from loadgen.page_kinds import MOST_KINDS, SESSION, PageKinds
from loadgen.records import CACHE_HITS, Event, Json, LedgerLine
from loadgen.runclock import RunClock

LATE_US = 10_000
Ending = Literal["finished", "abandoned", "cut"]


class Recorder:
    """Counts into seconds; all methods are for greenlets of one thread."""

    def __init__(self, clock: RunClock) -> None:
        self.clock = clock
        self._kinds = PageKinds()
        self._warned: set[str] = set()
        self._seconds: dict[int, Second] = {}

    def on_request(
        self,
        *,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int | None,
        exception: BaseException | None = None,
        response: Any = None,
        context: Mapping[str, Any] | None = None,
        **_ignored: object,
    ) -> None:
        """Count one sample of Locust's `request` event, times in milliseconds, of whatever client."""
        kind, second = self._kind(name), self._second()
        counts = second.counters[kind]
        status = getattr(response, "status_code", None) or 0
        headers = getattr(response, "headers", None) or {}
        result = "ok" if exception is None else "failed"
        counts["request_count"] += 1
        if exception is not None:
            counts["failed_count"] += 1
            counts[f"failed_{failure_class(exception, status)}_count"] += 1
        size = _received_bytes(headers, response_length)
        cached = cache_status(header(headers, "cache-status"))
        cacheable = request_type in ("GET", "HEAD") and 0 < status < 400 and _may_be_shared(headers)
        _count_cache(counts, size, cached, cacheable=cacheable)
        told = (context or {}).get(CONTEXT_KEY)
        lag_us = told.start_lag_us if isinstance(told, RequestContext) else 0
        if lag_us > LATE_US:
            counts["late_count"] += 1
        if response_time is not None:
            service_us = round(response_time * 1000)
            second.histograms[Tag("service_time", kind, result)].record(service_us)
            second.histograms[Tag("response_time", kind, result)].record(service_us + lag_us)
        first_byte = getattr(response, "elapsed", None) if status else None
        if first_byte is not None:
            second.histograms[Tag("ttfb", kind, cached)].record(round(first_byte.total_seconds() * 1_000_000))

    def session_arrived(self, arrival_s: int, segment: str, lag_us: int) -> None:
        """A session began, `lag_us` microseconds after its scheduled instant."""
        second = self._second()
        second.histograms[Tag("schedule_lag", SESSION, "ok")].record(lag_us)
        second.funnel[arrival_s, segment]["arrived_count"] += 1
        if lag_us > LATE_US:
            second.funnel[arrival_s, segment]["late_count"] += 1

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
        if message not in self._warned:
            self._warned.add(message)
            self.event("warning", message=message)

    def take(self, before_s: int | None = None) -> tuple[Second, ...]:
        """Hand over and forget the seconds before `before_s`, or all, in order."""
        ready = sorted(second for second in self._seconds if before_s is None or second < before_s)
        return tuple(self._seconds.pop(second) for second in ready)

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


def _count_cache(counts: Counter[str], size: int, cached: str, *, cacheable: bool) -> None:
    counts["received_bytes"] += size
    counts[f"cache_{cached}_count"] += 1
    if cacheable:
        counts["cacheable_count"] += 1
        counts["cacheable_bytes"] += size
        if cached in CACHE_HITS:
            counts["cacheable_hit_count"] += 1
            counts["cacheable_hit_bytes"] += size


def _may_be_shared(headers: Mapping[str, object]) -> bool:
    return is_shared(header(headers, "cache-control")) and not header(headers, "set-cookie")


def _received_bytes(headers: Mapping[str, object], response_length: int | None) -> int:
    # Clients report the unpacked length; what came over the wire is the declared one, when it is declared.
    declared = header(headers, "content-length") if header(headers, "content-encoding") else ""
    return int(declared) if declared.isdecimal() else response_length or 0
