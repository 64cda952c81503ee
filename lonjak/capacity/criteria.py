"""A scenario's objectives as what a search can hold a step against, second by second; pure.

`p95 < L` says that no twentieth of the requests takes L or longer, which each request answers by itself: it becomes a
share. What is a ratio of each second becomes a level. The rest is set aside, with the reason, and decided at the end.
"""

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from loadgen.capacity_study import SetAside
from loadgen.errors import UsageProblem
from loadgen.histogram import Histogram, value_at
from loadgen.objectives import LATENCIES, PERCENTILES, Objective
from loadgen.records import PROBE
from lonjak.capacity.observation import Criterion, Level, Share

Comparator: TypeAlias = Literal["<", "<=", ">", ">="]
COMPARATORS: tuple[Comparator, ...] = ("<", "<=", ">", ">=")
ALL = "all"
ABANDONED = "sessions.abandoned_ratio"
RATIO_COLUMNS: Mapping[str, tuple[str, str]] = {
    "cache.request_hit_ratio": ("cacheable_hit_count", "cacheable_count"),
    "cache.byte_hit_ratio": ("cacheable_hit_bytes", "cacheable_bytes"),
}
"""Levels, with the columns of counters.csv whose quotient each is."""
_GROWS = "it grows with the load that is offered, so that a low rate would miss it however well the shop does"
_AT_THE_END = "it is known when the run is over"
_SET_ASIDE = {
    "requests.per_s": _GROWS,
    "goodput_per_s": _GROWS,
    "orders.per_h": _GROWS,
    "orders.per_min": _GROWS,
    "orders.acknowledged_count": _GROWS,
    "sessions.dropped_count": "sessions that find no room are the generator's limit, which is watched all the time",
    "cache.origin_offload_ratio": _AT_THE_END,
    "cache.origin.offload_ratio": _AT_THE_END,
    "safety.alarm_count": _AT_THE_END,
}
Measure: TypeAlias = Literal["response_time", "service_time", "failed", "abandoned"]


@dataclass(frozen=True, slots=True)
class SharedBy:
    """A share, and which requests are bad: those that break `objective`'s limit by themselves, or that failed."""

    share: Share
    objective: Objective
    measure: Measure
    page_kind: str

    def concerns(self, page_kind: str) -> bool:
        """Whether requests for a page kind count; those that look for leaks do by their own name only."""
        return page_kind == self.page_kind or (self.page_kind == ALL and page_kind != PROBE)

    def bad_count(self, histogram: Histogram) -> int:
        """How many of these latencies break the limit, each read as percentiles are."""
        limit_us = self.objective.limit * 1000
        reached = operator.ge if self.objective.comparator == "<" else operator.gt
        return sum(count for index, count in histogram.counts.items() if reached(value_at(index), limit_us))


@dataclass(frozen=True, slots=True)
class LeveledBy:
    """A level, and the two columns of counters.csv whose quotient it is."""

    level: Level
    columns: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a search holds each step against, and what it leaves for the end."""

    shares: tuple[SharedBy, ...]
    levels: tuple[LeveledBy, ...]
    set_aside: tuple[SetAside, ...]

    @property
    def searched(self) -> tuple[Criterion, ...]:
        """What a search is told of."""
        return (*(of.share for of in self.shares), *(of.level for of in self.levels))

    @property
    def slowest_limit_s(self) -> float:
        """How long the slowest request may take that any share still finds good; seconds."""
        latencies = [of.objective.limit / 1000 for of in self.shares if of.objective.path[0] in LATENCIES]
        return max(latencies, default=0.0)


def criteria_of(objectives: Iterable[Objective]) -> Criteria:
    """The criteria of these objectives; UsageProblem when none of them can be searched for."""
    shares: list[SharedBy] = []
    levels: list[LeveledBy] = []
    aside: list[SetAside] = []
    for objective in objectives:
        match _criterion(objective):
            case SharedBy() as share:
                shares.append(share)
            case LeveledBy() as level:
                levels.append(level)
            case str() as why:
                aside.append(SetAside(str(objective), why))
    if not shares and not levels:
        told = "; ".join(f"{left.objective}: {left.why}" for left in aside) or "there is none"
        raise UsageProblem(
            f"no objective bounds the load from above ({told}): give one such as "
            'response_time_ms.all.p95 = "< 300" or failed_ratio = "< 0.01"'
        )
    return Criteria(tuple(shares), tuple(levels), tuple(aside))


def _criterion(objective: Objective) -> SharedBy | LeveledBy | str:
    """What an objective becomes; the reason, where nothing can be searched for by it."""
    path, name = objective.path, objective.name
    if objective.scope.kind in ("phase", "window"):
        return "it is held in a phase or a window of its own, and a step of a search is neither"
    if path[0] in LATENCIES:
        return _latency(objective)
    if path[0] == "failed_ratio":
        return _ratio(objective, "failed", path[1] if len(path) > 1 else ALL)
    if name == ABANDONED:
        return _ratio(objective, "abandoned", ALL)
    if name in RATIO_COLUMNS:
        comparator: Comparator = next(known for known in COMPARATORS if known == objective.comparator)
        return LeveledBy(Level(str(objective), comparator, objective.limit), RATIO_COLUMNS[name])
    return _SET_ASIDE.get(name) or _SET_ASIDE.get(path[0], _AT_THE_END)


def _latency(objective: Objective) -> SharedBy | str:
    measure, page_kind, percentile = objective.path
    if percentile not in PERCENTILES:
        return "one request decides it, so that no rate keeps it with any certainty"
    if objective.comparator in (">", ">="):
        return "no load is too much for a limit that is kept by being slow"
    bound = round(1 - PERCENTILES[percentile] / 100, 6)
    kind: Measure = "response_time" if measure == "response_time_ms" else "service_time"
    return SharedBy(Share(str(objective), bound), objective, kind, page_kind)


def _ratio(objective: Objective, measure: Measure, page_kind: str) -> SharedBy | str:
    if objective.comparator in (">", ">="):
        return "no load is too much for a limit that is kept by failing"
    if not 0 < objective.limit < 1:
        return f"a share of {objective.limit:g} is no limit that a sample of requests could be held against"
    return SharedBy(Share(str(objective), objective.limit), objective, measure, page_kind)
