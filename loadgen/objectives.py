"""Objectives: what a run must reach, parsed from `[objectives]` and decided here only, live and from the files.

An objective is a path into the figures of summary.json, and a limit: `response_time_ms.checkout.p95 = "< 500"`.
Where the path ends above a page kind, `all` is meant: `failed_ratio = "< 0.01"`. It is held over the judged part of the
run, or as its scope says. What each cache did, what the shop's own log and books say and whether anything leaked is
known when the run is over: while it runs, such an objective is undecided.
"""

import math
import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from loadgen.objective_scopes import RUN, TABLES, Scope, tables_by_scope

Figures: TypeAlias = "Mapping[str, Figures] | float | int | None"
Verdict = Literal["pass", "fail", "unknown"]

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}
LATENCIES = ("response_time_ms", "service_time_ms")
_BY_PAGE_KIND = ("failed_ratio", "goodput_per_s")
_PLAIN = (
    "requests.per_s", "sessions.abandoned_ratio", "sessions.dropped_count",
    "orders.per_h", "orders.per_min", "orders.acknowledged_count",
    "cache.request_hit_ratio", "cache.byte_hit_ratio", "cache.origin_offload_ratio",
    "cache.origin.offload_ratio", "safety.alarm_count", "audit.violation_count",
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
    scope: Scope = RUN

    def __str__(self) -> str:
        return f"{self.name} {self.asked}"

    @property
    def name(self) -> str:
        """The path as it is written in a scenario."""
        return ".".join(self.path)

    @property
    def asked(self) -> str:
        """The limit, and where it is held: `< 500 in every 30s`."""
        return f"{self.comparator} {self.limit:g} {self.scope}".rstrip()

    def holds(self, value: float) -> bool:
        """Whether a value keeps the limit."""
        return bool(_COMPARE[self.comparator](value, self.limit))

    def worse(self, value: float, than: float) -> bool:
        """Whether a value is further from the limit's good side than another."""
        return value > than if self.comparator.startswith("<") else value < than


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of an objective; `reason` is one sentence.

    Of windows and of the stretches of a phase the worst one decides: it begins `at_s` seconds after the run.
    """

    objective: Objective
    value: float | None
    outcome: Verdict
    reason: str
    at_s: int | None = None


def parse_objectives(table: Mapping[str, object]) -> tuple[tuple[Objective, ...], list[str]]:
    """The objectives of a TOML table, and a sentence for everything that is wrong with it."""
    problems: list[str] = []
    objectives = _read({key: value for key, value in table.items() if key not in TABLES}, RUN, problems)
    for scope, inner in tables_by_scope(table, problems):
        objectives += _read(inner, scope, problems)
    return tuple(objectives), problems


def parse_condition(path: tuple[str, ...], text: object, example: str) -> Objective | str:
    """One figure and its limit, or a sentence that says what is wrong; `example` is a limit as it should be."""
    name = ".".join(path)
    limit = _LIMIT.fullmatch(text) if isinstance(text, str) else None
    if not _is_known(path):
        return f"objective {name} is unknown; known: {', '.join(NAMES)}"
    if limit is None or (number := _number(limit[2])) is None:
        return f"objective {name}: {text!r:.80} is not a limit; write {example}"
    return Objective(path, limit[1], number)


def leaves(table: Mapping[str, object], above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    """The values of a TOML table with the paths to them, which may also be written as one quoted key."""
    found: list[tuple[tuple[str, ...], object]] = []
    for key, value in table.items():
        path = (*above, key) if above else _split(key)
        found += leaves(value, path) if isinstance(value, Mapping) else [(path, value)]
    return found


def decide(objective: Objective, figures: Figures) -> Decision:
    """Hold an objective against the figures of its seconds. No figure, or too few samples, is unknown, never pass."""
    found, parent = figures, figures
    for part in objective.path:
        parent = found
        found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, Mapping):
        parent, found = found, found.get("all")
    if isinstance(found, Mapping) or found is None:
        return Decision(objective, None, "unknown", f"{objective}: nothing was measured{_why(objective, figures)}")
    if doubt := _doubt(objective, parent, figures):
        return Decision(objective, found, "unknown", f"{objective}: {doubt}")
    holds = objective.holds(found)
    sentence = f"{objective.name} is {found:.4g}, {'as' if holds else 'not'} {objective.asked}"
    return Decision(objective, found, "pass" if holds else "fail", sentence)


def samples_needed(percentile: str) -> int:
    """The fewest samples from which a percentile is read: one must lie beyond it (p95: 20, p99: 100)."""
    return math.ceil(round(100 / (100 - PERCENTILES[percentile]), 6)) if percentile in PERCENTILES else 1


def _doubt(objective: Objective, parent: Figures, figures: Figures) -> str:
    """Why a figure that is there says nothing; empty when it does."""
    count = parent.get("count") if isinstance(parent, Mapping) else None
    if objective.path[0] in LATENCIES and isinstance(count, int):
        missing = samples_needed(objective.path[-1]) - count
        return f"too few samples, {missing} more are needed" if missing > 0 else ""
    if objective.path[0] == "failed_ratio" and _request_count(objective, figures) == 1:
        return "too few samples, 1 more is needed: of one request the ratio is 0 or 1 whatever the shop is like"
    return ""


def _why(objective: Objective, figures: Figures) -> str:
    """Why a figure by page kind is not there: nobody asked for such a page, or no answer was right."""
    if objective.path[0] not in (*LATENCIES, *_BY_PAGE_KIND) or not isinstance(figures, Mapping):
        return ""
    kind = _kind_of(objective)
    if _request_count(objective, figures):
        return f", as no request{'' if kind == 'all' else f' of page kind {kind}'} was answered well"
    return ", as there was no request" if kind == "all" else f", as there was no request of page kind {kind}"


def _kind_of(objective: Objective) -> str:
    return objective.path[1] if len(objective.path) > 1 else "all"


def _request_count(objective: Objective, figures: Figures) -> float | None:
    counts = figures.get("request_count") if isinstance(figures, Mapping) else None
    count = counts.get(_kind_of(objective)) if isinstance(counts, Mapping) else None
    return None if isinstance(count, Mapping) else count


def _read(table: Mapping[str, object], scope: Scope, problems: list[str]) -> list[Objective]:
    objectives: list[Objective] = []
    for path, text in leaves(table):
        found = parse_condition(path, text, '"< 500" or ">= 0.7"')
        if isinstance(found, str):
            problems.append(f"[objectives.{'.'.join(scope.table)}] {found}" if scope != RUN else found)
        elif why := scope.why_not(found.path, found.comparator, found.limit):
            problems.append(f"[objectives.{'.'.join(scope.table)}] {found}: {why}")
        else:
            objectives.append(replace(found, scope=scope))
    return objectives


def _split(key: str) -> tuple[str, ...]:
    """A path that is written as one key; a page kind in it may hold dots."""
    first, _, rest = key.partition(".")
    if first in _BY_PAGE_KIND and rest:
        return first, rest
    kind, _, last = rest.rpartition(".")
    return (first, kind, last) if first in LATENCIES and kind else tuple(key.split("."))


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
