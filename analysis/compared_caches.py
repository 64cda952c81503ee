"""What the caches of a profile told of themselves, over all parts of a study: from the parts' summaries; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from analysis.summary_paths import found, number, total, weighted_mean
from loadgen.records import Json

_ALL = "all"


@dataclass(frozen=True, slots=True)
class CacheRatios:
    """What one cache kept from those behind it, as it said itself."""

    request_count: int
    request_hit_ratio: float | None
    byte_hit_ratio: float | None

    def as_json(self) -> dict[str, Json]:
        """The ratios as they stand in a study's summary.json."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Stampede:
    """What expiries cost: fetches of one key that overlap are a burst; one fetch a burst is best."""

    burst_count: int
    request_count: int
    largest_burst_count: int

    @property
    def factor(self) -> float | None:
        """Fetches per burst."""
        return self.request_count / self.burst_count if self.burst_count else None

    def as_json(self) -> dict[str, Json]:
        """The bursts as they stand in a study's summary.json."""
        return {**asdict(self), "factor": self.factor}


@dataclass(frozen=True, slots=True)
class Staleness:
    """How long shoppers saw a product as it had been before a change; seconds, None where no change was seen late."""

    changes_count: int
    stale_seen_count: int
    p50_s: float | None
    max_s: float | None

    def as_json(self) -> dict[str, Json]:
        """The changes as they stand in a study's summary.json."""
        return asdict(self)


def by_cache(summaries: Iterable[Json]) -> dict[str, CacheRatios]:
    """Each cache's own ratios; of several parts the mean, weighted by their requests."""
    rows: dict[str, list[Json]] = {}
    for summary in summaries:
        caches = found(summary, "cache", "by_cache")
        for name, kinds in caches.items() if isinstance(caches, Mapping) else ():
            rows.setdefault(name, []).append(found(kinds, _ALL))
    return {name: _cache_ratios(of) for name, of in sorted(rows.items())}


def _cache_ratios(rows: Sequence[Json]) -> CacheRatios:
    count = total(rows, "request_count") or 0
    means = [weighted_mean(rows, name, "request_count") for name in ("request_hit_ratio", "byte_hit_ratio")]
    return CacheRatios(count, *means)


def stampede(summaries: Iterable[Json]) -> Stampede | None:
    """Bursts of all page kinds and parts; None where the origin told nothing of its keys."""
    rows: list[Json] = []
    for summary in summaries:
        bursts = found(summary, "cache", "origin", "bursts")
        rows += bursts.values() if isinstance(bursts, Mapping) else []
    if not rows:
        return None
    largest = [number(row, "largest_burst_count") or 0 for row in rows]
    return Stampede(total(rows, "burst_count") or 0, total(rows, "request_count") or 0, int(max(largest)))


def staleness(summaries: Sequence[Json]) -> Staleness | None:
    """Changes of all parts; the median is the mean of the parts' medians, weighted by the changes seen late."""
    rows = [row for summary in summaries if isinstance(row := found(summary, "cache", "staleness"), Mapping)]
    if not rows:
        return None
    longest = [value for row in rows if (value := number(row, "max_s")) is not None]
    return Staleness(
        total(rows, "changes_count") or 0,
        total(rows, "stale_seen_count") or 0,
        weighted_mean(rows, "p50_s", "stale_seen_count"),
        max(longest, default=None),
    )
