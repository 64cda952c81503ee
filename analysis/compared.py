"""The figures of one edge profile over all its parts, each with its uncertainty where seconds can be drawn again.

Counts are those of the whole runs, ratios and percentiles those of their steady phases, as in summary.json.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis import bootstrap
from analysis.bootstrap import NOTHING, Estimate, FloatArray
from analysis.compared_caches import CacheRatios, Staleness, Stampede, by_cache, staleness, stampede
from analysis.profile_safety import ProfileSafety, safety_of
from analysis.recording import Recording
from analysis.run import Analysis
from analysis.steady_seconds import Counted, Seconds, Used, seconds_of, used
from analysis.summary_paths import found, total
from analysis.verdict import Verdict
from loadgen.edge_comparison import LOAD_LIMIT_RATIO, ComparedProfile, StudyPart
from loadgen.objectives import samples_needed
from loadgen.records import Json

PERCENTS = {"p50": 50.0, "p95": 95.0, "p99": 99.0}
_WORST_FIRST = ("fail", "unknown", "pass")


@dataclass(frozen=True, slots=True)
class MeasuredPart:
    """A part that was run: what it came to, and how much of the machine it used."""

    part: StudyPart
    analysis: Analysis
    used: Used
    steady_s: int

    @property
    def verdict(self) -> Verdict:
        """The part's own verdict."""
        return self.analysis.verdict

    @property
    def above_limit(self) -> bool:
        """Whether generator or stack used more of their processors than a comparison may."""
        return any((ratio or 0.0) > LOAD_LIMIT_RATIO for ratio in (self.used.generator_ratio, self.used.stack_ratio))


@dataclass(frozen=True, slots=True)
class ProfileFigures:
    """One column of the comparison; latencies by page kind, `catalogue` and `all`, in milliseconds."""

    profile: ComparedProfile
    parts: tuple[MeasuredPart, ...]
    problems: tuple[str, ...]
    response_ms: Mapping[str, Mapping[str, Estimate]]
    request_counts: Mapping[str, int]
    request_hit_ratio: Estimate
    byte_hit_ratio: Estimate
    by_cache: Mapping[str, CacheRatios]
    offload_ratio: Estimate
    origin_per_s: Estimate
    failed_ratio: Estimate
    cpu_s_per_1000: Mapping[str, Estimate]
    cpu_total: Estimate
    age_ms: Mapping[str, Estimate]
    stampede: Stampede | None
    staleness: Staleness | None
    safety: ProfileSafety
    request_count: int
    failed_count: int
    orders_count: int
    reconciliation_difference: int | None
    reconciliation_explained: bool

    @property
    def outcome(self) -> str | None:
        """The worst verdict of its parts; None when none was run."""
        return min((part.verdict.verdict for part in self.parts), key=_WORST_FIRST.index, default=None)

    @property
    def tried(self) -> bool:
        """Whether any of its parts was begun; a study that ended early may not have come to it."""
        return bool(self.parts or self.problems)

    @property
    def spared_ratio(self) -> Estimate:
        """The offload, none of anything where no cache stands; nothing where the shop's log is missing."""
        measured = self.origin_per_s.value is not None
        return Estimate(0.0, 0.0, 0.0) if measured and not self.profile.caches else self.offload_ratio

    def response(self, group: str, percentile: str) -> Estimate:
        """A percentile of a page kind's response time; nothing where too few samples lie behind it."""
        return self.response_ms.get(group, {}).get(percentile, NOTHING)

    def as_json(self) -> dict[str, Json]:
        """The figures as they stand in a study's summary.json."""
        return {
            "caches": list(self.profile.caches),
            "outcome": self.outcome,
            "problems": list(self.problems),
            "response_time_ms": {
                group: {
                    "count": self.request_counts[group],
                    **{name: estimate.as_json() for name, estimate in estimates.items()},
                }
                for group, estimates in self.response_ms.items()
            },
            "cache": self._cache_json(),
            "cpu_s_per_1000_requests": {
                **{tier: estimate.as_json() for tier, estimate in self.cpu_s_per_1000.items()},
                "all": self.cpu_total.as_json(),
            },
            "failed_ratio": self.failed_ratio.as_json(),
            "requests": {"count": self.request_count, "failed_count": self.failed_count},
            "orders": {"acknowledged_count": self.orders_count},
            "safety": self.safety.as_json(),
        }

    def _cache_json(self) -> dict[str, Json]:
        return {
            "request_hit_ratio": self.request_hit_ratio.as_json(),
            "byte_hit_ratio": self.byte_hit_ratio.as_json(),
            "by_cache": {name: of.as_json() for name, of in self.by_cache.items()},
            "origin_offload_ratio": self.offload_ratio.as_json(),
            "origin_requests_per_s": self.origin_per_s.as_json(),
            "age_ms": {name: estimate.as_json() for name, estimate in self.age_ms.items()},
            "stampede": self.stampede.as_json() if self.stampede else None,
            "staleness": self.staleness.as_json() if self.staleness else None,
            "reconciliation": {
                "difference": self.reconciliation_difference,
                "explained": self.reconciliation_explained,
            },
        }


