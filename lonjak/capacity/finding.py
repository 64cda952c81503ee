"""The answer of a capacity search in figures and one sentence, from the steps that it took."""

from collections.abc import Sequence
from dataclasses import dataclass

from lonjak.capacity.bracket import Bracket, bracket
from lonjak.capacity.estimate import Estimate, estimate
from lonjak.capacity.plan import SearchPlan
from lonjak.capacity.steps import Beyond, Capacity, Finding
from lonjak.capacity.trial import Tried

COLLAPSED_RATIO = 0.8


def capacity(tried: Sequence[Tried], plan: SearchPlan) -> Capacity:
    """What is known by now."""
    found = bracket(tried)
    near = estimate(tried, found, plan)
    held = any(step.result.outcome == "holds" for step in tried)
    failed = any(step.result.outcome in {"fails", "unsteady"} for step in tried)
    if near is not None and held and (failed or near.fitted):
        known = _Known("found", near.rate_per_s, near.low_per_s, near.high_per_s, _found(near, tried, plan))
    elif found.low_per_s is not None and found.high_per_s is None and _holds_at(tried, found.low_per_s):
        low_per_s = found.low_per_s
        known = _Known("at least", low_per_s, low_per_s, None, _at_least(low_per_s, found, tried, plan))
    elif found.low_per_s is None and _fails_at(tried, plan.lowest_per_s):
        known = _Known("below", None, None, plan.lowest_per_s, _below(tried, plan))
    else:
        known = _Known("unknown", None, None, found.high_per_s if failed else None, _unknown(tried))
    return Capacity(
        rate_per_s=known.rate_per_s,
        low_per_s=known.low_per_s,
        high_per_s=known.high_per_s,
        confidence=plan.confidence,
        beyond=_seen_beyond(tried),
        steps=tuple(step.result for step in tried),
        sentence=known.sentence,
        finding=known.finding,
    )


@dataclass(frozen=True, slots=True)
class _Known:
    finding: Finding
    rate_per_s: float | None
    low_per_s: float | None
    high_per_s: float | None
    sentence: str


def _fails_at(tried: Sequence[Tried], rate_per_s: float) -> bool:
    return any(step.result.outcome == "fails" and step.rate_per_s == rate_per_s for step in tried)


def _holds_at(tried: Sequence[Tried], rate_per_s: float) -> bool:
    return any(step.result.outcome == "holds" and step.rate_per_s == rate_per_s for step in tried)


def _seen_beyond(tried: Sequence[Tried]) -> Beyond:
    """Whether goodput beyond the capacity stays near the highest that any step had."""
    goodput = [step.result.goodput_per_s for step in tried if step.result.goodput_per_s is not None]
    last = tried[-1] if tried else None
    if last is None or last.result.step.purpose != "beyond" or last.limited or last.result.goodput_per_s is None:
        return "unseen"
    return "collapses" if last.result.goodput_per_s < COLLAPSED_RATIO * max(goodput) else "holds"


def _found(near: Estimate, tried: Sequence[Tried], plan: SearchPlan) -> str:
    after = {
        "collapses": " Beyond it the shop collapses: its goodput falls.",
        "holds": " Beyond it the shop goes on serving what it can.",
        "unseen": " What lies beyond was not seen.",
    }[_seen_beyond(tried)]
    return (
        f"The shop holds {_rate(near.rate_per_s)} sessions/s"
        f" ({_rate(near.low_per_s)} to {_rate(near.high_per_s)} with {100 * plan.confidence:g} % confidence).{after}"
    )


def _at_least(low_per_s: float, found: Bracket, tried: Sequence[Tried], plan: SearchPlan) -> str:
    return f"The shop holds at least {_rate(low_per_s)} sessions/s; {_why_no_higher(found, tried, plan)}."


def _why_no_higher(found: Bracket, tried: Sequence[Tried], plan: SearchPlan) -> str:
    if found.ceiling_per_s is not None:
        reasons = [step.result.reason for step in tried if step.limited and step.rate_per_s == found.ceiling_per_s]
        return f"higher is not known, as at {_rate(found.ceiling_per_s)} sessions/s {reasons[0]}"
    if found.low_per_s == plan.highest_per_s:
        return "no higher rate is allowed"
    return f"the budget of {plan.budget_s} s ended there"


def _below(tried: Sequence[Tried], plan: SearchPlan) -> str:
    reasons = [step.result.reason for step in tried if step.result.outcome == "fails"]
    return f"The shop fails already at {_rate(plan.lowest_per_s)} sessions/s, the lowest rate allowed: {reasons[-1]}."


def _unknown(tried: Sequence[Tried]) -> str:
    if not tried:
        return "The capacity is unknown: no step has ended."
    last = tried[-1].result
    return f"The capacity is unknown: at {_rate(last.step.rate_per_s)} sessions/s {last.reason}."


def _rate(rate_per_s: float) -> str:
    return f"{rate_per_s:.3g}" if rate_per_s < 100 else f"{rate_per_s:.0f}"
