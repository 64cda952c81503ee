"""What the charts draw: every figure of a run over time, in bins; between analysis' reader and reports.charts.

Every array of a `Series` has one value a bin; NaN marks a bin in which nothing was observed (a line breaks there). No
NaN leaves this module towards a document: series are drawn, never written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.origin_load import CAUSES, shop_fetches
from analysis.recording import Recording
from analysis.recovery import Recovery
from loadgen.histogram import Histogram, value_at
from loadgen.hlog import Tag
from loadgen.records import PROBE

FloatArray: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the run: warm-up, steady or drain; seconds from the start."""

    name: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class FaultSpan:
    """A fault on the time axis: from its start until it ended or the objectives held again, whichever came later."""

    fault: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class HeatMap:
    """How many ok page requests took how long, when: `counts[latency bin, time bin]` between the edges."""

    time_edges_s: FloatArray
    latency_edges_ms: FloatArray
    counts: FloatArray


@dataclass(frozen=True, slots=True)
class Percentiles:
    """p50, p95 and p99 of the response time of ok requests per bin, in milliseconds."""

    p50_ms: FloatArray
    p95_ms: FloatArray
    p99_ms: FloatArray


@dataclass(frozen=True, slots=True)
class Series:
    """All curves of a run; `at_s` are the bins' middles, rates are per second whatever the bin's length,
    `orders_count` runs up, `fetched_per_s` is what the shop's own log counted, by cause, and empty without one.
    Probes are in `fetched_per_s` only."""

    bin_s: int
    end_s: float
    at_s: FloatArray
    phases: tuple[Phase, ...]
    faults: tuple[FaultSpan, ...]
    arrived_per_s: FloatArray
    pages_per_s: FloatArray
    static_per_s: FloatArray
    failed_per_s: FloatArray
    fetched_per_s: Mapping[str, FloatArray]
    orders_count: FloatArray
    pages: Percentiles
    static: Percentiles
    heat_map: HeatMap | None
    hit_ratio: FloatArray
    cpu_by_tier: Mapping[str, FloatArray]
    loop_lag_ms: FloatArray
    schedule_lag_ms: FloatArray


# Bins a chart can show apart: more than these and neighbouring seconds share one.
_MOST_BINS = 400
_BIN_LENGTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600)
_HEAT_TIME_BINS = 120
_HEAT_BINS_PER_DECADE = 10
# A hit ratio over single seconds of a few requests only flickers.
_HIT_RATIO_WINDOW_S = 5
_STATIC = Tag("response_time", "static", "ok")


