"""A capacity study as words: the answer in a sentence, what gave out first, and what every step came to."""

from collections.abc import Sequence

from analysis.capacity import CapacityAnalysis
from analysis.capacity_curve import CurvePoint
from loadgen.capacity_study import SearchStep
from reports import wording

_SPACE = "\u00a0"  # between a number and its unit, where no line may break
PURPOSES = {
    "bracket": "look for a rate that fails",
    "narrow": "narrow it down",
    "edge": "look again",
    "beyond": "see what lies beyond",
}
OUTCOMES = {"holds": "pass", "fails": "fail", "unknown": "unknown", "unsteady": "unknown"}
_BEYOND = {
    "collapses": "Beyond it the shop collapses: it answers less well the more is asked of it.",
    "holds": "Beyond it the shop goes on answering what it can.",
    "unseen": "What lies beyond was not seen.",
}


def answer(study: CapacityAnalysis) -> str:
    """The whole study in one or two sentences: how much the shop holds, and what happens beyond."""
    record = study.record
    if record.found == "found":
        return f"The shop holds {_sessions(study)}{_orders(study)}. {_BEYOND[record.beyond]}"
    orders = study.orders_per_min
    return f"{record.sentence} That is {_rate(orders.at)}{_SPACE}orders/min." if orders else record.sentence


def reasons(study: CapacityAnalysis) -> list[str]:
    """Why there is no pass, a sentence each; what the answer says already is left out."""
    return [reason for reason in study.verdict.reasons if reason not in answer(study)]


def interval(low: float | None, high: float | None) -> str:
    """The two ends of an interval: 11.8–12.7; empty where nothing bounds it from above."""
    return "" if low is None or high is None else f"{_rate(low)}–{_rate(high)}"


def rate(value: float | None) -> str:
    """A rate in three digits: 0.25, 12.3, 1,240."""
    return _rate(value)


def gave_out(study: CapacityAnalysis) -> list[str]:
    """What was seen of the limit, a sentence each: the objective, what reached nobody any more, the busiest tier."""
    told = []
    if study.first_failure:
        told.append(f"The first objective to fail was {study.first_failure}.")
    curve = study.curve
    if curve.saturates_per_s is not None and curve.peak is not None:
        told.append(
            f"From {_rate(curve.saturates_per_s)} sessions/s on each session was answered less than under light load; "
            f"the most that was answered well was {_rate(curve.peak.goodput_per_s)} requests/s, "
            f"at {_rate(curve.peak.step.rate_per_s)} sessions/s."
        )
    elif curve.peak is not None:
        told.append("What was answered well grew with what was offered, as far as was looked.")
    return [*told, *_busiest(study)]


def cores(point: CurvePoint, tier: str) -> str:
    """Cores in use by a tier at a point: 0.83."""
    return f"{point.cores[tier]:.2f}" if tier in point.cores else wording.NOTHING


def reason(step: SearchStep) -> str:
    """Why a step came out as it did, as a sentence."""
    named = step.decided_by is not None and step.reason.startswith(step.decided_by)
    text = step.reason if named else step.reason[:1].upper() + step.reason[1:]
    return text if text.endswith(".") else f"{text}."


def _sessions(study: CapacityAnalysis) -> str:
    record = study.record
    bounds = interval(record.low_per_s, record.high_per_s)
    return f"{_rate(record.rate_per_s)}{_SPACE}sessions/s{f' ({bounds})' if bounds else ''}"


def _orders(study: CapacityAnalysis) -> str:
    orders = study.orders_per_min
    return f", {_rate(orders.at)}{_SPACE}orders/min" if orders else ""


def _busiest(study: CapacityAnalysis) -> Sequence[str]:
    point = study.curve.highest_held or study.curve.peak
    if point is None:
        return ()
    tiers = {tier: cores for tier, cores in point.cores.items() if tier != "generator"}
    if not tiers:
        return ()
    busiest = max(tiers, key=lambda tier: tiers[tier])
    told = (
        f"At {_rate(point.step.rate_per_s)} sessions/s the busiest tier was {busiest}, with {tiers[busiest]:.2f} cores"
    )
    count = len(study.run.manifest.cpu_sets.get("stack", ()))
    if not count:
        return (f"{told} in use.",)
    return (f"{told} in use of the {count} that all tiers share; all of them used {sum(tiers.values()):.2f}.",)


def _rate(value: float | None) -> str:
    if value is None:
        return wording.NOTHING
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"
