"""Response times at other sizes: what was measured and the waits on top, beside closed forms."""

import math

import pytest

from analysis.planning.network import Station
from analysis.planning.response import ResponseTimes, plannable, ruling
from loadgen.objectives import Objective
from tests.analysis.planning.shops import measured_shop


def objective(text: str, limit: float = 100.0, comparator: str = "<") -> Objective:
    return Objective(tuple(text.split(".")), comparator, limit)


def exponential(mean_ms: float) -> list[float]:
    """Ten thousand values of an exponential distribution, evenly spread."""
    return [-mean_ms * math.log(1 - (number + 0.5) / 10_000) for number in range(10_000)]


def test_service_and_wait_together_are_the_sojourn_of_an_m_m_1():
    """Exponential with the rate μ - λ: p95 = -ln(0.05) / (μ - λ)."""
    shop = measured_shop({"shop": (20.0, 0.0)}, {"shop": 1.0}, exponential(20.0))
    for busy in (0.2, 0.5, 0.8):
        value_ms = ResponseTimes(shop).percentile_ms("all", 95.0, [Station("shop", 1, busy, 0.02, 1.0)])
        assert value_ms == pytest.approx(-math.log(0.05) * 20 / (1 - busy), rel=0.04)


def test_where_nobody_waits_the_runs_own_percentiles_stand():
    times = ResponseTimes(measured_shop({"shop": (5.0, 0.0)}, {"shop": 1.0}))
    calm = [Station("shop", 1000, 1.0, 0.005, 1.0)]
    assert [times.percentile_ms("all", percent, calm) for percent in (50.0, 95.0, 99.0)] == [50.0, 95.0, 99.0]


def test_only_those_wait_who_come_by():
    def p95_ms(tier: str, kind: str, visits: float) -> float | None:
        times = ResponseTimes(measured_shop({tier: (5.0, 0.0)}, {tier: visits}, [10.0] * 100))
        return times.percentile_ms(kind, 95.0, [Station(tier, 1, 0.9, 1.0, visits)])

    assert p95_ms("shop", "all", 0.04) == 10.0
    assert p95_ms("shop", "all", 1.0) > 1000.0
    # of the shop nobody knows which kinds come by, and so all do; of payment it is known that no product page does
    assert p95_ms("shop", "product", 0.04) > 1000.0
    assert p95_ms("payment", "product", 0.04) == 10.0


def test_a_full_tier_has_no_response_time():
    times = ResponseTimes(measured_shop({"shop": (5.0, 0.0)}, {"shop": 1.0}))
    assert times.percentile_ms("all", 50.0, [Station("shop", 2, 2.0, 0.005, 1.0)]) is None


@pytest.mark.parametrize(
    ("text", "comparator", "decides"),
    [
        ("response_time_ms.all.p95", "<", True),
        ("response_time_ms.checkout.p999", "<=", True),
        ("response_time_ms.all.p95", ">", False),
        ("response_time_ms.all.max", "<", False),
        ("service_time_ms.all.p95", "<", False),
        ("failed_ratio", "<", False),
        ("orders.per_h", ">", False),
    ],
)
def test_only_upper_limits_of_response_percentiles_are_a_matter_of_size(text, comparator, decides):
    assert plannable(objective(text, comparator=comparator)) is decides


def test_an_allowance_leaves_what_the_run_did_not_use():
    """Of 1 to 100 ms, below 120 ms at p95: x = 98 leaves 3 % and 22 ms, no other x a larger product."""
    found = ruling(objective("response_time_ms.all.p95", 120.0), measured_shop()).allowance
    assert found is not None
    products = {x: (0.05 - (1 - x / 100)) * (120 - x) for x in range(1, 101)}
    best = max(products, key=lambda x: products[x])
    assert (found.share, found.wait_s) == pytest.approx((0.05 - (1 - best / 100), (120 - best) / 1000))


def test_an_objective_that_the_run_itself_missed_is_broken_and_told():
    found = ruling(objective("response_time_ms.all.p95", 80.0), measured_shop())
    assert (found.broken, found.allowance) == (True, None)
    assert found.sentence == (
        "response_time_ms.all.p95 was 95 ms in the run itself, not < 80: no number of workers mends that; make a "
        "request cheaper, or record a run with less load"
    )


def test_too_few_samples_are_told_and_break_nothing():
    found = ruling(objective("response_time_ms.all.p999", 500.0), measured_shop())
    assert (found.broken, found.allowance) == (False, None)
    assert found.sentence == (
        "response_time_ms.all.p999 < 500 was not planned for: the run has 100 such response times, and 1000 are needed"
    )
    assert "has 0 such" in str(ruling(objective("response_time_ms.checkout.p95"), measured_shop()).sentence)
