"""A whole plan of a shop whose every figure is known: workers, traffic, database, generators, money, assumptions."""

import json
import math
from dataclasses import replace
from itertools import pairwise

import pytest

from analysis.planning.prices import Prices
from analysis.planning.shop_plan import document, loads, plan
from analysis.planning.wishes import SIZES_PER_H, Wishes
from loadgen.errors import TooLittleKnown
from loadgen.objectives import Objective
from tests.analysis.planning.shops import measured_shop
from tests.recorded_run import MANIFEST

PRICES = Prices("USD", {"edge": 0.01, "shop": 0.04, "database": 0.10}, 0.05, ("payment",))
OBJECTIVES = (
    Objective(("response_time_ms", "all", "p95"), "<", 300.0),
    Objective(("failed_ratio",), "<", 0.01),
)


def planned(measured=None, objectives=OBJECTIVES, **wishes):
    return plan(MANIFEST, objectives, measured or measured_shop(), Wishes(**wishes))


def test_a_size_comes_with_all_that_it_takes():
    """180,000 an hour are 50 a second, twice that at the peak: 2,000 requests a second."""
    [shop] = planned(shoppers_per_h=[180_000.0], peak_factor=2.0, prices=PRICES).sizes
    assert (shop.load.peak_sessions_per_s, shop.requests_per_s, shop.load.orders_per_min) == (100.0, 2000.0, 750.0)
    # busy: 0.4, 10 and 2, of which 30 % stay free
    assert [(tier.tier, tier.count) for tier in shop.sizing.tiers] == [("edge", 1), ("shop", 15), ("database", 3)]
    assert shop.worker_count == 19
    # 100 sessions of 0.5 MB a second
    assert (shop.traffic.peak_mbit_per_s, shop.traffic.peak_gb_per_h, shop.traffic.mean_gb_per_h) == (
        400.0,
        180.0,
        90.0,
    )
    # 0.0015 s of a generator for each of 2,000 requests, at 0.6 of a processor
    assert (shop.generators.value, shop.generators.low, shop.generators.high) == (5, 4, 6)
    assert shop.cost is not None
    workers_per_h = 0.01 + 15 * 0.04 + 3 * 0.10
    assert shop.cost.per_h.value == pytest.approx(workers_per_h + 180 * 0.05)
    assert shop.cost.per_month.value == pytest.approx(730 * (workers_per_h + 90 * 0.05))
    assert dict(shop.cost.parts_per_month) == pytest.approx(
        {"edge": 7.3, "shop": 438.0, "database": 219.0, "edge traffic": 3285.0}
    )
    assert shop.cost.per_h.low <= shop.cost.per_h.value <= shop.cost.per_h.high


def test_the_database_bears_what_the_shop_asks_of_it():
    [shop] = planned(shoppers_per_h=[180_000.0], peak_factor=2.0).sizes
    database = shop.database
    assert database is not None
    assert database.requests_per_s == 1000.0  # half of all requests come by
    assert (database.busy.value, database.busy.low, database.busy.high) == pytest.approx((2.0, 1.4, 2.6))
    # Little's law for M/M/3 under 2 erlangs: 2 + 2/3 C / (1 - 2/3), C = 4/9 (Kleinrock, equation 3.40)
    assert database.at_work == pytest.approx(2 + (2 / 3) * (4 / 9) / (1 / 3))
    assert database.connections == 60  # 4 to each of 15 workers


def test_a_shop_without_a_database_tells_nothing_of_one():
    measured = measured_shop({"shop": (5.0, 0.5)}, {"shop": 1.0})
    assert planned(measured, shoppers_per_h=[1000.0]).sizes[0].database is None


def test_the_tightest_tier_says_where_the_shop_is_full():
    """Ten busy of fifteen: full at 1.5 times the peak; two of three likewise, and one of both is named."""
    [shop] = planned(shoppers_per_h=[180_000.0], peak_factor=2.0).sizes
    assert shop.full_at_per_h == pytest.approx(540_000.0)
    assert shop.sizing.tightest.tier in ("shop", "database")


