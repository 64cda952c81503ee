"""A scenario as a load that a search can stand on: steady, as long as it takes, with nothing that happens once."""

from dataclasses import replace

from loadgen.config import Scenario
from loadgen.errors import UsageProblem

_FLAT = ((0.0, 1.0), (1.0, 1.0))
_WARMUP_S = 10.0  # at least: caches, connection pools and the first sessions' whole visits
_SPARE_S = 60.0  # beyond the budget, so that the search ends the run and not the other way round


def steady_load(scenario: Scenario, rate_per_s: float, budget_s: float) -> tuple[Scenario, tuple[str, ...]]:
    """The scenario at one rate for longer than `budget_s` seconds, and a sentence for everything that is left out.

    UsageProblem for a load without a rate: users in a loop, or a trace.
    """
    load = scenario.load
    if not load.has_rate:
        raise UsageProblem(f"scenario {scenario.name} has no rate to search over: {load.why_no_rate}")
    changed = []
    if load.profile != _FLAT:
        changed.append("The profile of the rate is left out: each step offers one rate.")
    if scenario.faults:
        changed.append(f"Its faults are left out ({', '.join(fault.kind for fault in scenario.faults)}).")
    warmup_s = max(load.warmup_s, _WARMUP_S)
    steady = replace(
        load,
        rate_per_s=rate_per_s,
        profile=_FLAT,
        warmup_s=warmup_s,
        duration_s=float(round(warmup_s + budget_s + _SPARE_S)),
    )
    calm = replace(scenario, load=steady, faults=())
    if scenario.flash_sale is not None and scenario.shoppers.deal_ratio > 0:
        changed.append("Its flash sale is left out, which happens once.")
        calm = replace(calm, flash_sale=None, shoppers=replace(scenario.shoppers, deal_ratio=0.0))
    return calm, tuple(changed)
