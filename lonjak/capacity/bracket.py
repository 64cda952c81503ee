"""Between which rates the capacity lies, by what became of the steps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lonjak.capacity.trial import Tried


@dataclass(frozen=True, slots=True)
class Bracket:
    """`low_per_s` is the highest rate believed to hold, `high_per_s` the lowest believed to fail above it.

    `ceiling_per_s` is the lowest rate that the generator could not offer. None: no such step.
    """

    low_per_s: float | None
    high_per_s: float | None
    ceiling_per_s: float | None

    @property
    def upper_per_s(self) -> float | None:
        """What the next step has to stay below: a rate that fails, or one that cannot be offered."""
        bounds = [bound for bound in (self.high_per_s, self.ceiling_per_s) if bound is not None]
        return min(bounds, default=None)

    @property
    def ratio(self) -> float:
        """How far its two sides are apart; infinite while one is missing."""
        if self.low_per_s is None or self.upper_per_s is None:
            return math.inf
        return self.upper_per_s / self.low_per_s


def bracket(tried: Sequence[Tried]) -> Bracket:
    """The bracket that the steps leave, in the order in which they were taken.

    Where two decided steps disagree, a lower rate failing and a higher one holding, the later is believed: it was the
    longer one, or repeated at the edge. An open step counts as what it leans to if no other step disagrees.
    """
    holding: list[float] = []
    failing: list[float] = []
    for step in tried:
        rate = step.rate_per_s
        if step.leaning == "below" and (_is_decided(step) or not _disagree(step, tried)):
            failing = [other for other in failing if other > rate]
            holding.append(rate)
        elif step.leaning == "above" and (_is_decided(step) or not _disagree(step, tried)):
            holding = [other for other in holding if other < rate]
            failing.append(rate)
    ceilings = [step.rate_per_s for step in tried if step.limited]
    return Bracket(max(holding, default=None), min(failing, default=None), min(ceilings, default=None))


def _is_decided(step: Tried) -> bool:
    return step.result.outcome != "unknown"


def _disagree(step: Tried, tried: Sequence[Tried]) -> bool:
    """Whether a step that leans to holding is above one that leans to failing, or the other way round."""
    if step.leaning == "below":
        return any(other.leaning == "above" and other.rate_per_s <= step.rate_per_s for other in tried)
    return any(other.leaning == "below" and other.rate_per_s >= step.rate_per_s for other in tried)
