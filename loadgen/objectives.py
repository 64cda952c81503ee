"""Objectives: what a run must reach, parsed from `[objectives]` and decided here only, live and from the files.

An objective is a path into the figures of summary.json, and a limit: `response_time_ms.checkout.p95 = "< 500"`.
Where the path ends above a page kind, `all` is meant: `failed_ratio = "< 0.01"`. What each cache did, what the shop's
own log says and whether anything leaked is known when the run is over: while it runs, such an objective is undecided.
"""

import math
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Figures: TypeAlias = "Mapping[str, Figures] | float | int | None"
Verdict = Literal["pass", "fail", "unknown"]

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}
LATENCIES = ("response_time_ms", "service_time_ms")
_BY_PAGE_KIND = ("failed_ratio",)
_PLAIN = (
    "requests.per_s", "sessions.abandoned_ratio", "sessions.dropped_count", "orders.per_h", "orders.acknowledged_count",
    "cache.request_hit_ratio", "cache.byte_hit_ratio", "cache.origin_offload_ratio",
    "cache.origin.offload_ratio", "safety.alarm_count",
)  # fmt: skip
_OF_CACHES = ("request_hit_ratio", "byte_hit_ratio")
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_LIMIT = re.compile(r"\s*(<=|>=|<|>)\s*([0-9.eE+-]+)\s*")
NAMES = (
    *(f"{latency}.<page kind|all>.<{'|'.join([*PERCENTILES, 'max'])}>" for latency in LATENCIES),
    *(f"{name}[.<page kind>]" for name in _BY_PAGE_KIND),
    *_PLAIN,
    f"cache.by_cache.<cache>.<page kind|all>.<{'|'.join(_OF_CACHES)}>",
)


@dataclass(frozen=True, slots=True)
class Objective:
    """A figure's path and the limit it must keep."""

    path: tuple[str, ...]
    comparator: str
    limit: float

    def __str__(self) -> str:
        return f"{self.name} {self.comparator} {self.limit:g}"

    @property
    def name(self) -> str:
        """The path as it is written in a scenario."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of an objective; `reason` is one sentence."""

    objective: Objective
    value: float | None
    outcome: Verdict
    reason: str


def parse_objectives(table: Mapping[str, object]) -> tuple[tuple[Objective, ...], list[str]]:
    """The objectives of a TOML table, and a sentence for everything that is wrong with it."""
    objectives: list[Objective] = []
    problems: list[str] = []
    for path, text in _leaves(table, ()):
        limit = _LIMIT.fullmatch(text) if isinstance(text, str) else None
        if not _is_known(path):
            problems.append(f"objective {'.'.join(path)} is unknown; known: {', '.join(NAMES)}")
        elif limit is None or (number := _number(limit[2])) is None:
            problems.append(f'objective {".".join(path)}: {text!r} is not a limit; write "< 500" or ">= 0.7"')
        else:
            objectives.append(Objective(path, limit[1], number))
    return tuple(objectives), problems


def decide(objective: Objective, figures: Figures) -> Decision:
    """Hold an objective against the figures. No figure, or too few samples for a percentile, is unknown, not pass."""
    found, parent = figures, figures
    for part in objective.path:
        parent = found
        found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, Mapping):
        parent, found = found, found.get("all")
    if isinstance(found, Mapping) or found is None:
        return Decision(objective, None, "unknown", f"{objective}: nothing was measured")
    if (missing := _missing_samples(objective, parent)) > 0:
        return Decision(objective, found, "unknown", f"{objective}: too few samples, {missing} more are needed")
    holds = _COMPARE[objective.comparator](found, objective.limit)
    sentence = f"{objective.name} is {found:.4g}, {'as' if holds else 'not'} {objective.comparator} {objective.limit:g}"
    return Decision(objective, found, "pass" if holds else "fail", sentence)


def samples_needed(percentile: str) -> int:
    """The fewest samples from which a percentile is read: one must lie beyond it (p95: 20, p99: 100)."""
    return math.ceil(round(100 / (100 - PERCENTILES[percentile]), 6)) if percentile in PERCENTILES else 1


def _missing_samples(objective: Objective, parent: Figures) -> int:
    count = parent.get("count") if isinstance(parent, Mapping) else None
    if not isinstance(count, int) or objective.path[0] not in LATENCIES:
        return 0
    return samples_needed(objective.path[-1]) - count


def _leaves(table: Mapping[str, object], above: tuple[str, ...]) -> list[tuple[tuple[str, ...], object]]:
    leaves: list[tuple[tuple[str, ...], object]] = []
    for key, value in table.items():
        path = (*above, *key.split(".")) if not above else (*above, key)
        leaves += _leaves(value, path) if isinstance(value, Mapping) else [(path, value)]
    return leaves


def _is_known(path: tuple[str, ...]) -> bool:
    if path[0] in LATENCIES:
        return len(path) == 3 and path[2] in (*PERCENTILES, "max")
    if path[:2] == ("cache", "by_cache"):
        return len(path) == 5 and path[4] in _OF_CACHES
    return ".".join(path) in _PLAIN or (path[0] in _BY_PAGE_KIND and len(path) <= 2)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
