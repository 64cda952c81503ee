"""From the access logs of edges and shop (JSON lines) to the rows of origin.csv and origin_keys.csv.

The edges' logs are read first: they tell which requests were answered with something stale, so that what the shop was
asked under the same number was a fetch behind the shopper's back.
"""

import heapq
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from loadgen.bursts import KeyBursts, most_fetched
from loadgen.records import Json

SHOP = "shop"
EDGE_TIERS = ("edge", "shield", "front")
OPS = "ops"  # the page kind of what is asked past every edge
PURGE = "purge"
PROBED = "probe"
_PURGED = "purge-"
_PROBED = "safety-"
_STALE = ("stale", "updating")


@dataclass(frozen=True, slots=True)
class OriginRow:
    """Requests of one second, tier, page kind and cache status, as that tier logged them."""

    elapsed_s: int
    tier: str
    page_kind: str
    cache_status: str
    request_count: int
    sent_bytes: int

    def as_row(self) -> dict[str, Json]:
        """The row by column name."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class OriginKeyRow:
    """A page that a tier was asked for, and in how many bursts: sets of fetches that overlap in time."""

    tier: str
    page_kind: str
    key: str
    request_count: int
    burst_count: int
    largest_burst_count: int

    def as_row(self) -> dict[str, Json]:
        """The row by column name."""
        return {name: getattr(self, name) for name in self.__slots__}


class LogLine:
    """One request as a tier logged it; `at` is when its answer was sent, `key` what caches know it by."""

    __slots__ = ("at", "cache", "duration_s", "key", "kind", "request_id", "size")

    def __init__(self, text: str) -> None:
        """ValueError, TypeError or KeyError for what is no such line."""
        line = json.loads(text)
        self.at = float(line["at"])
        self.size = int(line["bytes"])
        self.kind = str(line["kind"] or "other")
        self.cache = str(line.get("cache") or "none").lower()
        self.duration_s = float(line.get("duration_s") or 0.0)
        self.request_id = str(line.get("request_id") or "")
        self.key = str(line.get("key") or "")


class TierLog:
    """Counts the lines of one tier that belong to a run; those of other times are passed over."""

    def __init__(self, tier: str, started_at: float, ended_at: float) -> None:
        self.tier = tier
        self.stale_ids: set[str] = set()  # of requests that were answered with something stale
        self._started_at = started_at
        self._ended_at = ended_at
        self._requests: Counter[tuple[int, str, str]] = Counter()
        self._sent_bytes: Counter[tuple[int, str, str]] = Counter()

    def read(self, lines: Iterable[LogLine]) -> None:
        """Take in a log."""
        for line in lines:
            if line.cache in _STALE and line.request_id:
                self.stale_ids.add(line.request_id)
            self.count(line, line.cache)

    def count(self, line: LogLine, status: str) -> bool:
        """Count a line under a cache status; whether it belongs to the run."""
        if not self._started_at <= line.at <= self._ended_at:
            return False
        key = (int(line.at - self._started_at), line.kind, status)
        self._requests[key] += 1
        self._sent_bytes[key] += line.size
        return True

    def rows(self) -> Iterator[OriginRow]:
        """What was counted, by second."""
        for key in sorted(self._requests):
            yield OriginRow(key[0], self.tier, key[1], key[2], self._requests[key], self._sent_bytes[key])


class ShopLog(TierLog):
    """The same of the shop, which says for whom it was asked, and in which bursts for the same page.

    `stale_ids_of_edges` is None where there is no edge.
    """

    def __init__(self, started_at: float, ended_at: float, stale_ids_of_edges: Collection[str] | None) -> None:
        super().__init__(SHOP, started_at, ended_at)
        self._stale_ids_of_edges = stale_ids_of_edges
        self._keys: dict[tuple[str, str], KeyBursts] = {}

    def read_all(self, logs: Iterable[Iterable[LogLine]]) -> None:
        """Take in the logs of the shop's processes, each in the order of its lines, as one."""
        for line in heapq.merge(*logs, key=lambda line: line.at):
            status = self._for_whom(line)
            if self.count(line, status) and line.key and status not in (PURGE, PROBED):
                bursts = self._keys.get((line.kind, line.key))
                if bursts is None:
                    bursts = self._keys[line.kind, line.key] = KeyBursts()
                bursts.add(line.at - line.duration_s, line.at)

    def key_rows(self) -> Iterator[OriginKeyRow]:
        """The pages that were fetched most, the most fetched first."""
        for (kind, key), bursts in most_fetched(self._keys):
            yield OriginKeyRow(self.tier, kind, key, bursts.request_count, bursts.burst_count, bursts.largest_count)

    def _for_whom(self, line: LogLine) -> str:
        if line.request_id.startswith(_PURGED):
            return PURGE
        if self._stale_ids_of_edges is None or line.kind == OPS:
            return "none"
        if line.request_id in self._stale_ids_of_edges:
            return "background"
        return PROBED if line.request_id.startswith(_PROBED) else "client"


def log_lines(texts: Iterable[str]) -> Iterator[LogLine]:
    """The lines of a log; those that are no JSON object of a request are passed over."""
    for text in texts:
        try:
            yield LogLine(text)
        except (ValueError, TypeError, KeyError):
            continue
