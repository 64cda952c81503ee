import pytest

from loadgen.config import load_scenario, scenario_names
from scenarios.mixes import MIXES

NAMES = ("evening", "flash-sale", "tpcw-shopping")


@pytest.mark.parametrize("name", NAMES)
def test_a_named_scenario_resolves_and_names_a_mix(name):
    scenario = load_scenario(name)
    assert scenario.shoppers.mix in MIXES
    assert scenario.objectives
    assert scenario_names()[name] == scenario.description != ""


def test_the_evening_starts_cold_and_loses_a_worker_in_its_steady_phase():
    evening = load_scenario("evening")
    first, *_, last = (point.per_s for point in evening.load.rate)
    assert first < 0.5 * last
    assert [(fault.kind, fault.tier) for fault in evening.faults] == [("kill-worker", "shop")]
    assert evening.load.warmup_s < evening.faults[0].at_s < evening.load.duration_s - 15.0


def test_the_evenings_checkout_objectives_need_fewer_samples_than_it_makes():
    # On average 0.077 checkouts a session (docs/mixes.md); a percentile with a limit needs its samples in every run.
    evening = load_scenario("evening")
    sessions = (evening.load.duration_s - evening.load.warmup_s) * evening.load.rate_per_s
    assert 0.077 * sessions > 10
    judged = {
        objective.path[2] for objective in evening.objectives if objective.path[:2] == ("response_time_ms", "checkout")
    }
    assert judged == {"p50"}
