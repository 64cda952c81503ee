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
        "revenue_idr": 50_000,
    }


def test_abandoned_is_a_share_of_the_sessions_that_ended() -> None:
    tally = Tally()
    tally.add_funnel({"arrived_count": 10, "finished_count": 6, "abandoned_count": 2, "cut_count": 2})
    sessions = tally.figures(60)["sessions"]
    assert sessions["abandoned_ratio"] == pytest.approx(0.25)  # type: ignore[index,call-overload]
