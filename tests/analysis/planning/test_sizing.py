"""Workers by tier: headroom, objectives, intervals; and that more shoppers never need fewer."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.planning import sizing
from analysis.planning.network import Station
from analysis.planning.response import Allowance, ResponseTimes, ruling
from analysis.planning.sizing import Bound, Sizer, draw_demands, least_workers, workers_needed
from loadgen.objectives import Objective
from tests.analysis.planning.shops import demand, measured_shop

TIGHT = Objective(("response_time_ms", "all", "p95"), "<", 120.0)
OF_A_PAGE = Objective(("response_time_ms", "product", "p90"), "<", 101.0)


def allowance(objective: Objective, shop=None) -> Allowance:
    given_ = ruling(objective, shop or measured_shop()).allowance
    assert given_ is not None
    return given_


@pytest.mark.parametrize(
    ("offered", "headroom", "workers"),
    [
        (5.0, 0.3, 8),
        (0.0, 0.3, 1),
        (0.7, 0.3, 1),
        (0.71, 0.3, 2),
        (7.0, 0.3, 10),
        (2.0, 0.0, 3),
        (1.9, 0.0, 2),
        (5.0, 0.5, 10),
    ],
)
def test_headroom_leaves_its_share_free_and_no_tier_is_ever_full(offered, headroom, workers):
    assert least_workers(offered, headroom) == workers


def test_at_a_thousand_requests_a_second_every_tier_has_what_its_demand_says():
    planned = Sizer(measured_shop(), 0.3, []).size(1000.0)
    assert [(tier.tier, tier.count, tier.decided_by) for tier in planned.tiers] == [
        ("edge", 1, "one at least"),  # 0.2 busy
        ("shop", 8, "headroom"),  # 5 busy, of 0.7
        ("database", 2, "headroom"),  # 1 busy
    ]
    shop = planned.tiers[1]
    assert (shop.busy.value, shop.busy.low, shop.busy.high) == pytest.approx((5.0, 4.5, 5.5))
    assert (shop.station.service_s, shop.station.visits) == (0.01, 0.5)  # half of the requests cost twice the mean
    assert planned.tightest.tier == "shop"


def test_intervals_of_workers_are_those_of_the_demands():
    shop = Sizer(measured_shop(), 0.3, []).size(10_000.0).tiers[1]
    # 50 busy, 45 to 55: from 64.3 to 78.6 workers
    assert shop.count == 72
    assert shop.workers.low == pytest.approx(65, abs=1)
    assert shop.workers.high == pytest.approx(79, abs=1)


def test_a_demand_that_is_known_exactly_has_no_interval():
    exact = measured_shop({"shop": (5.0, 0.0)}, {"shop": 1.0})
    planned = Sizer(exact, 0.3, []).size(1000.0).tiers[0]
    assert (planned.workers.low, planned.workers.value, planned.workers.high) == (8, 8, 8)


def test_demands_are_drawn_from_their_own_intervals_however_lopsided():
    lopsided = sizing.Demand("shop", "all", 0.005, 0.004, 0.008)
    drawn = draw_demands([lopsided, demand("edge", 1.0, 3.0)])
    assert np.percentile(drawn[:, 0], [2.5, 50, 97.5]) == pytest.approx([0.004, 0.005, 0.008], rel=0.05)
    assert drawn[:, 1].min() == 0.0


def test_the_fewest_workers_hold_a_bound_and_one_less_does_not():
    """The probability of waiting longer than t is C exp(-(c - a) t / s), by Erlang's formula as it is written."""
    for offered, share, wait_s in ((0.5, 0.01, 0.01), (3.2, 0.001, 0.02), (60.0, 1e-4, 0.005), (900.0, 0.01, 0.001)):
        count = workers_needed(offered, 0.02, 0.0, [Bound("", share, wait_s)])
        beyond = [Station("", workers, offered, 0.02, 1.0).waits_longer_ratio(wait_s) for workers in (count, count - 1)]
        assert beyond[0] <= share
        assert beyond[1] > share or count == least_workers(offered, 0.0)


@pytest.mark.parametrize("objective", [TIGHT, OF_A_PAGE])
@pytest.mark.parametrize("requests_per_s", [1.0, 30.0, 100.0, 1000.0, 30_000.0])
def test_a_planned_shop_meets_its_objective(objective, requests_per_s):
    shop = measured_shop()
    planned = Sizer(shop, 0.0, [allowance(objective)]).size(requests_per_s)
    value_ms = ResponseTimes(shop).percentile_ms(objective.path[1], float(objective.path[2][1:]), planned.stations)
    assert value_ms is not None
    assert value_ms < objective.limit


def test_an_objective_that_headroom_does_not_meet_decides():
    shop = measured_shop({"shop": (60.0, 0.0)}, {"shop": 1.0})
    planned = Sizer(shop, 0.1, [allowance(TIGHT, shop)]).size(30.0).tiers[0]
    assert planned.count > least_workers(1.8, 0.1)
    assert planned.decided_by == "response_time_ms.all.p95 < 120"


@given(st.floats(0.01, 1e5), st.floats(1.0, 20.0), st.floats(0.0, 0.8), st.sampled_from([None, TIGHT, OF_A_PAGE]))
def test_more_shoppers_never_need_fewer_workers(requests_per_s, times, headroom, objective):
    sizer = Sizer(measured_shop(), headroom, [allowance(objective)] if objective else [])
    fewer, more = sizer.workers(requests_per_s), sizer.workers(requests_per_s * times)
    assert all(one <= other for one, other in zip(fewer, more, strict=True))


@given(st.floats(0.01, 1e5), st.floats(0.0, 0.4), st.floats(0.0, 0.4))
def test_more_headroom_never_needs_fewer_workers(requests_per_s, headroom, more):
    shop = measured_shop()
    assert Sizer(shop, headroom, []).workers(requests_per_s) <= Sizer(shop, headroom + more, []).workers(requests_per_s)


def test_ten_million_shoppers_an_hour_are_planned_and_a_hundred_times_as_many():
    for per_h in (1e7, 1e9):
        requests_per_s = per_h / 3600 * 20
        planned = Sizer(measured_shop(), 0.3, [allowance(TIGHT)]).size(requests_per_s)
        assert [tier.count for tier in planned.tiers] == [
            math.ceil(cost_s * requests_per_s / 0.7) for cost_s in (0.0002, 0.005, 0.001)
        ]
        assert all(tier.workers.low <= tier.count <= tier.workers.high for tier in planned.tiers)


def test_how_many_sums_a_bound_takes_does_not_grow_with_the_workers():
    asked: list[int] = []

    def enough(count: int) -> bool:
        asked.append(count)
        return count >= 1_234_567

    assert sizing._fewest(enough, 1_000_000) == 1_234_567
    assert len(asked) < 50
