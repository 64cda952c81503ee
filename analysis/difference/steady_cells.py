"""The steady seconds of the runs of a side, as sums that can be drawn again; between `Recording` and the figures.

Long runs are summed in cells of several seconds, exactly: sparse histograms merge by adding. What is resampled then is
never more than a few hundred cells, however long a run was.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.bootstrap import FloatArray
from analysis.origin_load import OPERATORS
from analysis.recording import Recording
from analysis.steady_seconds import ALL, Counted
from loadgen.histogram import Histogram, value_at
from loadgen.records import PROBE

MOST_CELLS = 600
_NO_SHOPPERS = (OPERATORS, PROBE)
# A request of less than a microsecond has a logarithm as well.
_SHORTEST_MS = 0.001


@dataclass(frozen=True, slots=True)
class Cells:
    """The steady phases of a side's runs one after the other; `lengths` are their numbers of cells of `cell_s` seconds.

    `latencies` are response times of ok requests, `asked` and `failed` counts, all by page kind and `all`; `arrived`
    and `paid` are sessions by the cell of their arrival. Every array has a row for each cell.
    """

    cell_s: int
    lengths: tuple[int, ...]
    latencies: Mapping[str, Counted]
    asked: Mapping[str, FloatArray]
    failed: Mapping[str, FloatArray]
    arrived: FloatArray
    paid: FloatArray

    @property
    def ok(self) -> FloatArray:
        """Requests of all page kinds that were answered rightly."""
        return np.asarray(self.asked[ALL] - self.failed[ALL])

    @property
    def total_s(self) -> int:
        """Steady seconds of all runs together."""
        return sum(self.lengths) * self.cell_s

    @property
    def run_count(self) -> int:
        """How many runs there are."""
        return len(self.lengths)


def cell_length_s(sides: Iterable[Sequence[Recording]]) -> int:
    """How many seconds make a cell, the same on all sides, so that none has more than MOST_CELLS."""
    longest = max((sum(_steady_s(recording) for recording in side) for side in sides), default=0)
    return max(1, -(-longest // MOST_CELLS))


def cells_of(recordings: Sequence[Recording], cell_s: int) -> Cells:
    """The cells of one side's runs; seconds at a run's end that fill no cell belong to its last one."""
    lengths = tuple(max(1, _steady_s(recording) // cell_s) for recording in recordings)
    place = _Place(recordings, lengths, cell_s)
    kinds = sorted({str(kind) for recording in recordings for kind in recording.counters["page_kind"].unique()})
    shown = [kind for kind in kinds if kind not in _NO_SHOPPERS]
    asked, failed = (
        {kind: place.sums([_of_kind(recording, kind) for recording in recordings], column) for kind in shown}
        for column in ("request_count", "failed_count")
    )
    none = np.zeros(sum(lengths))
    funnels = [recording.funnel for recording in recordings]
    return Cells(
        cell_s=cell_s,
        lengths=lengths,
        latencies=_latencies(recordings, place, sum(lengths)),
        asked={**asked, ALL: sum(asked.values(), none)},
        failed={**failed, ALL: sum(failed.values(), none)},
        arrived=place.sums(funnels, "arrived_count"),
        paid=place.sums(funnels, "paid_count"),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where each second of each run is counted."""

    recordings: Sequence[Recording]
    lengths: tuple[int, ...]
    cell_s: int

    def cell(self, run: int, second: int) -> int | None:
        """The row of a second of a run; None outside its steady phase."""
        start, end = self.recordings[run].steady
        if not start <= second < end:
            return None
        return sum(self.lengths[:run]) + min((second - start) // self.cell_s, self.lengths[run] - 1)

    def sums(self, tables: Sequence[pd.DataFrame], column: str) -> FloatArray:
        """A column of each run's table, summed by cell."""
        into = np.zeros(sum(self.lengths))
        for run, table in enumerate(tables):
            for second, value in zip(table["elapsed_s"], table[column], strict=True):
                if (cell := self.cell(run, int(second))) is not None:
                    into[cell] += float(value)
        return into


def _steady_s(recording: Recording) -> int:
    start, end = recording.steady
    return end - start


def _of_kind(recording: Recording, kind: str) -> pd.DataFrame:
    return recording.counters[recording.counters["page_kind"] == kind]


def _latencies(recordings: Sequence[Recording], place: _Place, total: int) -> dict[str, Counted]:
    found: defaultdict[str, list[tuple[int, Histogram]]] = defaultdict(list)
    for run, recording in enumerate(recordings):
        for second, lines in recording.intervals.items():
            cell = place.cell(run, second)
            for line in lines if cell is not None else ():
                tag = line.tag
                if (tag.measure, tag.result) == ("response_time", "ok") and tag.page_kind not in _NO_SHOPPERS:
                    found[tag.page_kind].append((cell or 0, line.histogram))
                    found[ALL].append((cell or 0, line.histogram))
    return {kind: _counted(lines, total) for kind, lines in sorted(found.items())}


def _counted(lines: Sequence[tuple[int, Histogram]], total: int) -> Counted:
    buckets = sorted({bucket for _, histogram in lines for bucket in histogram.counts})
    columns = {bucket: column for column, bucket in enumerate(buckets)}
    counts = np.zeros((total, len(buckets)))
    for cell, histogram in lines:
        for bucket, count in histogram.counts.items():
            counts[cell, columns[bucket]] += count
    return Counted(counts, np.array([max(_SHORTEST_MS, value_at(bucket) / 1000) for bucket in buckets]))
