"""Samples of one second that are alike in all but their times, counted together: what makes recording cheap.

The recorder adds each sample of our own client to a cell; once a second a cell becomes histograms and counters of a
Second, and a row for Locust's table.
"""

from collections import Counter
from dataclasses import dataclass

from loadgen.batch import Second, Sighting
from loadgen.cache_headers import Member
from loadgen.histogram import HIGHEST_US, Histogram, index_of
from loadgen.hlog import Tag
from loadgen.records import CACHE_HITS, PRODUCT
from loadgen.wanted_products import wanted_product

LATE_US = 10_000
STORED_COOKIE = "set-cookie"  # the check of answers from a cache for cookies
_EXACT_US = 2048  # below it a value is its own bucket


@dataclass(frozen=True, slots=True)
class Traits:
    """What samples of a cell have in common.

    failure: one of records.FAILURE_CLASSES, or None; ours: of our own client, so that Locust has not counted them yet;
    members: what each cache did, `cached` what they did as a whole; leaky: from a cache's store, and with a cookie.
    """

    name: str
    method: str
    failure: str | None
    answered: bool
    cached: str
    cacheable: bool
    ours: bool
    members: tuple[Member, ...] = ()
    leaky: bool = False

    @property
    def result(self) -> str:
        """The last part of a latency's tag."""
        return "ok" if self.failure is None else "failed"

    @property
    def from_store(self) -> bool:
        """Whether a cache answered from its store."""
        return self.cached in CACHE_HITS


