"""Before a comparison: how much of this machine the load takes where a cache spares nothing, and the rate after it."""

import math
from collections.abc import Sequence
from dataclasses import replace

from loadgen.config import Scenario, load_scenario
from loadgen.edge_comparison import LOAD_LIMIT_RATIO, Calibration
from loadgen.rundir import RunDirectory

_WARMUP_S, _MEASURED_S, _DRAIN_S = 10.0, 10.0, 2.0
_COSTLIEST_FIRST = ("direct", "nginx-pass")


def costliest(profiles: Sequence[str]) -> str:
    """The profile that costs the shop most: one without a cache if there is any."""
    return next((name for name in _COSTLIEST_FIRST if name in profiles), profiles[0])


def short(scenario: str, flags: dict[str, str | None]) -> Scenario:
    """The scenario as a few seconds at the full height of its profile, with nothing broken."""
    whole = load_scenario(scenario, {**flags, "duration": f"{_WARMUP_S + _MEASURED_S:g}s"})
    height = max(share for _, share in whole.load.profile)
    load = replace(whole.load, profile=((0.0, height), (1.0, height)), warmup_s=_WARMUP_S, drain_s=_DRAIN_S)
    return replace(whole, load=load, faults=())


def calibration(run: RunDirectory, profile: str, asked_rate_per_s: float, *, scales: bool) -> Calibration:
    """What a short run used, and the rate for the study: the one that was asked for unless it `scales`."""
    from analysis.recording import read  # noqa: PLC0415 - pandas takes a second to load
    from analysis.steady_seconds import used  # noqa: PLC0415

    found = used(read(run))
    shares = (found.generator_ratio, found.stack_ratio)
    rate_per_s = bearable_per_s(asked_rate_per_s, shares) if scales else asked_rate_per_s
    return Calibration(profile, asked_rate_per_s, rate_per_s, *shares)


def bearable_per_s(rate_per_s: float, shares: Sequence[float | None]) -> float:
    """The rate at which none of the shares exceeds the limit, in three digits, if use grows as the rate does."""
    most = max((share for share in shares if share is not None), default=0.0)
    if most <= LOAD_LIMIT_RATIO:
        return rate_per_s
    bearable = rate_per_s * LOAD_LIMIT_RATIO / most
    digits = 2 - math.floor(math.log10(bearable))
    return math.floor(bearable * math.pow(10, digits)) / math.pow(10, digits)


def told(found: Calibration) -> str:
    """What a trial found, and what follows from it."""
    shares = {"the generator's": found.generator_ratio, "the stack's": found.stack_ratio}
    used = " and ".join(f"{ratio:.0%} of {whose}" for whose, ratio in shares.items() if ratio is not None)
    tried = f"{found.asked_rate_per_s:g} shoppers per second on {found.profile} use {used or 'an unknown share of'}"
    limit = f"than {LOAD_LIMIT_RATIO:.0%}"
    if found.rate_per_s < found.asked_rate_per_s:
        return f"{tried} processors, more {limit}: {found.rate_per_s:g} per second come instead"
    if any((ratio or 0.0) > LOAD_LIMIT_RATIO for ratio in shares.values()):
        return f"{tried} processors, more {limit}: waiting for them will be part of the response times"
    return f"{tried} processors, no more {limit}"
