"""The queueing model beside a simulation of the same network."""

import pytest

from analysis.planning.network import Station
from tests.analysis.planning.simulation import Tier, waits_s

RATE_PER_S = 100.0
# An edge that answers two requests of five itself, a shop, and a database that is asked for each of the others.
TIERS = (Tier(2, 0.012, 0.6), Tier(3, 0.035, 1.0), Tier(2, 0.025, 0.0))


@pytest.fixture(scope="module")
def simulated():
    return waits_s(TIERS, RATE_PER_S, arrivals=60_000, warm_up_s=20.0, seed=7)


@pytest.mark.parametrize("number", range(3))
def test_every_tier_waits_as_in_the_simulation(simulated, number):
    tier, waits = TIERS[number], simulated[number]
    visits = 1.0 if number == 0 else TIERS[0].goes_on
    modelled = Station("", tier.servers, RATE_PER_S * visits * tier.service_s, tier.service_s, visits)
    assert sum(wait > 0 for wait in waits) / len(waits) == pytest.approx(modelled.waits_ratio, rel=0.05)
    assert sum(waits) / len(waits) == pytest.approx(modelled.mean_wait_s, rel=0.1)
    assert sum(wait > 0.05 for wait in waits) / len(waits) == pytest.approx(
        modelled.waits_longer_ratio(0.05), rel=0.12, abs=0.001
    )