class Cell:
    """Counts of one second, by bucket of the histogram.

    prompt: service times of samples that left in time, which are their response times as well; lagged_service,
    lagged_response: both times of those that did not; ttfb, connect, tls: of those that have them; ages: how old what
    came from a store was; sightings: of products, by id. `errors` are those of failed samples of our own client.
    `looked_into` says that a sample's head tells more than its traits.
    """

    __slots__ = (
        "_from_store",
        "_of_product",
        "ages",
        "beyond_count",
        "body_bytes",
        "connect",
        "errors",
        "lagged_response",
        "lagged_service",
        "late_count",
        "looked_into",
        "prompt",
        "sightings",
        "tls",
        "traits",
        "ttfb",
        "untimed_count",
    )

    def __init__(self, traits: Traits) -> None:
        self.traits = traits
        self.prompt: dict[int, int] = {}
        self.lagged_service: dict[int, int] = {}
        self.lagged_response: dict[int, int] = {}
        self.ttfb: dict[int, int] = {}
        self.connect: dict[int, int] = {}
        self.tls: dict[int, int] = {}
        self.ages: dict[int, int] = {}
        self.sightings: dict[int, Sighting] = {}
        self.errors: list[str] = []
        self._from_store, self._of_product = traits.from_store, traits.name == PRODUCT
        self.looked_into = self._from_store or self._of_product
        self.body_bytes = self.beyond_count = self.late_count = self.untimed_count = 0

    def add(self, service_us: int, ttfb_us: int, lag_us: int, body_bytes: int) -> None:
        """Count one sample; times of 0 and more, in microseconds."""
        if lag_us:
            self._add_lagged(service_us, lag_us)
        else:
            prompt, index = self.prompt, service_us if service_us < _EXACT_US else self._index(service_us)
            prompt[index] = prompt.get(index, 0) + 1
        ttfb, index = self.ttfb, ttfb_us if ttfb_us < _EXACT_US else self._index(ttfb_us)
        ttfb[index] = ttfb.get(index, 0) + 1
        self.body_bytes += body_bytes

    def add_connect(self, connect_us: int, tls_us: int) -> None:
        """Count how long a connection took that a sample had to open; `tls_us` is 0 without TLS."""
        for times, value_us in ((self.connect, connect_us), (self.tls, tls_us)):
            if value_us:
                index = self._index(value_us)
                times[index] = times.get(index, 0) + 1

    def add_made(self, made_at: float, at: float, path: str) -> None:
        """Note when what a sample showed was made, which was seen at `at`; both in seconds since the epoch.

        Counts how old what a store held was, and how often a product was seen. Clocks that differ a little make nothing
        younger than 0.
        """
        if self._from_store:
            age_us = int((at - made_at) * 1_000_000)
            if not 0 <= age_us <= HIGHEST_US:
                age_us = 0 if age_us < 0 else HIGHEST_US
            index = index_of(age_us)
            self.ages[index] = self.ages.get(index, 0) + 1
        if self._of_product and (product_id := wanted_product(path)):
            count, oldest_at = self.sightings.get(product_id, (0, made_at))
            self.sightings[product_id] = (count + 1, oldest_at if oldest_at < made_at else made_at)

    def add_untimed(self, body_bytes: int) -> None:
        """Count a sample that nobody timed."""
        self.untimed_count += 1
        self.body_bytes += body_bytes

    @property
    def count(self) -> int:
        """How many samples were added."""
        return sum(self.prompt.values()) + sum(self.lagged_service.values()) + self.untimed_count

    @property
    def weight(self) -> int:
        """How much there is to hand over, in buckets."""
        return sum(map(len, (self.prompt, self.lagged_service, self.lagged_response, self.ttfb, self.connect)))

    def service_times(self) -> Histogram:
        """Service times of all samples."""
        return _sum(self.prompt, self.lagged_service)

    def fold_into(self, second: Second, kind: str) -> None:
        """Add everything to a Second under a page kind."""
        result = self.traits.result
        _add(second, Tag("service_time", kind, result), self.service_times())
        _add(second, Tag("response_time", kind, result), _sum(self.prompt, self.lagged_response))
        if self.traits.answered:
            _add(second, Tag("ttfb", kind, self.traits.cached), Histogram.from_counts(self.ttfb))
        _add(second, Tag("connect", kind, "ok"), Histogram.from_counts(self.connect))
        _add(second, Tag("tls", kind, "ok"), Histogram.from_counts(self.tls))
        self._count(second.counters[kind])
        if self.traits.members:
            self._count_caches(second, kind)
        if self.sightings:
            second.see(self.sightings)

    def _add_lagged(self, service_us: int, lag_us: int) -> None:
        self.late_count += lag_us > LATE_US
        service, response = self._index(service_us), self._index(service_us + lag_us)
        self.lagged_service[service] = self.lagged_service.get(service, 0) + 1
        self.lagged_response[response] = self.lagged_response.get(response, 0) + 1

    def _count(self, counts: Counter[str]) -> None:
        traits, count = self.traits, self.count
        counts["request_count"] += count
        if traits.failure is not None:
            counts["failed_count"] += count
            counts[f"failed_{traits.failure}_count"] += count
        if self.late_count:
            counts["late_count"] += self.late_count
        counts["received_bytes"] += self.body_bytes
        counts[f"cache_{traits.cached}_count"] += count
        if traits.cacheable:
            counts["cacheable_count"] += count
            counts["cacheable_bytes"] += self.body_bytes
            if traits.from_store:
                counts["cacheable_hit_count"] += count
                counts["cacheable_hit_bytes"] += self.body_bytes

    def _count_caches(self, second: Second, kind: str) -> None:
        traits, count = self.traits, self.count
        for cache, word in traits.members:
            counts = second.caches[kind, cache, word]
            counts["request_count"] += count
            counts["received_bytes"] += self.body_bytes
        if traits.from_store:
            _add(second, Tag("age", kind, traits.cached), Histogram.from_counts(self.ages))
            second.safety[STORED_COOKIE]["checked_count"] += count
            if traits.leaky:
                second.safety[STORED_COOKIE]["alarm_count"] += count

    def _index(self, value_us: int) -> int:
        if value_us > HIGHEST_US:
            self.beyond_count += 1
            value_us = HIGHEST_US
        return index_of(value_us)


def _sum(one: dict[int, int], other: dict[int, int]) -> Histogram:
    total = Histogram.from_counts(one)
    total.merge(Histogram.from_counts(other))
    return total


def _add(second: Second, tag: Tag, histogram: Histogram) -> None:
    if tag in second.histograms:
        second.histograms[tag].merge(histogram)
    elif histogram.counts:  # most often: a copy of a dictionary costs a tenth of adding it up
        second.histograms[tag] = histogram
