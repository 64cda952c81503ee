"""A run directory read into memory: the one reader of its files; everything else in analysis works on a `Recording`.

Files that are absent are empty tables, torn last lines are gone, any other damage raises RunDirectoryProblem.
"""

import tomllib
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pandas as pd

from analysis.intervals import Intervals
from analysis.tables import REAL_COLUMNS, read_table
from analysis.truth import Truth, read_truth
from loadgen.errors import RunDirectoryProblem
from loadgen.hlog import log_started_at, read_packed
from loadgen.manifest import Manifest
from loadgen.objectives import Objective, parse_objectives
from loadgen.records import (
    CACHES_COLUMNS,
    COUNTERS_COLUMNS,
    FUNNEL_COLUMNS,
    ORIGIN_COLUMNS,
    ORIGIN_KEYS_COLUMNS,
    QUEUES_COLUMNS,
    SAFETY_COLUMNS,
    SESSIONS_COLUMNS,
    SIGHTINGS_COLUMNS,
    TIERS_COLUMNS,
    Event,
    LedgerLine,
    read_lines,
)
from loadgen.rundir import RunDirectory
from loadgen.tally import Tally

_Line = TypeVar("_Line", Event, LedgerLine)


@dataclass(frozen=True)  # no slots: cached_property
class Recording:
    """All that a run recorded; tables have the columns of loadgen.records, numbers as numbers."""

    manifest: Manifest
    objectives: tuple[Objective, ...]
    counters: pd.DataFrame
    funnel: pd.DataFrame
    tiers: pd.DataFrame
    origin: pd.DataFrame
    origin_keys: pd.DataFrame
    caches: pd.DataFrame
    sightings: pd.DataFrame
    safety: pd.DataFrame
    sessions: pd.DataFrame
    queues: pd.DataFrame
    intervals: Intervals
    events: tuple[Event, ...]
    ledger: tuple[LedgerLine, ...]
    truth: Truth | None
    log_started_at: float | None = None  # as latency.hlog itself has it

    @cached_property
    def tiers_by_second(self) -> pd.DataFrame:
        """Cores and memory by tier and second, processes added up; a process sampled twice in a second counts once."""
        measures = ["cpu_ratio", "memory_bytes"]
        sampled = self.tiers.groupby(["tier", "elapsed_s", "role"])[measures].mean()
        return sampled.groupby(level=["tier", "elapsed_s"]).sum().reset_index()

    def elapsed_s(self, at: float) -> float:
        """An instant (seconds since the epoch) on the run's own time axis."""
        return at - self.manifest.started_at

    def events_of(self, kind: str) -> list[Event]:
        """The events of a kind, in the order written."""
        return [event for event in self.events if event.kind == kind]

    @cached_property
    def end_s(self) -> float:
        """Where the record ends: after the last second that holds anything."""
        seconds = [table["elapsed_s"].max() for table in (self.counters, self.tiers, self.funnel) if len(table)]
        last = max([*map(int, seconds), self.intervals.last_s])
        return float(last + 1)

    @cached_property
    def steady(self) -> tuple[int, int]:
        """First second of the steady phase and the one after its last; equal when the run never got there."""
        plan = self.manifest.plan
        ends = [self.elapsed_s(event.at) for event in self.events_of("arrivals_ended")]
        planned = plan.duration_s if 0 < plan.duration_s < float("inf") else self.end_s
        start = int(plan.warmup_s)
        # Arrivals end a few milliseconds after their second began: a rounded end gives the second back.
        return start, max(start, round(min([planned, self.end_s, *ends])))

    def steady_rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows of a table whose second belongs to the steady phase."""
        return _between(table, *self.steady)

    @cached_property
    def _ledger_by_instant(self) -> tuple[list[float], list[LedgerLine]]:
        lines = sorted(self.ledger, key=lambda line: line.at)
        return [self.elapsed_s(line.at) for line in lines], lines

    def tally(self, start_s: float, end_s: float) -> Tally:
        """Everything recorded in the seconds from `start_s` up to, not including, `end_s`."""
        tally = Tally()
        for tag, histogram in self.intervals.summed(start_s, end_s):
            tally.add_histogram(tag, histogram)
        for kind, counts in _sums(_between(self.counters, start_s, end_s), "page_kind"):
            tally.add_counters(kind, {name: int(count) for name, count in counts.items()})
        for _, sums in _sums(_between(self.funnel, start_s, end_s), "segment"):
            tally.add_funnel({name: _number(name, value) for name, value in sums.items()})
        instants, lines = self._ledger_by_instant
        for line in lines[bisect_left(instants, start_s) : bisect_left(instants, end_s)]:
            tally.add_ledger(line)
        return tally


def read(run: RunDirectory) -> Recording:
    """The run's files; RunDirectoryProblem when one is damaged otherwise than by a torn end."""
    manifest = Manifest.read(run.manifest)
    missing = [path.name for path in (run.counters, run.funnel, run.events) if not path.exists()]
    if manifest.complete and missing:
        raise RunDirectoryProblem(f"{run.path} is damaged: {', '.join(missing)} is missing")
    return Recording(
        manifest=manifest,
        objectives=_objectives(run.scenario, complete=manifest.complete),
        counters=read_table(run.counters, COUNTERS_COLUMNS),
        funnel=read_table(run.funnel, FUNNEL_COLUMNS),
        tiers=read_table(run.tiers, TIERS_COLUMNS),
        origin=read_table(run.origin, ORIGIN_COLUMNS),
        origin_keys=read_table(run.origin_keys, ORIGIN_KEYS_COLUMNS),
        caches=read_table(run.caches, CACHES_COLUMNS),
        sightings=read_table(run.sightings, SIGHTINGS_COLUMNS),
        safety=read_table(run.safety, SAFETY_COLUMNS),
        sessions=read_table(run.sessions, SESSIONS_COLUMNS),
        queues=read_table(run.queues, QUEUES_COLUMNS),
        intervals=_intervals(run.hlog),
        events=tuple(_parsed(run.events, Event)),
        ledger=tuple(_parsed(run.ledger, LedgerLine)),
        truth=read_truth(run.truth),
        log_started_at=log_started_at(run.hlog),
    )


