"""Which tier is named, in runs in which one was made to give out."""

import pytest

from analysis.bottleneck import bottleneck
from analysis.recording import read
from analysis.run import analyse
from tests.analysis.modelled_run import Visits

LOOKS = range(10, 50, 2)
FULL_PLACES = ("shop", "places", {"limit": 4, "in_use": 4, "waiting_count": 8})
FULL_POOL = ("database", "connections", {"limit": 2, "in_use": 2, "waiting_count": 5, "passed_count": 50})
FULL_DESK = ("payment", "charges", {"limit": 1, "in_use": 1, "waiting_count": 3})
REFUSED_CALLS = ("payment", "calls", {"passed_count": 4, "waited_s": 8.0, "refused_count": 2})
HELD_BACK = {"limit": 0.25, "passed_count": 200, "refused_count": 190, "waited_s": 1.4}


def run_with(tmp_path, *queues):
    visits = Visits()
    for tier, queue, values in queues:
        for second in LOOKS:
            visits.look(second, tier, queue, **values)
    return visits.write(tmp_path)


@pytest.mark.parametrize(
    ("queues", "tier"),
    [
        ((FULL_PLACES,), "shop"),
        ((FULL_POOL,), "database"),
        ((FULL_DESK,), "payment"),
        ((REFUSED_CALLS,), "payment"),
        ((FULL_PLACES, FULL_POOL), "database"),  # who waits for a connection holds a place meanwhile
        ((FULL_PLACES, FULL_DESK), "payment"),
        ((FULL_PLACES, FULL_POOL, ("shop", "cpu", HELD_BACK)), "shop"),  # a loop that comes late holds connections
        ((FULL_PLACES, ("database", "cpu", HELD_BACK)), "database"),
        ((("edge", "cpu", HELD_BACK),), "edge"),
    ],
)
def test_the_tier_that_gives_out_is_named(tmp_path, queues, tier):
    found = bottleneck(read(run_with(tmp_path, *queues)))
    assert found is not None
    assert found.tier == tier
    assert found.evidence


def test_a_shop_that_is_half_idle_has_none_and_says_what_was_busiest(tmp_path):
    idle = ("shop", "places", {"limit": 100, "in_use": 2, "waiting_count": 0})
    summary = analyse(run_with(tmp_path, idle)).summary["bottleneck"]
    assert summary["tier"] is None
    assert summary["sentence"] == "No part gave out: the busiest was the shop, with 0.50 cores in use."


def test_a_queue_now_and_then_is_no_bottleneck(tmp_path):
    visits = Visits()
    for second in LOOKS:
        visits.look(second, "shop", "places", limit=4, in_use=3, waiting_count=int(second % 10 == 0))
    assert bottleneck(read(visits.write(tmp_path))) is None


def test_a_full_queue_of_the_warm_up_is_none_of_the_steady_phase(tmp_path):
    visits = Visits()
    for second in range(10):
        visits.look(second, "shop", "places", limit=4, in_use=4, waiting_count=9)
    assert bottleneck(read(visits.write(tmp_path))) is None


def test_a_processor_that_all_share_is_the_bottleneck_of_who_uses_most_of_it(tmp_path):
    visits = Visits()
    for row in visits.history.tiers:
        if row["tier"] == "shop":
            row["cpu_ratio"] = 0.35
    visits.history.tiers += [
        {"elapsed_s": second, "tier": "database", "role": "database", "pid": 2, "cpu_ratio": 0.25, "memory_bytes": 1}
        for second in range(60)
    ]
    found = bottleneck(read(visits.write(tmp_path)))
    assert found is not None
    assert (found.tier, found.evidence) == ("shop", ("0.95 of the stack's 1 processor are in use, 0.70 by the shop",))


def test_an_edge_that_refuses_by_itself_is_named(tmp_path):
    visits = Visits()
    for second in range(20, 40):
        visits.history.failed[second, "product"] = {"http_5xx": 5}
        visits.history.said(second, "lonjak-edge", local=5)
    found = bottleneck(read(visits.write(tmp_path)))
    assert found is not None
    assert found.tier == "edge"


def test_an_error_of_the_shop_that_an_edge_passes_on_is_not_the_edges(tmp_path):
    visits = Visits()
    for second in range(20, 40):
        visits.history.failed[second, "product"] = {"http_5xx": 5}
        visits.history.said(second, "lonjak-edge", miss=5)
    assert bottleneck(read(visits.write(tmp_path))) is None
