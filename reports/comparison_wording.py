"""A comparison as words: the recommendation in a sentence, why not the others, and what is uncertain."""

from collections.abc import Sequence

from analysis.bootstrap import Estimate
from analysis.compared import MeasuredPart, ProfileFigures
from analysis.comparison import Comparison
from analysis.gain import Gain, gain
from analysis.recommendation import Ground
from analysis.steady_seconds import CATALOGUE
from loadgen.edge_comparison import LOAD_LIMIT_RATIO
from reports import wording

_GROUNDS: dict[Ground, str] = {
    "leaked": "leaked",
    "not measured": "could not be run",
    "not run": "was not run",
    "no verdict": "has no verdict",
    "failed": "failed",
    "slower": "is slower",
    "spares less": "spares the shop less",
    "less simple": "is not told apart from it, but there is more of it to run",
}
_SPACE = "\u00a0"


def answer(comparison: Comparison) -> str:
    """The whole comparison in one sentence: which profile to take, and what it gains; or why none."""
    recommended = comparison.recommended
    if recommended is None:
        return f"No edge can be recommended: {_why_none(comparison)}."
    baseline = comparison.baseline
    if baseline is None:
        return f"Take {recommended.profile.name}: {_alone(recommended)}."
    return f"Take {recommended.profile.name}: {_gained(recommended, baseline)}."


def saved(figures: ProfileFigures, baseline: ProfileFigures) -> str:
    """What one profile saved beside another, whatever is recommended."""
    return f"With {figures.profile.name}, {_gained(figures, baseline)}."


def others(comparison: Comparison) -> list[str]:
    """Why not the others, one sentence for each of the rule's steps that put any aside."""
    if comparison.recommended is None:
        return []
    told: list[str] = []
    for ground, words in _GROUNDS.items():
        names = comparison.recommendation.grounds(ground)
        if names:
            one = len(names) == 1
            told.append(f"{listed(names)} {words if one else _plural(words)}.")
    return told


def uncertainties(comparison: Comparison) -> list[str]:
    """What these figures leave open, one sentence each."""
    found = []
    if comparison.manifest.options.repeats == 1:
        found.append(
            "There was one run of each profile: the intervals show how seconds of a run differ, not how runs do; "
            "--repeats 3 would."
        )
    if any(figures.response(CATALOGUE, "p95").low is None for figures in comparison.profiles if figures.parts):
        found.append("Too little was measured for an interval of every p95: what has none is told apart from nobody.")
    found += [loaded(part) for figures in comparison.profiles for part in figures.parts if part.above_limit]
    astray = [figures.profile.name for figures in comparison.profiles if not figures.reconciliation_explained]
    if astray:
        found.append(f"Not every request of {listed(astray)} is accounted for between caches and shop.")
    unchecked = [
        figures.profile.name for figures in comparison.profiles if figures.parts and not figures.safety.checked_count
    ]
    if unchecked:
        found.append(f"Nobody looked for leaks of {listed(unchecked)}.")
    return found


def loaded(part: MeasuredPart) -> str:
    """How far a part loaded this machine beyond what a comparison may."""
    shares = {"the generator's": part.used.generator_ratio, "the stack's": part.used.stack_ratio}
    above = [
        f"{wording.percent(ratio)} of {whose}" for whose, ratio in shares.items() if (ratio or 0.0) > LOAD_LIMIT_RATIO
    ]
    return (
        f"{part.part.label} used {listed(above)} processors, more than {wording.percent(LOAD_LIMIT_RATIO)}: "
        "waiting for them is part of its response times."
    )


def interval(estimate: Estimate, unit: str) -> str:
    """The two ends of an interval, empty where there is none; `unit` is ms, ms as s, ratio, s or number."""
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = _bare(estimate.low, unit), _bare(estimate.high, unit)
    return f"{low} to {high}" if estimate.low < 0 else f"{low}–{high}"


def value(estimate: Estimate, unit: str) -> str:
    """A figure in its unit, which the head of its row or column names; ratios carry their own."""
    if estimate.value is None:
        return wording.NOTHING
    bare = _bare(estimate.value, unit)
    return f"{bare}{_SPACE}%" if unit == "ratio" else bare


