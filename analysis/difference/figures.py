"""The figures that are compared, and their values for any choice of cells; pure.

A percentile is compared by the logarithm of its value, so that "a tenth slower" is the same distance everywhere;
goodput and ratios as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.bootstrap import FloatArray
from analysis.difference.steady_cells import Cells
from analysis.steady_seconds import ALL
from loadgen.objectives import PERCENTILES, samples_needed

COMPARED_PERCENTILES = tuple(PERCENTILES)
FAILED, GOODPUT, CONVERSION = "failed_ratio", "goodput_per_s", "conversion_ratio"
# Of a percentile's samples so many must lie beyond it before resampling tells how uncertain it is.
SAMPLES_BEYOND = 10
LEAST_COUNT = 30  # of requests or sessions behind a ratio
Scale = Literal["logarithm", "plain"]


@dataclass(frozen=True, slots=True, order=True)
class Figure:
    """One compared number: a percentile in ms, a ratio, or a rate, of a page kind or of `all`."""

    page_kind: str
    name: str

    @property
    def is_percentile(self) -> bool:
        """Whether it is a response time."""
        return self.name in PERCENTILES

    @property
    def higher_is_worse(self) -> bool:
        """Whether a rise is a regression."""
        return self.is_percentile or self.name == FAILED

    @property
    def is_relative(self) -> bool:
        """Whether its change is told as a share of A's value; of failures it is told in points."""
        return self.name != FAILED

    @property
    def needed_count(self) -> int:
        """The fewest samples on each side from which it is judged."""
        return SAMPLES_BEYOND * samples_needed(self.name) if self.is_percentile else LEAST_COUNT


def figures_of(a: Cells, b: Cells) -> Iterator[Figure]:
    """What there is to compare: all requests first, then page kinds by name; only what both sides have."""
    for kind in (ALL, *sorted((set(a.asked) & set(b.asked)) - {ALL})):
        if kind in a.latencies and kind in b.latencies:
            yield from (Figure(kind, name) for name in COMPARED_PERCENTILES)
        yield Figure(kind, FAILED)
    yield Figure(ALL, GOODPUT)
    if a.paid.sum() or b.paid.sum():
        yield Figure(ALL, CONVERSION)


def count_behind(figure: Figure, cells: Cells) -> int:
    """How many requests or sessions a figure of one side stands on."""
    if figure.is_percentile:
        return cells.latencies[figure.page_kind].count if figure.page_kind in cells.latencies else 0
    if figure.name == CONVERSION:
        return int(cells.arrived.sum())
    return int(cells.asked[figure.page_kind].sum())


def values(cells: Cells, drawn: FloatArray) -> Mapping[Figure, FloatArray]:
    """Every figure of a side for each row of `drawn` (how often each cell counts), as compared: [replicate].

    What a row has nothing of is nan there.
    """
    found: dict[Figure, FloatArray] = {}
    for kind, counted in cells.latencies.items():
        percentiles = _log_percentiles(drawn @ counted.counts, counted.values_ms)
        found |= {Figure(kind, name): row for name, row in zip(COMPARED_PERCENTILES, percentiles, strict=True)}
    for kind, asked in cells.asked.items():
        found[Figure(kind, FAILED)] = _ratio(drawn @ cells.failed[kind], drawn @ asked)
    found[Figure(ALL, GOODPUT)] = drawn @ cells.ok / (drawn.sum(axis=1) * cells.cell_s)
    found[Figure(ALL, CONVERSION)] = _ratio(drawn @ cells.paid, drawn @ cells.arrived)
    return found


def resolution(figure: Figure, cells: Cells) -> float:
    """The standard error that a side has at least, on the scale of `values`, however alike its seconds are.

    A percentile is known to a thousandth (loadgen.histogram), a rate to one request. A ratio is not known better than
    from independent trials, with one more of either kind than were seen (Agresti and Coull, The American Statistician
    52, 1998): none of a hundred is not "never".
    """
    if figure.is_percentile:
        return 0.001
    if figure.name == GOODPUT:
        return 1 / max(1, cells.total_s)
    part, whole = (
        (cells.paid, cells.arrived)
        if figure.name == CONVERSION
        else (cells.failed[figure.page_kind], cells.asked[figure.page_kind])
    )
    count = float(whole.sum()) + 2
    share = (float(part.sum()) + 1) / count
    return float(np.sqrt(share * (1 - share) / count))


def _log_percentiles(counts: FloatArray, values_ms: FloatArray) -> list[FloatArray]:
    """The logarithms of all percentiles of each row; ranks are those of loadgen.histogram."""
    running = np.cumsum(counts, axis=1)
    totals = running[:, -1]
    logarithms = np.log(values_ms)
    found: list[FloatArray] = []
    for name in COMPARED_PERCENTILES:
        ranks = np.maximum(1, np.ceil(np.round(PERCENTILES[name] / 100 * totals, 6)))
        positions = np.minimum((running < ranks[:, np.newaxis]).sum(axis=1), len(values_ms) - 1)
        found.append(np.where(totals > 0, logarithms[positions], np.nan))
    return found


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))
