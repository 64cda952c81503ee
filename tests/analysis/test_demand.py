"""What a request costs, in runs that were made of known costs."""

import random

import pytest

from analysis.demand import demands
from analysis.recording import read
from tests.recorded_run import ordinary

COST_S = {"product": 0.004, "search": 0.012, "cart": 0.002}


def run_of(tmp_path, counts, costs=COST_S, tier="shop"):
    """`counts[second]` requests by page kind; a tier that did exactly what they cost."""
    history = ordinary()
    history.ok_ms = {(second, kind): [20.0] * n for second, row in enumerate(counts) for kind, n in row.items() if n}
    history.cacheable.clear()
    history.tiers = [
        {
            "elapsed_s": second + 1,  # a look tells of the second before it
            "tier": tier,
            "role": f"{tier}-1",
            "pid": 1,
            "cpu_ratio": sum(costs[kind] * n for kind, n in row.items()),
            "memory_bytes": 1,
        }
        for second, row in enumerate(counts)
    ]
    return read(history.write(tmp_path))


def changing_mix(seed=1):
    draw = random.Random(seed)
    return [{kind: draw.randrange(40) for kind in COST_S} for _ in range(60)]


def test_costs_of_page_kinds_are_what_they_were_made_of(tmp_path):
    found = demands(run_of(tmp_path, changing_mix()))
    by_kind = {one.page_kind: one for one in found.tier("shop")}
    for kind, cost_s in COST_S.items():
        assert by_kind[kind].seconds == pytest.approx(cost_s, rel=0.01)
        assert by_kind[kind].low_s <= by_kind[kind].seconds <= by_kind[kind].high_s
    assert found.doubt is None


def test_the_mixture_costs_busy_time_by_requests(tmp_path):
    counts = changing_mix()
    busy_s = sum(COST_S[kind] * n for row in counts for kind, n in row.items())
    requests = sum(sum(row.values()) for row in counts)
    (whole,) = [one for one in demands(run_of(tmp_path, counts)).of if one.page_kind == "all"]
    assert whole.seconds == pytest.approx(busy_s / requests, rel=1e-3)


def test_no_cost_is_negative_and_a_kind_that_costs_nothing_costs_nothing(tmp_path):
    found = demands(run_of(tmp_path, changing_mix(), costs={**COST_S, "cart": 0.0}))
    by_kind = {one.page_kind: one for one in found.tier("shop")}
    assert by_kind["cart"].seconds == pytest.approx(0.0, abs=1e-6)
    assert min(one.low_s for one in found.of) >= 0.0


def test_page_kinds_that_always_come_together_cannot_be_told_apart(tmp_path):
    draw = random.Random(2)
    counts = [dict.fromkeys(COST_S, n) for n in (draw.randrange(10, 40) for _ in range(60))]
    found = demands(run_of(tmp_path, counts))
    assert found.doubt is not None
    assert found.doubt.startswith("Page kinds cannot be told apart for shop")
    (whole,) = [one for one in found.of if one.page_kind == "all"]
    assert whole.seconds == pytest.approx(sum(COST_S.values()) / 3, rel=1e-3)


def test_a_run_of_a_few_seconds_tells_nothing(tmp_path):
    found = demands(run_of(tmp_path, changing_mix()[:12]))
    assert found.of == ()
    assert "too short" in (found.doubt or "")


def test_a_target_whose_processes_nobody_saw_has_no_costs(tmp_path):
    history = ordinary()
    history.tiers.clear()
    found = demands(read(history.write(tmp_path)))
    assert found.of == ()
    assert (found.doubt or "").startswith("Nobody looked at the target's processes")


def test_sessions_ask_for_what_was_counted_of_them(tmp_path):
    found = demands(read(ordinary().write(tmp_path)))
    assert found.requests_per_session == {"product": 20.0}
    assert found.orders_per_session == 0.25
    assert found.workers == {"shop": 2}