def _bare(number: float, unit: str) -> str:
    if unit == "ratio":
        return _percent(number)
    if unit == "ms":
        return wording.ms(number)
    if unit == "ms as s":
        return wording.decimal(number / 1000)
    return f"{number:.2f}" if unit == "s" else wording.decimal(number)


def _percent(ratio: float) -> str:
    """A ratio without its sign for percent; what is below none by chance keeps its minus."""
    text = wording.percent(abs(ratio)).partition(_SPACE)[0]
    return f"−{text}" if ratio < 0 and float(text) else text


def _p95(figures: ProfileFigures) -> str:
    p95 = figures.response(CATALOGUE, "p95")
    bounds = interval(p95, "ms")
    return f"{wording.ms_unit(p95.value)}{f' ({bounds})' if bounds else ''}"


def _alone(figures: ProfileFigures) -> str:
    """A recommended profile beside which nothing without a cache was measured, or which has none itself."""
    told = f"catalogue pages come in {_p95(figures)} at p95, half of them in {_median(figures)}"
    if not figures.profile.caches:
        return f"no cache that was measured is better; {told}"
    return f"{told}, and {wording.percent(figures.offload_ratio.value)} of all requests never reach the shop"


def _gained(figures: ProfileFigures, baseline: ProfileFigures) -> str:
    found = gain(figures, baseline)
    told = [
        f"catalogue pages come in {_p95(figures)} at p95, half of them in {_median(figures)}",
        f"with {baseline.profile.name} in {_p95(baseline)} and {_median(baseline)}{_told_apart(found)}",
    ]
    return "; ".join(told + _spared(found))


def _median(figures: ProfileFigures) -> str:
    return wording.ms_unit(figures.response(CATALOGUE, "p50").value)


def _told_apart(found: Gain) -> str:
    if found.p95_saved_ms is None:
        return ""
    if not found.p95_told_apart:
        return ", not told apart at p95"
    return f", {wording.ms_unit(abs(found.p95_saved_ms))} {'later' if found.p95_saved_ms > 0 else 'sooner'} at p95"


def _spared(found: Gain) -> list[str]:
    if found.origin_spared_ratio is None:
        return []
    more = "fewer" if found.origin_spared_ratio >= 0 else "more"
    told = f"the shop answers {wording.percent(abs(found.origin_spared_ratio))} {more} requests"
    if found.cpu_saved_ratio is not None and abs(found.cpu_saved_ratio) >= 0.01:
        less = "less" if found.cpu_saved_ratio > 0 else "more"
        told += f", and all tiers together use {wording.percent(abs(found.cpu_saved_ratio))} {less} processor time"
    return [told]


def _why_none(comparison: Comparison) -> str:
    told = [
        f"{ruled.name} {_GROUNDS[ruled.ground]}{_detail(comparison.figures(ruled.name), ruled.ground)}"
        for ruled in comparison.recommendation.ruled_out
    ]
    return "; ".join(told) or "nothing was measured"


def _detail(figures: ProfileFigures, ground: Ground) -> str:
    """The first reason behind a ground, in brackets."""
    if ground == "leaked":
        return f" ({figures.safety.alarm_count:,} alarms in {figures.safety.checked_count:,} checks)"
    if ground == "not measured":
        return f" ({figures.problems[0].rstrip('.')})" if figures.problems else ""
    bad = next((part for part in figures.parts if part.verdict.verdict == figures.outcome), None)
    return f" ({bad.verdict.reasons[0].rstrip('.')})" if bad else ""


def _plural(words: str) -> str:
    for one, many in (("has ", "have "), ("is ", "are "), ("was ", "were "), ("spares ", "spare ")):
        words = f"{many}{words.removeprefix(one)}" if words.startswith(one) else words
    return words


def listed(items: Sequence[str]) -> str:
    """A list as people say it: a, b and c."""
    return " and ".join([*([", ".join(items[:-1])] if items[1:] else []), *items[-1:]])
