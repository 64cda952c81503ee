"""The capacity and its interval from all steps: the rate at which the first objective's figure reaches its limit.

A step says more than "holds" or "fails": its share of bad requests says how far from the edge it was. Near the edge the
logit of a share is nearly a straight line of the logarithm of the rate, so all steps whose share is of the bound's
order tell together where it is reached. Where none are, the shop fails as at a cliff, and the bracket is all there is.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lonjak.capacity.bracket import Bracket
from lonjak.capacity.crossing import Crossing, Point, crossing
from lonjak.capacity.judging import excess, figure, leaning, told
from lonjak.capacity.observation import Criterion, Level, Second, Share
from lonjak.capacity.plan import SearchPlan
from lonjak.capacity.sequential import correlation
from lonjak.capacity.steadiness import grows
from lonjak.capacity.trial import Tried

# Above this share a queue has no steady state to be on a line with.
_MOST_SHARE = 0.6
_BATCH_S = 5
# A curve is only nearly a line, and a step that ends when it is decided is a little further from the edge than its rate
# is: so much of the resolution is added to either side of the interval.
_BLUR = 1 / 8
_MOST_LOG_RATE = 100.0


@dataclass(frozen=True, slots=True)
class _Reach:
    """Which steps a line is drawn through: rates within `rate_ratio` of the middle, shares within `share_ratio` of the
    bound (levels have no such scale)."""

    rate_ratio: float
    share_ratio: float


# The curve is nearly straight over short stretches only: the first of these that gives an answer is taken.
_REACHES = (_Reach(1.1, 8), _Reach(1.2, 8), _Reach(1.2, 100), _Reach(1.4, 100))
_ENOUGH_RATES = 3


@dataclass(frozen=True, slots=True)
class Estimate:
    """A capacity in sessions/s and its interval; not `fitted` where only the bracket is known."""

    rate_per_s: float
    low_per_s: float
    high_per_s: float
    fitted: bool

    @property
    def half_width_ratio(self) -> float:
        """Half the interval, as a ratio of the rate."""
        return (self.high_per_s - self.low_per_s) / (2 * self.rate_per_s)


def estimate(tried: Sequence[Tried], found: Bracket, plan: SearchPlan) -> Estimate | None:
    """Where the first objective gives out; None while no rate holds or none fails."""
    if found.low_per_s is None or found.high_per_s is None:
        return None
    sides = (found.low_per_s, found.high_per_s)
    crossings = [
        place for criterion in plan.criteria if (place := _crossing(criterion, tried, sides, plan)) is not None
    ]
    least, most = _undisputed(tried, sides)
    blur = 1 + _BLUR * plan.resolution_ratio
    if not crossings:
        return Estimate(math.sqrt(least * most), least / blur, most * blur, fitted=False)
    slack = 1 + plan.resolution_ratio
    rate = min(max(math.exp(min(place.place for place in crossings)), least / slack), most * slack)
    low = max(math.exp(min(place.low for place in crossings)) / blur, least / slack)
    high = min(math.exp(min(*(place.high for place in crossings), _MOST_LOG_RATE)) * blur, most * slack)
    return Estimate(rate, min(low, rate), max(high, rate), fitted=True)


def _undisputed(tried: Sequence[Tried], sides: tuple[float, float]) -> tuple[float, float]:
    """The bracket, and what lies around it where a step that leans one way has another on its wrong side."""
    failing = [step.rate_per_s for step in tried if step.leaning == "above"]
    holding = [step.rate_per_s for step in tried if step.leaning == "below"]
    low = max((rate for rate in holding if rate < min(failing, default=math.inf)), default=sides[0])
    high = min((rate for rate in failing if rate > max(holding, default=0.0)), default=sides[1])
    return min(low, sides[0]), max(high, sides[1])


def _crossing(
    criterion: Criterion, tried: Sequence[Tried], sides: tuple[float, float], plan: SearchPlan
) -> Crossing | None:
    """Where one objective gives out, by logarithms of rates; None where it never came near.

    The line of the shortest reach whose interval is bounded; failing that the bracket.
    """
    if (place := _fitted(criterion, list(_usable(criterion, tried, sides, plan)), plan)) is not None:
        return place
    if any(step.rate_per_s >= sides[1] and leaning(criterion, step.seconds) == "above" for step in tried):
        low, high = map(math.log, _undisputed(tried, sides))
        return Crossing((low + high) / 2, low, high)
    return None


def _fitted(criterion: Criterion, usable: Sequence[Point], plan: SearchPlan) -> Crossing | None:
    target, logistic = (criterion.bound, True) if isinstance(criterion, Share) else (0.0, False)
    if not usable:
        return None
    middle = min((_distance(point, criterion), point.place) for point in usable)[1]
    best = None
    for reach in _REACHES:
        points = [point for point in usable if _is_within(point, reach, middle, criterion)]
        if not _is_on_both_sides(points, target):
            continue
        found = crossing(points, target, plan.confidence, logistic=logistic)
        places = [point.place for point in points]
        beside = math.log1p(plan.resolution_ratio)
        if found is None or not min(places) - beside <= found.place <= max(places) + beside:
            continue
        best = best or found
        if len(set(places)) >= _ENOUGH_RATES and math.isfinite(found.high - found.low):
            return found
    return best


def _usable(
    criterion: Criterion, tried: Sequence[Tried], sides: tuple[float, float], plan: SearchPlan
) -> Iterator[Point]:
    """Steps that came to rest, and were not hopeless."""
    for step in tried:
        seconds = told(criterion, step.seconds)
        if step.limited or len(seconds) < plan.shortest_s:
            continue
        if isinstance(criterion, Share) and (figure(criterion, seconds) or 0.0) > _MOST_SHARE:
            continue
        if step.rate_per_s > sides[0] and grows([second.response_time_s for second in step.seconds]):
            continue
        yield _point(criterion, math.log(step.rate_per_s), seconds)


def _is_within(point: Point, reach: _Reach, middle: float, criterion: Criterion) -> bool:
    if abs(point.place - middle) > math.log(reach.rate_ratio):
        return False
    return isinstance(criterion, Level) or _distance(point, criterion) <= math.log(reach.share_ratio)


def _distance(point: Point, criterion: Criterion) -> float:
    """How far a step's figure is from the limit."""
    if isinstance(criterion, Level):
        return abs(point.value)
    return abs(math.log(point.value / criterion.bound))