def build(recording: Recording, recovered: Sequence[Recovery]) -> Series:
    """Every curve of a run, in bins of the shortest length that keeps a chart readable."""
    end_s = max(int(recording.end_s), 1)
    bin_s = next((length for length in _BIN_LENGTHS_S if end_s / length <= _MOST_BINS), end_s // _MOST_BINS + 1)
    grid = _Grid(bin_s, -(-end_s // bin_s))
    counters = recording.counters[recording.counters["page_kind"] != PROBE]
    static = counters["page_kind"] == "static"
    ok = counters["request_count"] - counters["failed_count"]
    pages, files = _latencies(recording, grid)
    return Series(
        bin_s=bin_s,
        end_s=float(end_s),
        at_s=(np.arange(grid.count, dtype=np.float64) + 0.5) * bin_s,
        phases=_phases(recording, end_s),
        faults=tuple(FaultSpan(fault.fault, fault.at_s, fault.until_s) for fault in recovered),
        arrived_per_s=grid.per_s(recording.funnel["elapsed_s"], recording.funnel["arrived_count"]),
        pages_per_s=grid.per_s(counters["elapsed_s"], ok.where(~static, 0)),
        static_per_s=grid.per_s(counters["elapsed_s"], ok.where(static, 0)),
        failed_per_s=grid.per_s(counters["elapsed_s"], counters["failed_count"]),
        fetched_per_s=_fetched(shop_fetches(recording), grid),
        orders_count=np.cumsum(grid.sums(*_orders(recording))),
        pages=pages,
        static=files,
        heat_map=_heat_map(recording, end_s),
        hit_ratio=_hit_ratio(counters, grid),
        cpu_by_tier=_cpu_by_tier(recording.tiers_by_second, grid),
        loop_lag_ms=_lag(recording, grid, "loop_lag", 100.0),
        schedule_lag_ms=_lag(recording, grid, "schedule_lag", 99.0),
    )


@dataclass(frozen=True, slots=True)
class _Grid:
    """`count` bins of `bin_s` seconds from the start of the run."""

    bin_s: int
    count: int

    def sums(self, seconds: pd.Series, values: pd.Series) -> FloatArray:
        """The sum of `values` in each bin; what lies beyond the last bin falls into it."""
        bins = np.clip(seconds.to_numpy(dtype=np.int64) // self.bin_s, 0, self.count - 1)
        into = np.zeros(self.count)
        np.add.at(into, bins, values.to_numpy(dtype=np.float64))
        return into

    def per_s(self, seconds: pd.Series, values: pd.Series) -> FloatArray:
        """The sum of each bin, per second."""
        return self.sums(seconds, values) / self.bin_s

    def merged(self, recording: Recording, wanted: Callable[[Tag], bool]) -> list[Histogram]:
        """One histogram a bin, of all intervals whose tag is wanted."""
        return recording.intervals.binned(wanted, self.bin_s, self.count)


def _phases(recording: Recording, end_s: int) -> tuple[Phase, ...]:
    start, end = recording.steady
    phases = (Phase("warm-up", 0, min(start, end_s)), Phase("steady", start, end), Phase("drain", end, end_s))
    return tuple(phase for phase in phases if phase.end_s > phase.start_s)


def _latencies(recording: Recording, grid: _Grid) -> tuple[Percentiles, Percentiles]:
    """Percentiles of ok responses per bin: pages, and static files beside them."""

    files = _percentiles(grid.merged(recording, lambda tag: tag == _STATIC))
    return _percentiles(grid.merged(recording, _of_page)), files


def _of_page(tag: Tag) -> bool:
    """Whether a tag holds the response times of ok pages."""
    return (tag.measure, tag.result) == ("response_time", "ok") and tag.page_kind not in ("static", PROBE)


def _percentiles(histograms: Iterable[Histogram]) -> Percentiles:
    empty = (np.nan,) * 3
    rows = [histogram.percentiles_us((50.0, 95.0, 99.0)) if histogram.counts else empty for histogram in histograms]
    values = np.array(rows, dtype=np.float64).reshape(-1, 3) / 1000
    return Percentiles(values[:, 0], values[:, 1], values[:, 2])


def _lag(recording: Recording, grid: _Grid, measure: str, percent: float) -> FloatArray:
    histograms = grid.merged(recording, lambda tag: tag.measure == measure)
    return np.array([h.percentile_us(percent) / 1000 if h.counts else np.nan for h in histograms])


def _orders(recording: Recording) -> tuple[pd.Series, pd.Series]:
    placed = [line for line in recording.ledger if line.action == "place_order" and line.outcome == "ok"]
    seconds = pd.Series([recording.elapsed_s(line.at) for line in placed], dtype="float64")
    return seconds, pd.Series(np.ones(len(placed)))


def _hit_ratio(counters: pd.DataFrame, grid: _Grid) -> FloatArray:
    """Hits among cacheable requests over the last seconds before each bin's end; NaN where there was none."""
    if counters["request_count"].sum() == counters["cache_none_count"].sum():
        return np.full(grid.count, np.nan)  # no cache ever said a word
    window = np.ones(max(1, _HIT_RATIO_WINDOW_S // grid.bin_s))
    hits, asked = (
        np.convolve(grid.sums(counters["elapsed_s"], counters[column]), window)[: grid.count]
        for column in ("cacheable_hit_count", "cacheable_count")
    )
    return _quotient(hits, asked)


def _fetched(fetches: pd.DataFrame, grid: _Grid) -> dict[str, FloatArray]:
    """Requests that reached the shop, by who caused them; only causes that occurred."""
    by_cause = {cause: fetches[fetches["cause"] == cause] for cause in CAUSES}
    return {
        cause: grid.per_s(rows["elapsed_s"], rows["request_count"])
        for cause, rows in by_cause.items()
        if rows["request_count"].sum()
    }


def _cpu_by_tier(tiers: pd.DataFrame, grid: _Grid) -> dict[str, FloatArray]:
    """Cores in use per tier: processes added up within a second, seconds averaged within a bin."""
    found: dict[str, FloatArray] = {}
    for tier, rows in tiers.groupby("tier"):
        sampled = grid.sums(rows["elapsed_s"], pd.Series(np.ones(len(rows))))
        cores = grid.sums(rows["elapsed_s"], rows["cpu_ratio"])
        found[str(tier)] = _quotient(cores, sampled)
    return found


def _heat_map(recording: Recording, end_s: int) -> HeatMap | None:
    """Counts of ok page requests by time and by the logarithm of their response time; None when there were none."""
    columns = min(end_s, _HEAT_TIME_BINS)
    width_s = -(-end_s // columns)
    columns = -(-end_s // width_s)
    histograms = _Grid(width_s, columns).merged(recording, _of_page)
    points = [
        (column, value_at(index) / 1000, count)
        for column, histogram in enumerate(histograms)
        for index, count in histogram.counts.items()
    ]
    if not points:
        return None
    at, latency_ms, counts = (np.array(values, dtype=np.float64) for values in zip(*points, strict=True))
    decades = np.log10(np.maximum(latency_ms, 0.01)) * _HEAT_BINS_PER_DECADE
    lowest, highest = int(np.floor(decades.min())), int(np.floor(decades.max())) + 1
    edges_ms: FloatArray = 10.0 ** (np.arange(lowest, highest + 1, dtype=np.float64) / _HEAT_BINS_PER_DECADE)
    cells = np.zeros((highest - lowest, columns))
    np.add.at(cells, (np.floor(decades).astype(int) - lowest, at.astype(int)), counts)
    return HeatMap(np.arange(columns + 1, dtype=np.float64) * width_s, edges_ms, cells)


def _quotient(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Bin by bin, NaN where the whole is 0."""
    quotient = np.full(len(whole), np.nan)
    np.divide(part, whole, out=quotient, where=whole > 0)
    return quotient
