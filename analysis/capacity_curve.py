"""Offered load against what came of it: each step of a capacity search with its figures, from the study's files; pure.

Figures are those of the seconds of a step that counted, after its warm-up; requests count in the second in which they
ended. Probes for leaks are nobody's load and are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import pandas as pd

from analysis.recording import Recording
from loadgen.capacity_study import CapacityRecord, SearchStep
from loadgen.histogram import Histogram
from loadgen.objectives import PERCENTILES, samples_needed
from loadgen.records import PROBE, Json

SHOWN = ("p50", "p95", "p99")
# What each session is answered falls this far short of what it is under light load: the load no longer gets through.
_SHORT_RATIO = 0.05


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A step and its figures; None where nothing was measured. Rates are per second, `cores` by tier on average.

    `offered_per_s` are sessions that arrived, `goodput_per_s` requests answered well, `response_ms` theirs by
    percentile, None where too few lie behind it.
    """

    step: SearchStep
    counted_s: int
    arrived_count: int
    orders_count: int
    requests_per_s: float | None
    goodput_per_s: float | None
    failed_ratio: float | None
    response_ms: Mapping[str, float | None]
    cores: Mapping[str, float]

    @property
    def offered_per_s(self) -> float | None:
        """Sessions that arrived per second."""
        return self.arrived_count / self.counted_s if self.counted_s else None

    @property
    def orders_per_min(self) -> float | None:
        """Orders that were acknowledged per minute."""
        return self.orders_count * 60 / self.counted_s if self.counted_s else None

    @property
    def goodput_per_session(self) -> float | None:
        """Requests answered well for each session that arrived."""
        return self.goodput_per_s / self.offered_per_s if self.goodput_per_s and self.offered_per_s else None

    def as_json(self) -> dict[str, Json]:
        """The point as it stands in summary.json."""
        return {
            "step": self.step.index,
            "rate_per_s": self.step.rate_per_s,
            "purpose": self.step.purpose,
            "outcome": self.step.outcome,
            "counted_s": self.counted_s,
            "offered_per_s": self.offered_per_s,
            "requests_per_s": self.requests_per_s,
            "goodput_per_s": self.goodput_per_s,
            "failed_ratio": self.failed_ratio,
            "response_time_ms": dict(self.response_ms),
            "orders_per_min": self.orders_per_min,
            "cores": dict(self.cores),
        }


@dataclass(frozen=True, slots=True)
class CapacityCurve:
    """The points in the order in which they were offered."""

    points: tuple[CurvePoint, ...]

    @property
    def by_load(self) -> tuple[CurvePoint, ...]:
        """The points from the lowest rate to the highest, those without any second that counted left out."""
        return tuple(sorted((point for point in self.points if point.counted_s), key=lambda each: each.step.rate_per_s))

    @property
    def peak(self) -> CurvePoint | None:
        """The point at which most was answered well; None when nothing was."""
        answered = [point for point in self.points if point.goodput_per_s]
        return max(answered, key=lambda point: point.goodput_per_s or 0.0, default=None)

    @property
    def highest_held(self) -> CurvePoint | None:
        """The highest load that held; of several steps at it the one with most seconds."""
        held = [point for point in self.points if point.step.outcome == "holds" and point.counted_s]
        return max(held, key=lambda point: (point.step.rate_per_s, point.counted_s), default=None)

    @property
    def saturates_per_s(self) -> float | None:
        """The lowest rate from which on sessions are answered less than under light load; None when they never are."""
        usual = self.usual_goodput_per_session
        saturated = None
        for point in reversed(self.by_load):
            of_session = point.goodput_per_session or 0.0
            if usual is None or of_session >= usual * (1 - _SHORT_RATIO):
                break
            saturated = point.step.rate_per_s
        return saturated

    @property
    def usual_goodput_per_session(self) -> float | None:
        """Requests answered well per session, in the median of the steps that held."""
        usual = [point.goodput_per_session for point in self.points if point.step.outcome == "holds"]
        known = [value for value in usual if value is not None]
        return median(known) if known else None

    @property
    def orders_per_session(self) -> float | None:
        """Orders per session that arrived, over all steps that held."""
        held = [point for point in self.points if point.step.outcome == "holds"]
        arrived_count = sum(point.arrived_count for point in held)
        return sum(point.orders_count for point in held) / arrived_count if arrived_count else None

    @property
    def tiers(self) -> tuple[str, ...]:
        """All tiers that were observed, by name, the generator last."""
        names = {tier for point in self.points for tier in point.cores}
        return tuple(sorted(names, key=lambda tier: (tier == "generator", tier)))


def capacity_curve(recording: Recording, record: CapacityRecord) -> CapacityCurve:
    """The curve of a search from its run and its steps."""
    return CapacityCurve(tuple(_point(recording, step) for step in record.steps))


def _point(recording: Recording, step: SearchStep) -> CurvePoint:
    start_s, end_s = step.settled_s, step.until_s
    counted_s = max(0, end_s - start_s)
    counters = _between(recording.counters, start_s, end_s)
    counters = counters[counters["page_kind"] != PROBE]
    requests, failed = int(counters["request_count"].sum()), int(counters["failed_count"].sum())
    return CurvePoint(
        step=step,
        counted_s=counted_s,
        arrived_count=int(_between(recording.funnel, start_s, end_s)["arrived_count"].sum()),
        orders_count=_orders_count(recording, start_s, end_s),
        requests_per_s=requests / counted_s if counted_s else None,
        goodput_per_s=(requests - failed) / counted_s if counted_s else None,
        failed_ratio=failed / requests if requests else None,
        response_ms=_response_ms(recording, range(start_s, end_s)),
        cores=_cores(recording, start_s, end_s),
    )


def _orders_count(recording: Recording, start_s: int, end_s: int) -> int:
    return sum(
        line.action == "place_order" and line.outcome == "ok" and start_s <= recording.elapsed_s(line.at) < end_s
        for line in recording.ledger
    )


def _response_ms(recording: Recording, seconds: Sequence[int]) -> dict[str, float | None]:
    times = Histogram()
    for second in seconds:
        for line in recording.intervals.get(second, ()):
            tag = line.tag
            if (tag.measure, tag.result) == ("response_time", "ok") and tag.page_kind != PROBE:
                times.merge(line.histogram)
    values = times.percentiles_us(tuple(PERCENTILES[name] for name in SHOWN))
    return {
        name: value_us / 1000 if times.count >= samples_needed(name) else None
        for name, value_us in zip(SHOWN, values, strict=True)
    }


def _cores(recording: Recording, start_s: int, end_s: int) -> dict[str, float]:
    """Cores in use by tier: processes added up within each second, then the mean."""
    means = _between(recording.tiers_by_second, start_s, end_s).groupby("tier")["cpu_ratio"].mean()
    return {str(tier): float(mean) for tier, mean in means.items()}


def _between(table: pd.DataFrame, start_s: int, end_s: int) -> pd.DataFrame:
    return table[(table["elapsed_s"] >= start_s) & (table["elapsed_s"] < end_s)]
