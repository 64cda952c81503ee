"""How far a difference of each figure may lie from the true one; pure, and the same seed gives the same.

All figures are judged together: the largest standardised difference that chance gives in one of them (max-T: Westfall
and Young, Resampling-Based Multiple Testing, 1993; Romano and Wolf, Econometrica 73, 2005) bounds each of them, so that
the probability of any false alarm among them is ALARM_RATIO. It knows that p90, p95 and p99 of the same requests move
together, which Holm's method does not, and gives intervals that say the same as the judgements. Standard errors from
few blocks or few runs are themselves uncertain, which Student's t accounts for, with degrees of freedom after
Satterthwaite (An approximate distribution of estimates of variance components, Biometrics Bulletin 2, 1946).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.bootstrap import FloatArray
from analysis.difference import resampling
from analysis.difference.block_length import block_length
from analysis.difference.figures import Figure, resolution, values
from analysis.difference.steady_cells import Cells
from analysis.difference.student import normal_quantile, normal_tail, student_quantiles

ALARM_RATIO = 0.01
_SEED = 1


@dataclass(frozen=True, slots=True)
class Spread:
    """The variance of a figure's difference: what its seconds show, and what its runs show beyond; both sides together.

    `within_freedom` and `between_freedom` are degrees of freedom of the two.
    """

    within: float
    between: float
    within_freedom: float
    between_freedom: float

    @property
    def error(self) -> float:
        """The standard error."""
        return float(np.sqrt(self.within + self.between))

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the whole."""
        parts = ((self.within, self.within_freedom), (self.between, self.between_freedom))
        below = sum(part**2 / freedom for part, freedom in parts if part)
        return (self.within + self.between) ** 2 / below if below else self.within_freedom


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Of each figure of a family its difference (B less A) and its spread; `tail` is what one figure may err by.

    Differences stand on the scale of figures.values.
    """

    differences: Mapping[Figure, float]
    spreads: Mapping[Figure, Spread]
    tail: float
    block_s: int

    def reach(self, spread: Spread) -> float:
        """Half the length of an interval, so that all of them hold together."""
        return float(student_quantiles(self.tail, np.array([spread.freedom]))[0]) * spread.error


def uncertainty(a: Cells, b: Cells, family: Sequence[Figure]) -> Uncertainty:
    """The differences of a family of figures, and how uncertain they are."""
    block = block_length((a, b))
    seen = {side: _Drawn.of(cells, family, block, _SEED + side) for side, cells in enumerate((a, b))}
    spreads = {figure: _spread(figure, seen[0], seen[1]) for figure in family}
    return Uncertainty(
        differences={figure: seen[1].point[figure] - seen[0].point[figure] for figure in family},
        spreads=spreads,
        tail=_tail(np.array([seen[1].within[figure] - seen[0].within[figure] for figure in family])),
        block_s=block * a.cell_s,
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One side: each figure as it is, with its seconds drawn again, and with its runs drawn again if there are several.

    `blocks` is how many blocks its runs have together.
    """

    cells: Cells
    point: Mapping[Figure, float]
    within: Mapping[Figure, FloatArray]
    over: Mapping[Figure, FloatArray] | None
    blocks: float

    @classmethod
    def of(cls, cells: Cells, family: Sequence[Figure], block: int, seed: int) -> "_Drawn":
        generator = np.random.default_rng(seed)
        point = values(cells, np.ones((1, sum(cells.lengths))))
        within = values(cells, resampling.within_runs(cells.lengths, block, generator))
        several = cells.run_count > 1
        over = values(cells, resampling.over_runs(cells.lengths, block, generator)) if several else None
        return cls(
            cells,
            {figure: float(point[figure][0]) for figure in family},
            {figure: _known(within[figure], point[figure]) for figure in family},
            {figure: _known(over[figure], point[figure]) for figure in family} if over is not None else None,
            sum(length / block for length in cells.lengths),
        )

    def within_variance(self, figure: Figure) -> float:
        """Of few blocks the resampled variance is too small by the share that their mean takes away."""
        few = self.blocks / max(1.0, self.blocks - self.cells.run_count)
        return max(float(self.within[figure].var()) * few, resolution(figure, self.cells) ** 2)

    def between_variance(self, figure: Figure) -> float:
        """What drawing runs shows beyond drawing their seconds."""
        if self.over is None:
            return 0.0
        count = self.cells.run_count
        beyond = float(self.over[figure].var()) - float(self.within[figure].var())
        return max(0.0, beyond) * count / (count - 1)

    @property
    def within_freedom(self) -> float:
        """Blocks less one for each run's mean."""
        return max(1.0, self.blocks - self.cells.run_count)


def _known(drawn: FloatArray, point: FloatArray) -> FloatArray:
    """Replicates that hold nothing of a figure stand for what was measured."""
    return np.where(np.isnan(drawn), point, drawn)


def _spread(figure: Figure, a: _Drawn, b: _Drawn) -> Spread:
    within = [side.within_variance(figure) for side in (a, b)]
    between = [side.between_variance(figure) for side in (a, b)]
    return Spread(
        within=sum(within),
        between=sum(between),
        within_freedom=_joined(within, [side.within_freedom for side in (a, b)]),
        between_freedom=_joined(between, [max(1.0, side.cells.run_count - 1.0) for side in (a, b)]),
    )


def _joined(parts: Sequence[float], freedoms: Sequence[float]) -> float:
    """Degrees of freedom of a sum of variances."""
    below = sum(part**2 / freedom for part, freedom in zip(parts, freedoms, strict=True))
    return sum(parts) ** 2 / below if below else sum(freedoms)


def _tail(drawn: FloatArray) -> float:
    """The one-sided probability that each figure may err by; `drawn` holds differences by figure and replicate.

    Never more than a single figure may, never less than Bonferroni leaves each: of few seconds the largest deviations
    of a percentile are coarse, and Student's t stands for them already.
    """
    errors = drawn.std(axis=1)
    moving = drawn[errors > 1e-12]
    count = max(1, len(drawn))
    single, least = ALARM_RATIO / 2, ALARM_RATIO / 2 / count
    if not len(moving):
        return single
    standardised = np.abs(moving - moving.mean(axis=1, keepdims=True)) / moving.std(axis=1, keepdims=True)
    bound = float(np.quantile(standardised.max(axis=0), 1 - ALARM_RATIO))
    bound = min(max(bound, normal_quantile(1 - single)), normal_quantile(1 - least))
    return normal_tail(bound)
