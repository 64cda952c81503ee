"""Samples of one second that are alike in all but their times, counted together: what makes recording cheap.

The recorder adds each sample of our own client to a cell; once a second a cell becomes histograms and counters of a
Second, and a row for Locust's table.
"""

from collections import Counter
from dataclasses import dataclass

from loadgen.batch import Second
from loadgen.histogram import HIGHEST_US, Histogram, index_of
from loadgen.hlog import Tag
from loadgen.records import CACHE_HITS

LATE_US = 10_000
_EXACT_US = 2048  # below it a value is its own bucket


@dataclass(frozen=True, slots=True)
class Traits:
    """What samples of a cell have in common.

    failure: one of records.FAILURE_CLASSES, or None; ours: of our own client, so that Locust has not counted them yet.
    """

    name: str
    method: str
    failure: str | None
    answered: bool
    cached: str
    cacheable: bool
    ours: bool

    @property
    def result(self) -> str:
        """The last part of a latency's tag."""
        return "ok" if self.failure is None else "failed"


class Cell:
    """Counts of one second. `prompt` holds service times by bucket of samples that left in time, `ttfb` first bytes.

    `errors` are those of failed samples of our own client.
    """

    __slots__ = (
        "beyond_count",
        "body_bytes",
        "connects",
        "errors",
        "lagged",
        "prompt",
        "traits",
        "ttfb",
        "untimed_count",
    )

    def __init__(self, traits: Traits) -> None:
        self.traits = traits
        self.prompt: dict[int, int] = {}
        self.ttfb: dict[int, int] = {}
        self.lagged: list[tuple[int, int]] = []  # (service time, lag), microseconds
        self.connects: list[tuple[int, int]] = []  # (to connect, for TLS), microseconds
        self.errors: list[str] = []
        self.body_bytes = 0
        self.beyond_count = 0
        self.untimed_count = 0

    def add(self, service_us: int, ttfb_us: int, lag_us: int, body_bytes: int) -> None:
        """Count one sample; times of 0 and more, in microseconds."""
        if lag_us:
            self.lagged.append((service_us, lag_us))
            self.beyond_count += service_us + lag_us > HIGHEST_US
        else:
            prompt, index = self.prompt, service_us if service_us < _EXACT_US else self._index(service_us)
            prompt[index] = prompt.get(index, 0) + 1
        ttfb, index = self.ttfb, ttfb_us if ttfb_us < _EXACT_US else self._index(ttfb_us)
        ttfb[index] = ttfb.get(index, 0) + 1
        self.body_bytes += body_bytes

    def add_untimed(self, body_bytes: int) -> None:
        """Count a sample that nobody timed."""
        self.untimed_count += 1
        self.body_bytes += body_bytes

    @property
    def count(self) -> int:
        """How many samples were added."""
        return sum(self.prompt.values()) + len(self.lagged) + self.untimed_count

    def service_times(self) -> Histogram:
        """Service times of all samples."""
        service = Histogram.from_counts(self.prompt)
        for service_us, _ in self.lagged:
            service.record(service_us)
        return service

    @property
    def weight(self) -> int:
        """How much there is to hand over, in buckets."""
        return len(self.prompt) + len(self.ttfb) + len(self.lagged) + len(self.connects)

    def fold_into(self, second: Second, kind: str) -> None:
        """Add everything to a Second under a page kind."""
        traits, service = self.traits, self.service_times()
        if service.counts:
            _add(second, Tag("service_time", kind, traits.result), service)
            _add(second, Tag("response_time", kind, traits.result), self._response_times())
        if traits.answered and self.ttfb:
            _add(second, Tag("ttfb", kind, traits.cached), Histogram.from_counts(self.ttfb))
        for connect_us, tls_us in self.connects:
            second.histograms[Tag("connect", kind, "ok")].record(connect_us)
            if tls_us:
                second.histograms[Tag("tls", kind, "ok")].record(tls_us)
        self._count(second.counters[kind])

    def _response_times(self) -> Histogram:
        response = Histogram.from_counts(self.prompt)
        for service_us, lag_us in self.lagged:
            response.record(service_us + lag_us)
        return response

    def _count(self, counts: Counter[str]) -> None:
        traits, count = self.traits, self.count
        counts["request_count"] += count
        if traits.failure is not None:
            counts["failed_count"] += count
            counts[f"failed_{traits.failure}_count"] += count
        if late := sum(lag_us > LATE_US for _, lag_us in self.lagged):
            counts["late_count"] += late
        counts["received_bytes"] += self.body_bytes
        counts[f"cache_{traits.cached}_count"] += count
        if traits.cacheable:
            counts["cacheable_count"] += count
            counts["cacheable_bytes"] += self.body_bytes
            if traits.cached in CACHE_HITS:
                counts["cacheable_hit_count"] += count
                counts["cacheable_hit_bytes"] += self.body_bytes

    def _index(self, value_us: int) -> int:
        if value_us > HIGHEST_US:
            self.beyond_count += 1
            value_us = HIGHEST_US
        return index_of(value_us)


def _add(second: Second, tag: Tag, histogram: Histogram) -> None:
    if tag in second.histograms:
        second.histograms[tag].merge(histogram)
    else:  # most often: a copy of a dictionary costs a tenth of adding it up
        second.histograms[tag] = histogram
