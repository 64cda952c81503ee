from typing import Any

import pytest

from loadgen.histogram import Histogram
from loadgen.hlog import Tag
from loadgen.records import LedgerLine
from loadgen.tally import Tally


def histogram(*values_us: int) -> Histogram:
    counts = Histogram()
    for value_us in values_us:
        counts.record(value_us)
    return counts


def test_failed_requests_have_latencies_of_their_own() -> None:
    tally = Tally()
    tally.add_histogram(Tag("response_time", "home", "ok"), histogram(1000, 2000))
    tally.add_histogram(Tag("response_time", "home", "failed"), histogram(1_000_000))
    figures = tally.figures(10)
    assert figures["response_time_ms"]["all"]["max"] == 2.0  # type: ignore[index,call-overload]
    assert figures["failed_ms"]["home"]["count"] == 1  # type: ignore[index,call-overload]


def test_a_hit_counts_among_cacheable_requests_only() -> None:
    tally = Tally()
    tally.add_counters(
        "home",
        {
            "request_count": 10,
            "cacheable_count": 10,
            "cacheable_hit_count": 9,
            "cache_hit_count": 9,
            "cache_miss_count": 1,
        },
    )
    tally.add_counters("cart", {"request_count": 10, "cache_miss_count": 10})
    cache = tally.figures(10)["cache"]
    assert cache["request_hit_ratio"] == 0.9  # type: ignore[index,call-overload]
    assert cache["origin_offload_ratio"] == 0.45  # type: ignore[index,call-overload]


def test_without_a_cache_there_is_no_ratio() -> None:
    tally = Tally()
    tally.add_counters("home", {"request_count": 10, "cacheable_count": 10, "cache_none_count": 10})
    assert tally.figures(10)["cache"]["request_hit_ratio"] is None  # type: ignore[index,call-overload]


def test_requests_that_look_for_leaks_are_in_no_sum_over_all_page_kinds() -> None:
    tally = Tally()
    shopper = {
        "request_count": 4,
        "failed_count": 1,
        "cacheable_count": 4,
        "cacheable_hit_count": 2,
        "cache_hit_count": 2,
    }
    tally.add_counters("product", {**shopper, "cache_miss_count": 2, "failed_http_5xx_count": 1})
    tally.add_counters("probe", {"request_count": 90, "failed_count": 45, "cache_hit_count": 90, "cacheable_count": 90})
    for measure, result in (("response_time", "ok"), ("ttfb", "hit"), ("age", "hit")):
        tally.add_histogram(Tag(measure, "product", result), histogram(1000))
        tally.add_histogram(Tag(measure, "probe", result), histogram(9000, 9000))
    figures: dict[str, Any] = tally.figures(2.0)
    assert figures["requests"] == {"count": 4, "failed_count": 1, "per_s": 2.0}
    assert figures["failed_ratio"] == {"all": 0.25, "product": 0.25, "probe": 0.5}
    assert figures["errors"] == {"failed_http_5xx_count": 1}
    assert (figures["cache"]["request_hit_ratio"], figures["cache"]["origin_offload_ratio"]) == (0.5, 0.5)
    assert {kind: latency["count"] for kind, latency in figures["response_time_ms"].items()} == {
        "all": 1,
        "product": 1,
        "probe": 2,
    }
    assert figures["ttfb_ms"]["hit"]["count"] == 1
    assert (tally.age("hit").count, tally.age("stale").count) == (1, 0)


def test_orders_count_when_acknowledged() -> None:
    tally = Tally()
    for outcome, amount in (("ok", 50_000), ("fail", 70_000), ("unknown", 90_000)):
        tally.add_ledger(LedgerLine(0, "place_order", outcome, 1, "k", 1, amount))  # type: ignore[arg-type]
    tally.add_ledger(LedgerLine(0, "add_to_cart", "ok", 1))
    orders = tally.figures(36)["orders"]
    assert orders == {
        "acknowledged_count": 1,
        "refused_count": 1,
        "unknown_count": 1,
        "per_h": 100.0,
        "per_min": pytest.approx(100 / 60),
        "revenue_idr": 50_000,
    }


def test_abandoned_is_a_share_of_the_sessions_that_ended() -> None:
    tally = Tally()
    tally.add_funnel({"arrived_count": 10, "finished_count": 6, "abandoned_count": 2, "cut_count": 2})
    sessions = tally.figures(60)["sessions"]
    assert sessions["abandoned_ratio"] == pytest.approx(0.25)  # type: ignore[index,call-overload]


def test_what_is_added_and_removed_again_leaves_the_rest_exactly() -> None:
    first, second, both = Tally(), Tally(), Tally()
    for tally, values in ((first, (1000, 2000)), (second, (2000, 900_000))):
        tally.add_histogram(Tag("response_time", "home", "ok"), histogram(*values))
        tally.add_counters("home", {"request_count": 3, "failed_count": 1, "cacheable_count": 2})
        tally.add_funnel({"arrived_count": 2, "finished_count": 1, "abandoned_count": 1})
        tally.add_ledger(LedgerLine(0, "place_order", "ok", 1, "k", 1, 50_000))
        both.add(tally)
    assert both.figures(2)["requests"] == {"count": 6, "failed_count": 2, "per_s": 3.0}
    both.remove(second)
    assert both.figures(2) == first.figures(2)
    both.remove(first)
    assert both.latency("response_time_ms", "all").counts == {}


def test_goodput_is_what_was_answered_well_per_second() -> None:
    tally = Tally()
    tally.add_counters("home", {"request_count": 10, "failed_count": 4})
    tally.add_counters("cart", {"request_count": 5, "failed_count": 5})
    tally.add_counters("probe", {"request_count": 50})
    tally.add_counters("session", {"dropped_count": 3})
    figures = tally.figures(2.0)
    assert figures["goodput_per_s"] == {"all": 3.0, "home": 3.0, "cart": 0.0, "probe": 25.0}
    assert figures["request_count"] == {"all": 15, "home": 10, "cart": 5, "probe": 50}
