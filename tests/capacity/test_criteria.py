"""Objectives become what a search can hold a step against; what cannot be searched for is set aside with a reason."""

import pytest

from loadgen.errors import UsageProblem
from loadgen.histogram import Histogram
from loadgen.objectives import Objective, parse_objectives
from lonjak.capacity.criteria import Criteria, criteria_of
from lonjak.capacity.observation import Level, Share


def objectives(**written: str) -> tuple[Objective, ...]:
    found, problems = parse_objectives({name.replace("__", "."): limit for name, limit in written.items()})
    assert not problems
    return found


def criteria(**written: str) -> Criteria:
    return criteria_of(objectives(**written))


@pytest.mark.parametrize(
    ("percentile", "bound"), [("p50", 0.5), ("p90", 0.1), ("p95", 0.05), ("p99", 0.01), ("p999", 0.001)]
)
def test_a_percentile_bounds_the_share_of_requests_beyond_its_limit(percentile: str, bound: float) -> None:
    found = criteria(**{f"response_time_ms__checkout__{percentile}": "< 500"})
    assert found.searched == (Share(f"response_time_ms.checkout.{percentile} < 500", bound),)


def test_a_request_at_the_limit_is_bad_where_the_limit_must_not_be_reached() -> None:
    times = Histogram()
    for value_us in (999, 1000, 1001):  # below 2 ms each microsecond is a bucket of its own
        times.record(value_us)
    [below] = criteria(response_time_ms__all__p95="< 1").shares
    [at_most] = criteria(response_time_ms__all__p95="<= 1").shares
    assert (below.bad_count(times), at_most.bad_count(times)) == (2, 1)


def test_failures_and_abandonment_are_shares_of_their_own_bound() -> None:
    found = criteria(failed_ratio="< 0.01", failed_ratio__search="< 0.02", sessions__abandoned_ratio="< 0.03")
    assert [(of.share.bound, of.measure, of.page_kind) for of in found.shares] == [
        (0.01, "failed", "all"),
        (0.02, "failed", "search"),
        (0.03, "abandoned", "all"),
    ]


def test_all_page_kinds_are_all_but_the_probes() -> None:
    every, probes = criteria(failed_ratio="< 0.01", failed_ratio__probe="< 0.5").shares
    assert (every.concerns("product"), every.concerns("probe")) == (True, False)
    assert (probes.concerns("product"), probes.concerns("probe")) == (False, True)


def test_a_hit_ratio_is_a_level_of_each_second() -> None:
    found = criteria(cache__request_hit_ratio=">= 0.7")
    assert found.searched == (Level("cache.request_hit_ratio >= 0.7", ">=", 0.7),)


@pytest.mark.parametrize(
    ("name", "limit", "why"),
    [
        ("orders__per_h", ">= 1000", "it grows with the load that is offered"),
        ("requests__per_s", "> 5", "it grows with the load that is offered"),
        ("safety__alarm_count", "<= 0", "it is known when the run is over"),
        ("response_time_ms__all__max", "< 900", "one request decides it"),
        ("response_time_ms__all__p95", "> 5", "kept by being slow"),
        ("failed_ratio__home", "<= 0", "no limit that a sample of requests could be held against"),
        ("failed_ratio__home", "> 0.1", "kept by failing"),
        ("sessions__dropped_count", "<= 0", "the generator's limit"),
    ],
)
def test_what_cannot_be_searched_for_is_set_aside_with_the_reason(name: str, limit: str, why: str) -> None:
    found = criteria(**{name: limit, "failed_ratio": "< 0.01"})
    [left] = found.set_aside
    assert left.objective == f"{name.replace('__', '.')} {limit}"
    assert why in left.why
    assert [criterion.name for criterion in found.searched] == ["failed_ratio < 0.01"]


def test_without_any_objective_to_search_by_there_is_no_search() -> None:
    with pytest.raises(UsageProblem, match=r"no objective bounds the load from above \(orders\.per_h >= 5: it grows"):
        criteria(orders__per_h=">= 5")


def test_the_slowest_limit_is_how_long_a_good_request_may_take() -> None:
    found = criteria(response_time_ms__all__p95="< 300", service_time_ms__search__p99="< 2500", failed_ratio="< 0.01")
    assert found.slowest_limit_s == 2.5


def test_what_is_held_in_a_window_is_left_for_the_end() -> None:
    found, problems = parse_objectives({"failed_ratio": "< 0.1", "window": {"10s": {"failed_ratio": "< 0.2"}}})
    assert not problems
    assert [str(share.objective) for share in criteria_of(found).shares] == ["failed_ratio < 0.1"]
    assert ["window" in left.why for left in criteria_of(found).set_aside] == [True]
