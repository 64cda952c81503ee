"""Every touch of what Locust keeps private, each with a test that breaks when it changes there."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from locust import stats as locust_stats
from locust.event import EventHook
from locust.runners import LocalRunner, MasterRunner
from locust.stats import RequestStats, StatsEntry

from loadgen.cells import Cell
from loadgen.histogram import value_at
from loadgen.http.response import ShopperResponse

_COUNTED_ALREADY = frozenset(("locust.runners", "loadgen.listeners"))  # listeners there feed Locust's table and our own


class LocustTable:
    """Locust's statistics, fed by the second instead of by the sample; its table, charts and CSV files agree."""

    def __init__(self, stats: RequestStats) -> None:
        self._stats = stats

    def add(self, cell: Cell, second_at: float) -> None:
        """Take in the samples of the second that began at `second_at`, in seconds since the epoch."""
        traits, fresh = cell.traits, _row_of(self._stats, cell, second_at)
        for row in (self._stats.total, self._stats.get(traits.name, traits.method)):
            row.extend(fresh)
        for error in cell.errors:
            self._stats.log_error(traits.method, traits.name, error)


class Audience:
    """Listeners to Locust's `request` event beside Locust's table and our recorder; mostly there is none."""

    def __init__(self, hook: EventHook) -> None:
        self._hook = hook
        self._seen: list[Callable[..., object]] | None = None
        self._others = EventHook()  # type: ignore[no-untyped-call]

    def tell(self, response: ShopperResponse) -> None:
        """Let them hear of a sample, as Locust's clients would."""
        if self._hook._handlers != self._seen:
            self._look()
        if self._others._handlers:
            self._others.fire(**response.request_meta)  # type: ignore[no-untyped-call]

    def _look(self) -> None:
        self._seen = list(self._hook._handlers)
        self._others._handlers = [heard for heard in self._seen if heard.__module__ not in _COUNTED_ALREADY]


def deliver(runner: MasterRunner, limit_s: float) -> None:
    """Wait until all that was sent to workers has left this process, which then says no more.

    ZeroMQ sends in a thread of its own, and what that has not sent when the process exits is lost.
    """
    runner.server.socket.context.destroy(linger=int(limit_s * 1000))


def show_user_count(runner: LocalRunner, count: Callable[[], int]) -> None:
    """Let a lone process's user count, in the web UI and the printed statistics, be what `count` says."""

    class CountingRunner(type(runner)):  # type: ignore[misc]
        @property
        def user_count(self) -> int:
            return count()

    runner.__class__ = CountingRunner


def _row_of(stats: RequestStats, cell: Cell, second_at: float) -> StatsEntry:
    # Locust declares whole milliseconds, and keeps fractions.
    row: Any = StatsEntry(stats, cell.traits.name, cell.traits.method)
    service = cell.service_times()
    row.num_requests = row.num_reqs_per_sec[int(second_at)] = cell.count
    row.num_none_requests = cell.untimed_count
    row.last_request_timestamp = second_at + 0.999
    row.total_content_length = cell.body_bytes
    for index, count in service.counts.items():
        value_ms, rounded_ms = _milliseconds(index)
        row.total_response_time += value_ms * count
        row.response_times[rounded_ms] += count
    if service.counts:
        row.max_response_time = value_at(max(service.counts)) / 1000
        row.min_response_time = value_at(min(service.counts)) / 1000
    return row  # type: ignore[no-any-return]


@lru_cache(maxsize=1 << 15)  # there are 26,000 buckets
def _milliseconds(index: int) -> tuple[float, int]:
    """A bucket's value, and how Locust rounds it."""
    value_ms = value_at(index) / 1000
    return value_ms, int(locust_stats.bucket_response_time(value_ms))  # which users may replace