@dataclass(frozen=True, slots=True)
class Run:
    """A part's files, read and analysed."""

    part: StudyPart
    recording: Recording
    analysis: Analysis


def profile_figures(profile: ComparedProfile, runs: Sequence[Run], problems: Sequence[str]) -> ProfileFigures:
    """The column of a profile; `problems` tell why parts of it are missing."""
    seconds = seconds_of(run.recording for run in runs)
    drawn = bootstrap.weights(seconds.lengths)
    summaries = [run.analysis.summary for run in runs]
    requests, asked = seconds.counters["request_count"], seconds.asked
    cpu = {tier: bootstrap.ratio(cores, asked, drawn, 1000.0) for tier, cores in seconds.cpu.items()}
    return ProfileFigures(
        profile=profile,
        parts=tuple(_measured(run) for run in runs),
        problems=tuple(problems),
        response_ms={group: _percentiles(of, drawn) for group, of in seconds.response_ms.items()},
        request_counts={group: of.count for group, of in seconds.response_ms.items()},
        request_hit_ratio=_hit_ratio(profile, seconds, drawn, "count"),
        byte_hit_ratio=_hit_ratio(profile, seconds, drawn, "bytes"),
        by_cache=by_cache(summaries),
        offload_ratio=_offload(profile, seconds, drawn),
        origin_per_s=_origin_per_s(seconds, drawn),
        failed_ratio=bootstrap.ratio(seconds.counters["failed_count"], requests, drawn),
        cpu_s_per_1000=cpu,
        cpu_total=_cpu_total(seconds, drawn),
        age_ms=_percentiles(seconds.age_ms, drawn) if seconds.age_ms else {},
        stampede=stampede(summaries),
        staleness=staleness(summaries),
        safety=safety_of(profile, summaries),
        request_count=total(summaries, "requests", "count") or 0,
        failed_count=total(summaries, "requests", "failed_count") or 0,
        orders_count=total(summaries, "orders", "acknowledged_count") or 0,
        reconciliation_difference=total(summaries, "cache", "reconciliation", "difference"),
        reconciliation_explained=all(
            found(of, "cache", "reconciliation", "explained") is not False for of in summaries
        ),
    )


def _measured(run: Run) -> MeasuredPart:
    start, end = run.recording.steady
    return MeasuredPart(run.part, run.analysis, used(run.recording), end - start)


def _percentiles(of: Counted, drawn: FloatArray | None) -> dict[str, Estimate]:
    """Those percentiles that enough samples lie behind."""
    return {
        name: bootstrap.percentile(of.counts, of.values_ms, percent, drawn)
        for name, percent in PERCENTS.items()
        if of.count >= samples_needed(name)
    }


def _offload(profile: ComparedProfile, seconds: Seconds, drawn: FloatArray | None) -> Estimate:
    """The share of shoppers' well answered requests that the shop did not have to answer, nor again behind a stale
    page; nothing where no cache stands."""
    if seconds.fetched is None or not profile.caches:
        return NOTHING
    answered = seconds.counters["request_count"] - seconds.counters["failed_count"]
    return bootstrap.complement(bootstrap.ratio(seconds.fetched, answered, drawn))


def _origin_per_s(seconds: Seconds, drawn: FloatArray | None) -> Estimate:
    """Everything that the shop answered but to probes, what purges cost included."""
    if seconds.fetched is None or seconds.purges is None:
        return NOTHING
    return bootstrap.ratio(seconds.fetched + seconds.purges, np.ones(seconds.total_s), drawn)


def _cpu_total(seconds: Seconds, drawn: FloatArray | None) -> Estimate:
    if not seconds.cpu:
        return NOTHING
    return bootstrap.ratio(sum(seconds.cpu.values(), np.zeros(seconds.total_s)), seconds.asked, drawn, 1000.0)


def _hit_ratio(profile: ComparedProfile, seconds: Seconds, drawn: FloatArray | None, unit: str) -> Estimate:
    """Hits among cacheable requests; nothing where no cache stands."""
    if not profile.caches:
        return NOTHING
    hits, asked = (seconds.counters[f"cacheable_{name}{unit}"] for name in ("hit_", ""))
    return bootstrap.ratio(hits, asked, drawn)