def test_sizes_by_orders_are_sizes_by_the_shoppers_who_place_them():
    """A quarter of a session is an order: 10 a minute are 40 sessions a minute."""
    measured = measured_shop()
    found = loads(Wishes(shoppers_per_h=[2400.0, 100.0], orders_per_min=[10.0]), measured)
    assert [(load.shoppers_per_h, load.orders_per_min) for load in found] == [(100.0, 100 / 240), (2400.0, 10.0)]
    assert [load.shoppers_per_h for load in loads(Wishes(), measured)] == list(SIZES_PER_H)


def test_a_run_without_orders_cannot_be_planned_by_orders():
    with pytest.raises(TooLittleKnown, match="none of its sessions ended in an order"):
        planned(replace(measured_shop(), orders_per_session=0.0), orders_per_min=[10.0])


def test_objectives_that_no_size_decides_are_told():
    found = planned(shoppers_per_h=[1000.0])
    assert [str(held.objective) for held in found.rulings] == ["response_time_ms.all.p95 < 300"]
    assert (
        "Not a matter of how many workers there are, and so not planned for: failed_ratio < 0.01." in found.assumptions
    )
    assert found.broken == ()


def test_objectives_that_were_given_stand_for_the_scenarios():
    given = Objective(("response_time_ms", "product", "p90"), "<", 50.0)
    wishes = Wishes(shoppers_per_h=[1000.0], objectives=(given,))
    found = plan(MANIFEST, OBJECTIVES, measured_shop(), wishes)
    assert [held.objective for held in found.broken] == [given]
    assert found.assumptions[0].startswith("response_time_ms.product.p90 was 90 ms in the run itself, not < 50: ")


def test_everything_doubtful_is_assumed_aloud():
    measured = replace(
        measured_shop(), faults=("kill-worker",), doubt="Page kinds cannot be told apart.", paths_logged=False
    )
    told = " ".join(planned(measured, shoppers_per_h=[360_000.0], prices=PRICES).assumptions)
    for words in (
        "100 times the load that was measured (1 sessions per second)",
        "broken on purpose while it was measured (kill-worker)",
        "Page kinds cannot be told apart. The plan needs their average",
        "every request is taken to come by all of them",
        "20 requests, 0.25 orders and 0.5 MB each",
        "30 % of every tier is still free then",
        "(an M/M/c queue)",
        "The database's workers are processors",
        "A month has 730 hours",
        "also names payment",
    ):
        assert words in told


def test_a_size_near_the_measured_one_needs_no_second_look():
    assert "Locks" not in " ".join(planned(shoppers_per_h=[36_000.0]).assumptions)


def test_larger_sizes_never_take_less():
    sizes = planned(shoppers_per_h=[10.0**power for power in range(1, 10)], prices=PRICES).sizes
    for smaller, larger in pairwise(sizes):
        assert all(
            one.workers.low <= other.workers.low and one.count <= other.count and one.workers.high <= other.workers.high
            for one, other in zip(smaller.sizing.tiers, larger.sizing.tiers, strict=True)
        )
        assert smaller.cost.per_month.value < larger.cost.per_month.value


def test_the_picture_goes_from_below_the_smallest_to_beyond_the_largest_size():
    drawn = planned(shoppers_per_h=[1000.0, 1_000_000.0]).curves
    assert (drawn.kind, drawn.percentile, drawn.limit_ms) == ("all", "p95", 300.0)
    assert (drawn.loads_per_h[0], drawn.loads_per_h[-1]) == pytest.approx((1000 / 3, 3_000_000.0))
    assert all(list(counts) == sorted(counts) for counts in drawn.workers.values())
    for response in drawn.responses:
        assert response.planned_ms < 300.0
        assert list(response.values_ms) == sorted(response.values_ms)


def test_plan_json_is_canonical_and_holds_no_number_that_is_none():
    first, second = (document(planned(prices=PRICES, headroom=0.0)) for _ in range(2))
    assert first == second
    read = json.loads(first, parse_constant=pytest.fail)
    assert read["schema_version"] == 1
    assert [size["shoppers_per_h"] for size in read["sizes"]] == list(SIZES_PER_H)
    assert read["objectives"] == [{"objective": "response_time_ms.all.p95 < 300", "outcome": "pass", "reason": None}]
    tier = read["sizes"][-1]["tiers"]["shop"]
    assert tier["worker_count"]["value"] >= math.ceil(1e6 / 3600 * 20 * 0.005)
    assert first.endswith("}\n")
