"""Regression, improvement or no evidence, figure by figure; pure.

A difference is evidence when its whole interval lies beyond the margin: what is smaller is nobody's business, and two
runs of the same shop a few minutes apart differ by as much.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.difference.advice import WANTED_RATIO, Advice, needed, smallest
from analysis.difference.figures import FAILED, Figure, count_behind, figures_of, values
from analysis.difference.steady_cells import Cells
from analysis.difference.uncertainty import Uncertainty, uncertainty
from loadgen.records import Json

MARGIN_RATIO = 0.03
FAILED_MARGIN = 0.001  # in points: one request in a thousand
Outcome = Literal["regression", "improvement", "no evidence", "too few samples", "unknown"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure on both sides (ms, a ratio, or per second) and its change, with an interval that holds for all at once.

    `change`, `low`, `high` and `smallest` (the smallest change that would have been found) are shares of A's value, of
    failures points; None where there is none. `needed` is what would find a change by a tenth.
    """

    figure: Figure
    a: float | None
    b: float | None
    a_count: int
    b_count: int
    outcome: Outcome
    change: float | None = None
    low: float | None = None
    high: float | None = None
    smallest: float | None = None
    needed: Advice | None = None

    def as_json(self) -> dict[str, Json]:
        """The figure as it stands in compare.json."""
        return {
            "page_kind": self.figure.page_kind,
            "figure": self.figure.name,
            "a": self.a,
            "b": self.b,
            "a_count": self.a_count,
            "b_count": self.b_count,
            "outcome": self.outcome,
            "change": self.change,
            "low": self.low,
            "high": self.high,
            "smallest_change_seen": self.smallest,
            "needed": {"steady_s": self.needed.steady_s, "runs": self.needed.runs} if self.needed else None,
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """All figures, those over all requests first, and how many seconds were drawn together."""

    figures: tuple[Compared, ...]
    block_s: int | None


def judge(a: Cells, b: Cells, margin_ratio: float) -> Judged:
    """Compares what both sides have; figures with too few samples are shown without a judgement."""
    shown = list(figures_of(a, b))
    counts = {figure: (count_behind(figure, a), count_behind(figure, b)) for figure in shown}
    family = [figure for figure in shown if min(counts[figure]) >= figure.needed_count]
    told = uncertainty(a, b, family) if family else None
    points = [_points(cells, shown) for cells in (a, b)]
    compared: list[Compared] = []
    for figure in shown:
        left, right = (side[figure] for side in points)
        if told is None or figure not in told.differences:
            compared.append(Compared(figure, left, right, *counts[figure], "too few samples"))
        else:
            compared.append(_compared(figure, told, (left, right), counts[figure], margin_ratio=margin_ratio, a=a))
    return Judged(tuple(compared), told.block_s if told else None)


def _points(cells: Cells, shown: list[Figure]) -> Mapping[Figure, float | None]:
    """The figures as they are, in their own units."""

    found = values(cells, np.ones((1, sum(cells.lengths))))
    points: dict[Figure, float | None] = {}
    for figure in shown:
        value = float(found[figure][0])
        points[figure] = None if math.isnan(value) else math.exp(value) if figure.is_percentile else value
    return points


def _compared(
    figure: Figure,
    told: Uncertainty,
    sides: tuple[float | None, float | None],
    counts: tuple[int, int],
    *,
    margin_ratio: float,
    a: Cells,
) -> Compared:
    difference, spread = told.differences[figure], told.spreads[figure]
    left = sides[0] or 0.0
    margin, wanted = _distance(figure, margin_ratio, left), _distance(figure, WANTED_RATIO, left)
    if figure.name == FAILED:
        margin = FAILED_MARGIN
    reach = told.reach(spread)
    return Compared(
        figure,
        *sides,
        *counts,
        outcome=_outcome(figure, difference, reach, margin),
        change=_change(figure, difference, left),
        low=_change(figure, difference - reach, left),
        high=_change(figure, difference + reach, left),
        smallest=_change(figure, smallest(told, spread, margin), left),
        needed=needed(told, spread, margin=margin, wanted=wanted, steady_s=a.total_s // a.run_count, runs=a.run_count)
        if figure.is_relative and left
        else None,
    )


def _outcome(figure: Figure, difference: float, reach: float, margin: float) -> Outcome:
    if abs(difference) - reach <= margin:
        return "no evidence"
    return "regression" if (difference > 0) == figure.higher_is_worse else "improvement"


def _distance(figure: Figure, ratio: float, left: float) -> float:
    """A share of A's value on the scale that the figure is compared on."""
    return math.log1p(ratio) if figure.is_percentile else ratio * left


def _change(figure: Figure, difference: float, left: float) -> float | None:
    if figure.is_percentile:
        return math.expm1(min(difference, 50.0))
    if figure.name == FAILED:
        return difference
    return difference / left if left else None
