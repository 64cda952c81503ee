"""At which rate an objective's figure reaches its limit: a line through the steps around it, and its interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lonjak.capacity.student import t_quantile


@dataclass(frozen=True, slots=True)
class Point:
    """A step as the line sees it: the figure `value` at `place`, and its mean square scatter.

    `weight` is how many requests (of a share) or batches (of a level) it has; `scatter` the sum of squares of its
    batches about their mean, in units of the variance that `weight` alone would give, with `degrees` of freedom.
    """

    place: float
    value: float
    weight: float
    scatter: float
    degrees: float


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the line meets its target, and the interval; infinite where the steps leave it open."""

    place: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Line:
    level: float
    slope: float
    level_variance: float
    covariance: float
    slope_variance: float


def crossing(points: Sequence[Point], target: float, confidence: float, *, logistic: bool) -> Crossing | None:
    """Where a figure that rises with its place meets `target`; None where these points show no rise.

    A share follows a logistic curve, a level a straight line; both by (iterated) weighted least squares, with one
    dispersion for all points: what batches scatter about their step, or steps about the line if that is more (McCullagh
    and Nelder, Generalized Linear Models, 1989, 4.5). The interval is Fieller's: all places at which the line's own
    interval contains the target (E. C. Fieller, Some problems in interval estimation, JRSS B 16, 1954).
    """
    goal = _logit(target) if logistic else target
    line = _logistic_line(points) if logistic else _straight_line(points)
    if line is None or line.slope <= 0:
        return None
    dispersion, degrees = _dispersion(points, line, logistic=logistic)
    return _fieller(line, goal, dispersion * t_quantile((1 + confidence) / 2, degrees) ** 2)


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _expit(value: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, value))))


def _logistic_line(points: Sequence[Point]) -> _Line | None:
    """The logit of shares as a line of their places, by Fisher scoring from the smoothed shares on."""
    smoothed = [(point.value * point.weight + 0.5) / (point.weight + 1) for point in points]
    line = _least_squares(
        [
            (point.place, _logit(share), point.weight * share * (1 - share))
            for point, share in zip(points, smoothed, strict=True)
        ]
    )
    for _ in range(25):
        if line is None:
            return None
        rows = []
        for point in points:
            value = max(-12.0, min(12.0, line.level + line.slope * point.place))
            share = _expit(value)
            spread = share * (1 - share)
            rows.append((point.place, value + (point.value - share) / spread, point.weight * spread))
        before, line = line, _least_squares(rows)
        if line is not None and abs(line.slope - before.slope) < 1e-6 * (1 + abs(line.slope)):
            return line
    return None


def _straight_line(points: Sequence[Point]) -> _Line | None:
    return _least_squares([(point.place, point.value, point.weight) for point in points])


def _least_squares(rows: Sequence[tuple[float, float, float]]) -> _Line | None:
    """The weighted line through (place, value, weight), with its covariance for a dispersion of 1."""
    total = math.fsum(weight for _, _, weight in rows)
    if total <= 0:
        return None
    middle = math.fsum(weight * place for place, _, weight in rows) / total
    mean = math.fsum(weight * value for _, value, weight in rows) / total
    spread = math.fsum(weight * (place - middle) ** 2 for place, _, weight in rows)
    if spread <= 1e-12 * total:
        return None
    slope = math.fsum(weight * (place - middle) * (value - mean) for place, value, weight in rows) / spread
    return _Line(mean - slope * middle, slope, 1 / total + middle**2 / spread, -middle / spread, 1 / spread)


def _dispersion(points: Sequence[Point], line: _Line, *, logistic: bool) -> tuple[float, float]:
    """By how much figures scatter more than their weights alone say, and how many degrees of freedom tell so."""
    scatter, degrees = math.fsum(point.scatter for point in points), math.fsum(point.degrees for point in points)
    within = scatter / degrees if degrees else 0.0
    about = len(points) - 2
    misfit = 0.0
    for point in points:
        value = line.level + line.slope * point.place
        fitted = _expit(value) if logistic else value
        misfit += point.weight * (point.value - fitted) ** 2 / (fitted * (1 - fitted) if logistic else 1.0)
    both = (scatter + misfit) / (degrees + about) if about + degrees else within
    return max(within, both), degrees + about


def _fieller(line: _Line, goal: float, factor: float) -> Crossing:
    """`factor` is the dispersion times the squared quantile."""
    level = line.level - goal
    place = -level / line.slope
    square = line.slope**2 - factor * line.slope_variance
    half = level * line.slope - factor * line.covariance
    rest = level**2 - factor * line.level_variance
    if square <= 0:
        return Crossing(place, -math.inf, math.inf)
    root = math.sqrt(max(0.0, half**2 - square * rest))
    return Crossing(place, (-half - root) / square, (-half + root) / square)
