import pytest

from loadgen.config import load_scenario, scenario_names
from loadgen.pacing import expected_count
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


def test_the_evening_has_a_small_deal_few_coupons_and_little_money_on_cards():
    evening = load_scenario("evening")
    sale, offers = evening.flash_sale, evening.offers
    assert sale is not None
    assert (sale.units, sale.limit_per_customer, sale.starts_at_s, sale.reservation_s) == (5, 1, 15.0, 5.0)
    assert [(coupon.code, coupon.uses) for coupon in offers.coupons] == [("PAYDAY", 5)]
    assert len(offers.balances_idr) == 2
    # Fewer than those who want them: 0.077 checkouts a session, and a share of those who land come for the deal.
    sessions = evening.load.duration_s * evening.load.rate_per_s
    assert 0.077 * sessions * evening.shoppers.coupon_ratio > offers.coupons[0].uses
    assert 0.35 * sessions * evening.shoppers.deal_ratio > 3 * sale.units


def test_the_flash_sale_brings_four_shoppers_for_each_unit_most_of_them_before_the_instant():
    scenario = load_scenario("flash-sale")
    sale, load = scenario.flash_sale, scenario.load
    assert sale is not None
    assert MIXES[scenario.shoppers.mix].needs_sale
    assert expected_count(load.rate) == pytest.approx(4 * sale.units, rel=0.05)
    points = [point for point in load.rate if point.at_s <= sale.starts_at_s]
    assert points[-1].at_s == sale.starts_at_s
    assert points[-1].per_s == max(point.per_s for point in load.rate)
    assert expected_count(points) > 0.6 * expected_count(load.rate)
    assert load.warmup_s < sale.starts_at_s - 10.0
    assert sale.starts_at_s + sale.reservation_s < load.duration_s


def test_a_shopper_who_was_answered_has_not_failed_and_sold_out_is_an_answer():
    judged = {objective.name for objective in load_scenario("flash-sale").objectives}
    assert "failed_ratio" in judged
    assert not any("orders" in name for name in judged)  # other rates and durations sell other amounts