def _intervals(path: Path) -> Intervals:
    try:
        return Intervals(read_packed(path))
    except ValueError as error:
        raise RunDirectoryProblem(f"{path.name} is damaged: {error}") from None


def _objectives(path: Path, *, complete: bool) -> tuple[Objective, ...]:
    """The objectives as run; read without load_scenario, whose answer would depend on today's environment.

    Every whole run has the file: without it a run that missed its objectives would seem to have had none.
    """
    if not path.exists():
        if complete:
            raise RunDirectoryProblem(f"{path.parent} is damaged: {path.name} is missing")
        return ()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("objectives", {})
    except (OSError, ValueError) as error:
        raise RunDirectoryProblem(f"{path.name} is damaged: {error}") from None
    objectives, problems = parse_objectives(table) if isinstance(table, dict) else ((), ["[objectives] is not a table"])
    if problems:
        raise RunDirectoryProblem(f"{path.name} is damaged: {problems[0]}")
    return objectives


def _parsed(path: Path, line_type: type[_Line]) -> Iterator[_Line]:
    for number, line in enumerate(read_lines(path), start=1):
        try:
            yield line_type.from_json(line)
        except ValueError as error:
            raise RunDirectoryProblem(f"{path.name} is damaged at line {number}: {error}") from None


def _between(table: pd.DataFrame, start_s: float, end_s: float) -> pd.DataFrame:
    return table[(table["elapsed_s"] >= start_s) & (table["elapsed_s"] < end_s)]


def _sums(table: pd.DataFrame, key: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Column sums by `key`, in the order of the keys."""
    for name, sums in table.drop(columns="elapsed_s").groupby(key).sum().iterrows():
        yield str(name), {str(column): value for column, value in sums.items()}


def _number(name: str, value: float) -> float:
    return float(value) if name in REAL_COLUMNS else int(value)
