"""The steady phase of a run second by second, and several such phases side by side: what intervals are drawn from.

Between a `Recording` and analysis.compared: sums per second, so that any choice of seconds gives a figure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.bootstrap import FloatArray
from analysis.origin_load import OPERATORS, shop_fetches
from analysis.recording import Recording
from loadgen.histogram import value_at
from loadgen.hlog import Tag
from loadgen.records import PROBE

CATALOGUE = "catalogue"
CATALOGUE_KINDS = ("home", "category", "search", "product")
ALL = "all"
_GENERATOR = "generator"  # a tier
_FETCHED, _PURGE = ("client", "background"), "purge"  # causes
_COUNTERS = (
    "request_count", "failed_count", "received_bytes",
    "cacheable_count", "cacheable_hit_count", "cacheable_bytes", "cacheable_hit_bytes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counted:
    """Latencies by second: `counts[second, value]` of the ascending `values_ms`."""

    counts: FloatArray
    values_ms: FloatArray

    @property
    def count(self) -> int:
        """How many requests were counted."""
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True)
class Seconds:
    """Steady seconds of one part or of several; `lengths` says how many each of them has, in the order of the arrays.

    `counters` are what shoppers asked, by column of counters.csv, `asked` what shoppers and probes did; `fetched` is
    what reached the shop of shoppers' requests, refreshes behind stale answers included, and `purges` what its caches
    were told to fetch, both None where the shop's own log is missing. `cpu` are core seconds by tier without the
    generator's, `age_ms` how old what came from a cache was.
    """

    lengths: tuple[int, ...]
    counters: Mapping[str, FloatArray]
    asked: FloatArray
    fetched: FloatArray | None
    purges: FloatArray | None
    cpu: Mapping[str, FloatArray]
    generator_cpu: FloatArray
    response_ms: Mapping[str, Counted]
    age_ms: Counted | None

    @property
    def total_s(self) -> int:
        """How many seconds there are."""
        return sum(self.lengths)


def seconds_of(recordings: Iterable[Recording]) -> Seconds:
    """The steady seconds of these recordings; those that never got there add none."""
    steady = [recording for recording in recordings if recording.steady[0] < recording.steady[1]]
    lengths = tuple(end - start for start, end in (recording.steady for recording in steady))
    fetches = [shop_fetches(recording) for recording in steady]
    logged = bool(steady) and all(map(len, fetches))
    tiers = sorted({str(tier) for recording in steady for tier in recording.tiers["tier"].unique()})
    cpu = {tier: _joined([_cpu(recording, tier) for recording in steady]) for tier in tiers}
    return Seconds(
        lengths=lengths,
        counters={column: _joined([_asked(of, column, PROBE) for of in steady]) for column in _COUNTERS},
        asked=_joined([_asked(of, "request_count") for of in steady]),
        fetched=_joined(list(map(_fetched, steady, fetches))) if logged else None,
        purges=_joined(list(map(_purges, steady, fetches))) if logged else None,
        cpu={tier: cores for tier, cores in cpu.items() if tier != _GENERATOR},
        generator_cpu=cpu.get(_GENERATOR, np.zeros(sum(lengths))),
        response_ms=_latencies(steady, _responses),
        age_ms=_latencies(steady, _ages).get(ALL),
    )


@dataclass(frozen=True, slots=True)
class Used:
    """How much of their processors generator and stack used in the steady phase on average; 1 is all of them.

    None where nobody looked.
    """

    generator_ratio: float | None
    stack_ratio: float | None


def used(recording: Recording) -> Used:
    """What one run used of this machine, from tiers.csv: each process with its whole family."""
    seconds = seconds_of([recording])
    if not len(recording.tiers) or not seconds.total_s:
        return Used(None, None)
    cpu_sets = recording.manifest.cpu_sets
    stack = sum((cores for cores in seconds.cpu.values()), np.zeros(seconds.total_s))
    return Used(_share(seconds.generator_cpu, cpu_sets.get("generator")), _share(stack, cpu_sets.get("stack")))


def _share(cores: FloatArray, cpus: Sequence[int] | None) -> float | None:
    return float(cores.mean()) / len(cpus) if cpus else None


def _joined(arrays: Sequence[FloatArray]) -> FloatArray:
    return np.concatenate(arrays) if arrays else np.zeros(0)


def _sums(recording: Recording, table: pd.DataFrame, column: str) -> FloatArray:
    """The sum of a column in each steady second."""
    start, end = recording.steady
    into = np.zeros(end - start)
    inside = table[(table["elapsed_s"] >= start) & (table["elapsed_s"] < end)]
    np.add.at(into, inside["elapsed_s"].to_numpy(dtype=np.int64) - start, inside[column].to_numpy(dtype=np.float64))
    return into


def _asked(recording: Recording, column: str, *without: str) -> FloatArray:
    """A column of counters.csv over all page kinds but the operators' and those left out."""
    counters = recording.counters
    return _sums(recording, counters[~counters["page_kind"].isin((OPERATORS, *without))], column)


def _fetched(recording: Recording, fetches: pd.DataFrame) -> FloatArray:
    return _sums(recording, fetches[fetches["cause"].isin(_FETCHED)], "request_count")


def _purges(recording: Recording, fetches: pd.DataFrame) -> FloatArray:
    return _sums(recording, fetches[fetches["cause"] == _PURGE], "request_count")


def _cpu(recording: Recording, tier: str) -> FloatArray:
    """Core seconds of a tier in each second; a process sampled twice in a second counts once."""
    tiers = recording.tiers_by_second
    return _sums(recording, tiers[tiers["tier"] == tier], "cpu_ratio")


def _latencies(steady: Sequence[Recording], groups_of: Callable[[Tag], Sequence[str]]) -> dict[str, Counted]:
    """The histograms of each steady second, by the groups that a tag belongs to."""
    groups = sorted({group for recording in steady for tag in recording.intervals.tags for group in groups_of(tag)})
    found = {group: _counted(steady, group, groups_of) for group in groups}
    return {group: counted for group, counted in found.items() if counted.count}


def _responses(tag: Tag) -> Sequence[str]:
    """Response times of ok requests: by page kind, of the catalogue's pages together, and of all."""
    if (tag.measure, tag.result) != ("response_time", "ok") or tag.page_kind == PROBE:
        return ()
    return (tag.page_kind, ALL, *((CATALOGUE,) if tag.page_kind in CATALOGUE_KINDS else ()))


def _ages(tag: Tag) -> Sequence[str]:
    return (ALL,) if tag.measure == "age" else ()


def _counted(steady: Sequence[Recording], group: str, groups_of: Callable[[Tag], Sequence[str]]) -> Counted:
    parts = [recording.intervals.counts(lambda tag: group in groups_of(tag), *recording.steady) for recording in steady]
    buckets = np.unique(np.concatenate([of for _, of in parts])) if parts else np.zeros(0, np.int64)
    counts = np.zeros((sum(len(table) for table, _ in parts), len(buckets)))
    first = 0
    for table, of in parts:
        counts[first : first + len(table), np.searchsorted(buckets, of)] = table
        first += len(table)
    return Counted(counts, np.array([value_at(bucket) / 1000 for bucket in buckets.tolist()]))
