"""Over which seconds an objective is held: the judged part of a run, each stretch of a phase, every window, a budget.

Of `[objectives]` the tables `phase.NAME`, `window."30s"` and `budget` say so; objectives.py reads the limits in them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from loadgen.units import format_duration, parse_duration

LONGEST_WINDOW_S = 86400
TABLES = ("phase", "window", "budget")
# Sums over seconds. Counts are those of a whole run, and what caches, the shop's log and the books say comes after it.
DIVISIBLE = frozenset(
    (
        "response_time_ms", "service_time_ms", "failed_ratio", "goodput_per_s", "requests.per_s",
        "sessions.abandoned_ratio", "orders.per_h", "orders.per_min",
        "cache.request_hit_ratio", "cache.byte_hit_ratio", "cache.origin_offload_ratio",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """`phase` is set for the kind "phase", `window_s` (whole seconds) for the kind "window"."""

    kind: Literal["run", "phase", "window", "budget"] = "run"
    phase: str = ""
    window_s: int = 0

    def __str__(self) -> str:
        match self.kind:
            case "phase":
                return f"in phase {self.phase}"
            case "window":
                return f"in every {format_duration(self.window_s)}"
            case "budget":
                return "as a budget"
            case _:
                return ""

    @property
    def table(self) -> tuple[str, ...]:
        """The table below `[objectives]` in which its limits stand."""
        match self.kind:
            case "phase":
                return "phase", self.phase
            case "window":
                return "window", format_duration(self.window_s)
            case "budget":
                return ("budget",)
            case _:
                return ()

    def why_not(self, path: tuple[str, ...], comparator: str, limit: float) -> str:
        """Why a figure cannot be held so, and what to do; empty when it can."""
        if self.kind == "budget":
            if path[0] != "failed_ratio" or not comparator.startswith("<"):
                return 'only failed_ratio has a budget, with an upper limit: write failed_ratio = "< 0.01"'
            return "" if 0 < limit < 1 else f"a budget must lie between 0 and 1, not at {limit:g}"
        if self.kind == "run" or path[0] in DIVISIBLE or ".".join(path) in DIVISIBLE:
            return ""
        return f"it is known of a whole run only, not {self}: put it into [objectives] itself"


RUN, BUDGET = Scope(), Scope("budget")


def tables_by_scope(table: Mapping[str, object], problems: list[str]) -> Iterator[tuple[Scope, Mapping[str, object]]]:
    """The scopes that `[objectives]` names, each with its table of limits; adds a sentence for each wrong one."""
    for kind in TABLES:
        inner = table.get(kind)
        if inner is None:
            continue
        if not isinstance(inner, Mapping):
            problems.append(f'[objectives] {kind} is {inner!r:.80}, but must be a table, as in failed_ratio = "< 0.01"')
        elif not inner:
            problems.append(f"[objectives.{kind}] holds no objectives: add one, or leave it out")
        elif kind == "budget":
            yield BUDGET, inner
        else:
            for name, limits in inner.items():
                scope = _scope(kind, name, problems)
                if not isinstance(limits, Mapping):
                    problems.append(f"[objectives.{kind}] {name} is {limits!r:.80}, but must be a table of objectives")
                elif not limits:
                    problems.append(f"[objectives.{kind}.{name}] holds no objectives: add one, or leave it out")
                elif scope is not None:
                    yield scope, limits


def _scope(kind: str, name: str, problems: list[str]) -> Scope | None:
    if kind == "phase":
        return Scope("phase", phase=name)
    try:
        seconds = parse_duration(name)
    except (ValueError, OverflowError):
        seconds = 0.0
    if seconds.is_integer() and 1 <= seconds <= LONGEST_WINDOW_S:
        return Scope("window", window_s=int(seconds))
    wanted = f"a duration of whole seconds from 1s to {format_duration(LONGEST_WINDOW_S)}, such as 30s"
    problems.append(f"[objectives.window] {name} is not a window: write {wanted}")
    return None
