"""What a pair of runs could have seen, and how long others must be to see a given difference; pure."""

import math
from dataclasses import dataclass, replace

from analysis.difference.student import normal_quantile
from analysis.difference.uncertainty import Spread, Uncertainty

# A difference that is there is to be found nineteen times of twenty.
POWER = 0.95
# A spread measured on few blocks is uncertain itself: lengths are advised for the largest that is still likely.
_SPREAD_CONFIDENCE = 0.90
WANTED_RATIO = 0.10
MOST_S, MOST_RUNS = 7 * 86_400, 50
_POWER_ERRORS = normal_quantile(POWER)


@dataclass(frozen=True, slots=True)
class Advice:
    """Runs a side, each with so many steady seconds."""

    steady_s: int
    runs: int


def smallest(uncertainty: Uncertainty, spread: Spread, margin: float) -> float:
    """The smallest difference beyond which one would have been found with the probability POWER."""
    return margin + uncertainty.reach(spread) + _POWER_ERRORS * spread.error


def needed(
    uncertainty: Uncertainty, spread: Spread, *, margin: float, wanted: float, steady_s: int, runs: int
) -> Advice | None:
    """How long and how many runs would find `wanted`; None when no bearable number would.

    One run is made longer, which shrinks what its seconds leave open. Of several, more are asked for: what differs from
    run to run does not shrink by length.
    """
    if wanted <= margin:
        return None
    spread = _largest_likely(spread)
    if runs > 1:
        for count in range(2, MOST_RUNS + 1):
            if smallest(uncertainty, _scaled(spread, 1.0, count / runs), margin) <= wanted:
                return Advice(steady_s, count)
        return None
    low, high = math.log(1.0 / max(1, steady_s)), math.log(MOST_S / max(1, steady_s))
    if smallest(uncertainty, _scaled(spread, math.exp(high), 1.0), margin) > wanted:
        return None
    for _ in range(32):
        middle = (low + high) / 2
        if smallest(uncertainty, _scaled(spread, math.exp(middle), 1.0), margin) > wanted:
            low = middle
        else:
            high = middle
    return Advice(_rounded(steady_s * math.exp(high)), 1)


def _scaled(spread: Spread, length: float, runs: float) -> Spread:
    """The spread of runs `length` times as long, `runs` times as many."""
    return replace(
        spread,
        within=spread.within / (length * runs),
        between=spread.between / runs,
        within_freedom=max(1.0, spread.within_freedom * length * runs),
        between_freedom=max(1.0, spread.between_freedom * runs),
    )


def _largest_likely(spread: Spread) -> Spread:
    """The upper bound of a variance with these degrees of freedom.

    The quantile of chi-squared after Wilson and Hilferty (The distribution of chi-square, PNAS 17, 1931), which is
    within a hundredth from five degrees of freedom on; with fewer no bound is worth much.
    """
    few = 2 / (9 * max(5.0, spread.freedom))
    factor = (1 - few - normal_quantile(_SPREAD_CONFIDENCE) * math.sqrt(few)) ** -3
    return replace(spread, within=spread.within * factor, between=spread.between * factor)


def _rounded(seconds: float) -> int:
    """Up to ten seconds: nobody plans 83 s."""
    return max(20, 10 * math.ceil(seconds / 10))
