"""What seconds of a step say about each objective: how far each lies on the bad side of its limit, and how surely."""

from collections.abc import Sequence
from statistics import fmean

from lonjak.capacity.observation import Criterion, Level, Second, Share
from lonjak.capacity.sequential import Sample, Side, sample, side_of_zero

# A burst makes its requests bad together, so that counts scatter more than those of independent requests do.
_LEAST_DESIGN_EFFECT = 2.0


def excess(criterion: Criterion, second: Second) -> float:
    """How much of a second is too bad, below 0 where it is good enough.

    Of a share: bad requests more than the bound allows, as a ratio of two means is then judged by one. Of a level: its
    distance to the limit, in its own unit.
    """
    if isinstance(criterion, Share):
        bad, count = second.shares.get(criterion.name, (0, 0))
        return bad - criterion.bound * count
    distance = second.levels[criterion.name] - criterion.limit
    return distance if criterion.comparator in {"<", "<="} else -distance


def told(criterion: Criterion, seconds: Sequence[Second]) -> list[Second]:
    """Seconds in which there was something to judge by a criterion."""
    if isinstance(criterion, Share):
        return [second for second in seconds if second.shares.get(criterion.name, (0, 0))[1]]
    return [second for second in seconds if criterion.name in second.levels]


def figure(criterion: Criterion, seconds: Sequence[Second]) -> float | None:
    """The share of bad requests, or the mean level; None where there was nothing to judge."""
    if not (judged := told(criterion, seconds)):
        return None
    if isinstance(criterion, Share):
        bad, count = (sum(second.shares[criterion.name][place] for second in judged) for place in (0, 1))
        return bad / count
    return fmean(second.levels[criterion.name] for second in judged)


def side(criterion: Criterion, seconds: Sequence[Second], error: float) -> Side | None:
    """Whether the objective holds ("below") or fails ("above") in seconds like these, None while that is open."""
    judged = told(criterion, seconds)
    found = sample([excess(criterion, second) for second in judged], _least_variance(criterion, judged))
    return None if found is None else _decided(criterion, found, error)


def leaning(criterion: Criterion, seconds: Sequence[Second]) -> Side | None:
    """On which side of its limit the objective's figure lies, however unsurely; None where there is none."""
    if not (judged := told(criterion, seconds)):
        return None
    mean = fmean(excess(criterion, second) for second in judged)
    return "below" if mean < 0 or (mean == 0 and _may_be_reached(criterion)) else "above"


def _least_variance(criterion: Criterion, judged: Sequence[Second]) -> float:
    """By what seconds scatter at least when a share is at its bound; levels need not scatter."""
    if isinstance(criterion, Level) or not judged:
        return 0.0
    count = fmean(second.shares[criterion.name][1] for second in judged)
    return count * criterion.bound * (1 - criterion.bound) * _LEAST_DESIGN_EFFECT


def _decided(criterion: Criterion, found: Sample, error: float) -> Side | None:
    if found.mean == 0 and found.variance == 0:
        return "below" if _may_be_reached(criterion) else "above"
    return side_of_zero(found, error)


def _may_be_reached(criterion: Criterion) -> bool:
    return isinstance(criterion, Level) and criterion.comparator in {"<=", ">="}