def _is_on_both_sides(points: Sequence[Point], target: float) -> bool:
    return len({point.value > target for point in points}) > 1


def _point(criterion: Criterion, place: float, seconds: Sequence[Second]) -> Point:
    batches = _batches(seconds)
    degrees = len(batches) - 1
    if isinstance(criterion, Level):
        means = [math.fsum(excess(criterion, second) for second in batch) / len(batch) for batch in batches]
        mean = math.fsum(means) / len(means)
        return Point(place, mean, len(means), math.fsum((value - mean) ** 2 for value in means), degrees)
    totals = [[sum(second.shares[criterion.name][part] for second in batch) for part in (0, 1)] for batch in batches]
    count = sum(total for _, total in totals)
    share = (sum(bad for bad, _ in totals) + 0.5) / (count + 1)
    spread = share * (1 - share)
    scatter = math.fsum((bad - share * total) ** 2 / (total * spread) for bad, total in totals)
    alike = correlation([bad - share * total for bad, total in totals]) if degrees > 2 else 0.0
    return Point(place, share, count, scatter * (1 + alike) / (1 - alike), degrees)


def _batches(seconds: Sequence[Second]) -> list[Sequence[Second]]:
    """Two batches at least, of about 5 s: long against what a queue below saturation remembers."""
    count = max(2, len(seconds) // _BATCH_S)
    edges = [round(place * len(seconds) / count) for place in range(count + 1)]
    return [seconds[start:end] for start, end in pairwise(edges)]
