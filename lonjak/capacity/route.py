"""At which rate a search goes on: up until something fails, in between, at the edge, and beyond it. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lonjak.capacity.bracket import Bracket, bracket
from lonjak.capacity.estimate import Estimate, estimate
from lonjak.capacity.plan import SearchPlan
from lonjak.capacity.steps import Purpose
from lonjak.capacity.trial import BEYOND_S, Tried

GROWTH_RATIO = 2.0
BEYOND_RATIO = 1.25
_MOST_EDGE_STEPS = 6
_DRAINING_S = 5


@dataclass(frozen=True, slots=True)
class Proposal:
    """Offer this next."""

    rate_per_s: float
    purpose: Purpose


def propose(tried: Sequence[Tried], plan: SearchPlan, left_s: int) -> Proposal | None:
    """The next step, None when nothing more can be learned or `left_s` are too few for it.

    Seconds for two steps at the edge and one beyond it are kept back while it narrows.
    """
    found = bracket(tried)
    if _went_beyond(tried) or left_s < plan.settling_s + plan.shortest_s:
        return None
    low_per_s, upper_per_s = found.low_per_s, found.upper_per_s
    if upper_per_s is None:
        return _upwards(tried, low_per_s, plan)
    if low_per_s is None:
        return _downwards(tried, upper_per_s, plan)
    near = estimate(tried, found, plan)
    if near is None:
        return _below_the_ceiling(tried, low_per_s, upper_per_s, plan)
    return _around(tried, found, near, plan, left_s)


def _around(tried: Sequence[Tried], found: Bracket, near: Estimate, plan: SearchPlan, left_s: int) -> Proposal | None:
    """Narrower, at the edge, or beyond it, whichever is due and can be afforded."""
    edge_s = plan.settling_s + plan.longest_s + _DRAINING_S
    beyond_s = plan.settling_s + BEYOND_S + _DRAINING_S
    proposal = None
    if left_s >= 2 * edge_s + beyond_s:
        proposal = _narrower(tried, found, near, plan)
    if proposal is None and left_s >= edge_s + beyond_s:
        proposal = _at_the_edge(tried, found, near, plan)
    return proposal or _beyond(found, near, plan)


def _went_beyond(tried: Sequence[Tried]) -> bool:
    return any(step.result.step.purpose == "beyond" for step in tried)


def _times_at(tried: Sequence[Tried], rate_per_s: float) -> int:
    return sum(math.isclose(step.rate_per_s, rate_per_s) for step in tried)


def _upwards(tried: Sequence[Tried], low_per_s: float | None, plan: SearchPlan) -> Proposal | None:
    """Nothing has failed yet: grow, and at the highest rate allowed look twice."""
    if low_per_s is None:
        return Proposal(plan.start_per_s, "bracket") if _times_at(tried, plan.start_per_s) < 2 else None
    if low_per_s < plan.highest_per_s:
        return Proposal(min(low_per_s * GROWTH_RATIO, plan.highest_per_s), "bracket")
    return Proposal(plan.highest_per_s, "edge") if _times_at(tried, plan.highest_per_s) < 2 else None


def _downwards(tried: Sequence[Tried], upper_per_s: float, plan: SearchPlan) -> Proposal | None:
    """Nothing has held yet: shrink, and at the lowest rate allowed look twice."""
    if upper_per_s > plan.lowest_per_s:
        return Proposal(max(upper_per_s / GROWTH_RATIO, plan.lowest_per_s), "bracket")
    return Proposal(plan.lowest_per_s, "edge") if _times_at(tried, plan.lowest_per_s) < 2 else None


def _below_the_ceiling(
    tried: Sequence[Tried], low_per_s: float, ceiling_per_s: float, plan: SearchPlan
) -> Proposal | None:
    """The generator gave out first: find out how high it can go, and look twice there."""
    if ceiling_per_s / low_per_s > 1 + 2 * plan.resolution_ratio:
        return Proposal(math.sqrt(low_per_s * ceiling_per_s), "narrow")
    return Proposal(low_per_s, "edge") if _times_at(tried, low_per_s) < 2 else None


def _narrower(tried: Sequence[Tried], found: Bracket, near: Estimate, plan: SearchPlan) -> Proposal | None:
    """Between the two sides, until they or the interval are about as near to each other as asked, or a step is open."""
    if found.low_per_s is None or found.upper_per_s is None:
        return None
    if any(step.result.step.purpose == "edge" for step in tried):
        return None
    last = tried[-1].result
    if last.step.purpose == "narrow" and last.outcome == "unknown" and found.ratio < GROWTH_RATIO:
        return None
    if found.ratio <= 1 + 2 * plan.resolution_ratio or near.half_width_ratio <= plan.resolution_ratio:
        return None
    return Proposal(math.sqrt(found.low_per_s * found.upper_per_s), "narrow")


def _at_the_edge(tried: Sequence[Tried], found: Bracket, near: Estimate, plan: SearchPlan) -> Proposal | None:
    """Both sides of the estimate for as long as a step may take, until one below it holds and one above it fails."""
    edges = [step for step in tried if step.result.step.purpose == "edge"]
    if len(edges) >= _MOST_EDGE_STEPS:
        return None
    half, reach = 1 + plan.resolution_ratio / 2, (1 + plan.resolution_ratio / 2) ** 3
    below, above = max(near.rate_per_s / half, plan.lowest_per_s), near.rate_per_s * half
    holding = [step for step in edges if step.leaning == "below" and step.rate_per_s >= near.rate_per_s / reach]
    failing = [step for step in edges if step.leaning == "above" and step.rate_per_s <= near.rate_per_s * reach]
    upper = min(plan.highest_per_s, found.ceiling_per_s or math.inf)
    if not holding:
        return Proposal(below, "edge")
    if not failing and above < upper:
        return Proposal(above, "edge")
    if near.half_width_ratio > plan.resolution_ratio:
        under = sum(step.rate_per_s < near.rate_per_s for step in edges)
        return Proposal(below if 2 * under <= len(edges) or above >= upper else above, "edge")
    return None


def _beyond(found: Bracket, near: Estimate, plan: SearchPlan) -> Proposal | None:
    rate_per_s = BEYOND_RATIO * near.rate_per_s
    if rate_per_s > plan.highest_per_s or (found.ceiling_per_s is not None and rate_per_s >= found.ceiling_per_s):
        return None
    return Proposal(rate_per_s, "beyond")
