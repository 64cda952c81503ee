"""Running totals of a run, and the figures they amount to: the same code feeds live objectives and summary.json.

Definitions: `request_hit_ratio` is hits among cacheable requests (hit, stale and collapsed count as hits; cacheable is
what the response's own Cache-Control lets a shared cache keep); `byte_hit_ratio` the same in bytes;
`origin_offload_ratio` is the share of all requests that no origin had to answer. Requests that look for leaks (page
kind `probe`) have figures of their own, and are in none over all page kinds.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

from loadgen.histogram import Histogram
from loadgen.hlog import Tag
from loadgen.objectives import PERCENTILES, Figures
from loadgen.records import CACHE_HITS, FUNNEL_STEPS, PROBE, LedgerLine

_LATENCY_TABLES = {
    ("response_time", "ok"): "response_time_ms",
    ("service_time", "ok"): "service_time_ms",
    ("response_time", "failed"): "failed_ms",
    ("connect", "ok"): "connect_ms",
    ("tls", "ok"): "tls_ms",
}
_SESSION_COUNTS = ("arrived_count", "finished_count", "abandoned_count", "cut_count", "late_count", "dropped_count")


class Tally:
    """Sums over a stretch of a run; feed it everything recorded in that stretch, in any order.

    With `latencies`, (name in summary.json, page kind) each, other histograms are passed over.
    """

    def __init__(self, latencies: Collection[tuple[str, ...]] | None = None) -> None:
        self._wanted = latencies
        self._latencies: dict[str, dict[str, Histogram]] = {name: {} for name in _LATENCY_TABLES.values()}
        self._ttfb: dict[str, Histogram] = {}
        self._ages: dict[str, Histogram] = {}
        self._lags: dict[str, Histogram] = {}
        self._requests: dict[str, Counter[str]] = defaultdict(Counter)
        self._funnel: Counter[str] = Counter()
        self._orders: Counter[str] = Counter()
        self._revenue_idr = 0

    def add_histogram(self, tag: Tag, histogram: Histogram) -> None:
        """Add the counts of one tag."""
        if table := _LATENCY_TABLES.get((tag.measure, tag.result)):
            for kind in (tag.page_kind,) if tag.page_kind == PROBE else (tag.page_kind, "all"):
                if self._wanted is None or (table, kind) in self._wanted:
                    self._latencies[table].setdefault(kind, Histogram()).merge(histogram)
        elif self._wanted is not None:
            return
        elif tag.measure in ("ttfb", "age"):
            totals = self._ttfb if tag.measure == "ttfb" else self._ages
            if tag.page_kind != PROBE:
                totals.setdefault(tag.result, Histogram()).merge(histogram)
        else:
            self._lags.setdefault(tag.measure, Histogram()).merge(histogram)

    def add_counters(self, page_kind: str, counts: Mapping[str, int]) -> None:
        """Add a row of counters.csv, by column name."""
        self._requests[page_kind].update(counts)

    def add_funnel(self, counts: Mapping[str, float]) -> None:
        """Add a row of funnel.csv, by column name."""
        self._funnel.update(counts)

    def add_ledger(self, line: LedgerLine) -> None:
        """Add one state-changing attempt."""
        if line.action == "place_order":
            self._orders[line.outcome] += 1
            self._revenue_idr += line.amount_idr or 0 if line.outcome == "ok" else 0

    def add(self, other: "Tally") -> None:
        """Add the sums of another stretch; ages, first bytes and the generator's lags are left out."""
        for name, table in other._latencies.items():
            for kind, histogram in table.items():
                self._latencies[name].setdefault(kind, Histogram()).merge(histogram)
        for kind, counts in other._requests.items():
            self._requests[kind].update(counts)
        self._funnel.update(other._funnel)
        self._orders.update(other._orders)
        self._revenue_idr += other._revenue_idr

    def remove(self, other: "Tally") -> None:
        """Take the sums of a stretch, added before, out again: what is left is exactly the rest's."""
        for name, table in other._latencies.items():
            for kind, histogram in table.items():
                self._latencies[name][kind].remove(histogram)
        for kind, counts in other._requests.items():
            self._requests[kind].subtract(counts)
        self._funnel.subtract(other._funnel)
        self._orders.subtract(other._orders)
        self._revenue_idr -= other._revenue_idr

    def requests(self, page_kind: str) -> tuple[int, int]:
        """Failed requests and all of them; of all page kinds but probes for `all`."""
        kinds = [kind for kind in self._requests if kind != PROBE] if page_kind == "all" else [page_kind]
        counted = [self._requests[kind] for kind in kinds if kind in self._requests]
        return sum(counts["failed_count"] for counts in counted), sum(counts["request_count"] for counts in counted)

    @property
    def dropped_count(self) -> int:
        """Sessions that never began."""
        return self._funnel["dropped_count"]

    def latency(self, name: str, page_kind: str) -> Histogram:
        """The histogram behind a latency (response_time_ms, say) of a page kind, or of `all`; it may be empty."""
        return self._latencies[name].get(page_kind, Histogram())

    def lag(self, measure: str) -> Histogram:
        """The generator's own lags, `schedule_lag` or `loop_lag`, over all workers."""
        return self._lags.get(measure, Histogram())

    def age(self, cached: str) -> Histogram:
        """How old what caches answered with was, by what they did as a whole: hit, stale or collapsed."""
        return self._ages.get(cached, Histogram())

    def figures(self, duration_s: float, paths: Collection[tuple[str, ...]] | None = None) -> dict[str, Figures]:
        """The figures in the shape of summary.json; what was never measured is None.

        With `paths`, only those latencies to which one of them leads: percentiles take longest, and a load loop waits.
        """
        wanted = None if paths is None else {path[:2] for path in paths}
        totals: Counter[str] = Counter()
        for kind, counts in self._requests.items():
            if kind != PROBE:
                totals.update(counts)
        return {
            "requests": {
                "count": totals["request_count"],
                "failed_count": totals["failed_count"],
                "per_s": _ratio(totals["request_count"], duration_s),
            },
            "sessions": self._sessions(),
            "orders": self._order_figures(duration_s),
            "funnel": {step: self._funnel[f"{step}_count"] for step in FUNNEL_STEPS},
            "failed_ratio": self._failed_ratios(totals),
            **self._by_page_kind(totals, duration_s),
            **{
                name: {kind: _latency(of) for kind, of in table.items() if wanted is None or (name, kind) in wanted}
                for name, table in self._latencies.items()
            },
            "ttfb_ms": {status: _latency(of) for status, of in self._ttfb.items()},
            "cache": self._cache(totals),
            "errors": {
                name: totals[name] for name in sorted(totals) if name.startswith("failed_") and name != "failed_count"
            },
        }

    def _sessions(self) -> dict[str, Figures]:
        ended = self._funnel["finished_count"] + self._funnel["abandoned_count"]
        return {
            **{name: self._funnel[name] for name in _SESSION_COUNTS},
            "abandoned_ratio": _ratio(self._funnel["abandoned_count"], ended),
        }

    def _order_figures(self, duration_s: float) -> dict[str, Figures]:
        return {
            "acknowledged_count": self._orders["ok"],
            "refused_count": self._orders["fail"],
            "unknown_count": self._orders["unknown"],
            "per_h": _ratio(self._orders["ok"] * 3600, duration_s),
            "per_min": _ratio(self._orders["ok"] * 60, duration_s),
            "revenue_idr": self._revenue_idr,
        }

    def _failed_ratios(self, totals: Mapping[str, int]) -> dict[str, Figures]:
        kinds = {"all": totals, **self._requests}
        return {kind: _ratio(counts["failed_count"], counts["request_count"]) for kind, counts in kinds.items()}

    def _by_page_kind(self, totals: Mapping[str, int], duration_s: float) -> dict[str, Figures]:
        """Requests, and those a second that were answered well, of page kinds that were asked for."""
        kinds = {"all": totals, **self._requests}
        asked = {kind: counts for kind, counts in kinds.items() if counts["request_count"]}
        return {
            "request_count": {kind: counts["request_count"] for kind, counts in asked.items()},
            "goodput_per_s": {
                kind: _ratio(counts["request_count"] - counts["failed_count"], duration_s)
                for kind, counts in asked.items()
            },
        }

    def _cache(self, totals: Mapping[str, int]) -> dict[str, Figures]:
        if totals["request_count"] == totals["cache_none_count"]:  # no cache ever said a word
            return {"request_hit_ratio": None, "byte_hit_ratio": None, "origin_offload_ratio": None, "by_page_kind": {}}
        hits = sum(totals[f"cache_{status}_count"] for status in CACHE_HITS)
        return {
            "request_hit_ratio": _ratio(totals["cacheable_hit_count"], totals["cacheable_count"]),
            "byte_hit_ratio": _ratio(totals["cacheable_hit_bytes"], totals["cacheable_bytes"]),
            "origin_offload_ratio": _ratio(hits, totals["request_count"]),
            "by_page_kind": {
                kind: {
                    "cacheable_count": counts["cacheable_count"],
                    "request_hit_ratio": _ratio(counts["cacheable_hit_count"], counts["cacheable_count"]),
                }
                for kind, counts in self._requests.items()
                if counts["cacheable_count"]
            },
        }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def _latency(histogram: Histogram) -> dict[str, Figures]:
    values_us = histogram.percentiles_us(tuple(PERCENTILES.values()))
    return {
        "count": histogram.count,
        **{name: value_us / 1000 for name, value_us in zip(PERCENTILES, values_us, strict=True)},
        "max": histogram.max_us / 1000,
    }
