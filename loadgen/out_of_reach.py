"""Objectives that a run cannot meet any more, whatever the rest of it brings; pure.

A window that failed has failed, as has a phase that is over, and a count that may not be exceeded and was. A share of
requests (failed ones, those slower than a percentile's limit) is out of reach once more requests are bad than the limit
bears among all that can still come. How many can come is not known: taken is twice what the load's own course leads one
to expect after the requests so far, and nothing is said before a tenth of that course and a hundred requests are past.
Of objectives with a lower limit nothing is said: the rest may bring any amount of good answers.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, inf

from loadgen.load import Load
from loadgen.objectives import LATENCIES, PERCENTILES, Objective
from loadgen.tally import Tally

MARGIN = 2.0
_FEWEST_REQUESTS = 100
_FIRST_SHARE = 0.1


def done_ratio(load: Load, now_s: float) -> float:
    """The share of the judged load that had come by an instant, by the course of its rate or of its users."""
    start_s, end_s = load.warmup_s, load.duration_s
    now_s = min(max(now_s, start_s), end_s)
    if load.arrivals == "trace":
        judged = [at for at in load.trace if at >= start_s]
        return sum(at < now_s for at in judged) / len(judged) if judged else 0.0
    whole = _area(load, start_s, end_s)
    return _area(load, start_s, now_s) / whole if whole > 0 else 0.0


def most_requests(so_far: int, done: float) -> float:
    """How many requests there can be in all; infinite while too little has come to tell."""
    if so_far < _FEWEST_REQUESTS or done < _FIRST_SHARE:
        return inf
    return so_far * (1 + MARGIN * (1 - done) / done)


def is_out_of_reach(objective: Objective, tally: Tally, done: float) -> bool:
    """Whether an objective over the judged part can be met no more, after `done` (0..1) of it with these sums."""
    if not objective.comparator.startswith("<"):
        return False
    kind = objective.path[1] if len(objective.path) > 1 else "all"
    if objective.path[0] == "failed_ratio":
        failed, asked = tally.requests(kind)
        return asked > 0 and not objective.holds(failed / most_requests(asked, done))
    if objective.path[0] in LATENCIES:
        return _too_many_slow(objective, tally, done)
    if objective.name == "sessions.dropped_count":
        return not objective.holds(tally.dropped_count)
    return False


def _too_many_slow(objective: Objective, tally: Tally, done: float) -> bool:
    """Whether the percentile's rank must lie among the requests that are too slow, however many quick ones follow."""
    histogram = tally.latency(objective.path[0], objective.path[1])
    slow_count = histogram.count_above(objective.limit * 1000, or_at=objective.comparator == "<")
    if objective.path[2] == "max":
        return slow_count > 0
    most = most_requests(histogram.count, done)
    if most == inf:
        return False
    rank = ceil(round(PERCENTILES[objective.path[2]] / 100 * ceil(most), 6))
    return slow_count > ceil(most) - rank


def _area(load: Load, from_s: float, to_s: float) -> float:
    """The integral of the profile, in seconds at its full height."""
    points = [(at * load.duration_s, share) for at, share in load.profile]
    return sum(_piece(before, after, from_s, to_s) for before, after in pairwise(points))


def _piece(before: Sequence[float], after: Sequence[float], from_s: float, to_s: float) -> float:
    left, right = max(before[0], from_s), min(after[0], to_s)
    if right <= left:
        return 0.0
    slope = (after[1] - before[1]) / (after[0] - before[0])
    return (right - left) * (before[1] + slope * ((left + right) / 2 - before[0]))
