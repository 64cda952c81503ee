"""What each cache said of the requests that reached it, and how old its answers were."""

from analysis.run import analyse
from tests.recorded_run import edge_lab, ordinary


def by_cache(history, tmp_path):
    return analyse(history.write(tmp_path)).summary["cache"]["by_cache"]


def test_a_caches_hits_are_those_among_what_it_looked_for(tmp_path):
    history = ordinary()
    history.said(20, "edge", hit=4, stale=2, collapsed=1, miss=5, expired=2, revalidated=1, bypass=90, local=7)
    row = by_cache(history, tmp_path)["edge"]["product"]
    assert (row["request_count"], row["lookup_count"]) == (112, 15)
    assert row["request_hit_ratio"] == 7 / 15
    assert [row[f"{status}_count"] for status in ("hit", "stale", "collapsed", "miss")] == [4, 2, 1, 5]
    assert [row[f"{status}_count"] for status in ("expired", "revalidated", "bypass", "local")] == [2, 1, 90, 7]


def test_bytes_have_a_hit_ratio_of_their_own(tmp_path):
    history = ordinary()
    history.said(20, "edge", hit=9, miss=1)
    history.caches[-1]["received_bytes"] = 91_000
    row = by_cache(history, tmp_path)["edge"]["all"]
    assert (row["request_hit_ratio"], row["byte_hit_ratio"]) == (0.9, 0.09)


def test_a_cache_that_looked_for_nothing_has_no_hit_ratio(tmp_path):
    history = ordinary()
    history.said(20, "edge", "cart", bypass=5)
    assert by_cache(history, tmp_path)["edge"]["cart"]["request_hit_ratio"] is None


def test_only_the_steady_phase_counts(tmp_path):
    history = ordinary()
    history.said(9, "edge", miss=100)
    history.said(10, "edge", hit=1)
    history.said(49, "edge", hit=1)
    history.said(50, "edge", miss=100)
    assert by_cache(history, tmp_path)["edge"]["all"]["request_count"] == 2


def test_probes_have_a_row_of_their_own_and_are_in_no_sum(tmp_path):
    history = ordinary()
    history.said(20, "edge", hit=1)
    history.said(20, "edge", "probe", miss=9)
    kinds = by_cache(history, tmp_path)["edge"]
    assert kinds["all"]["request_hit_ratio"] == 1.0
    assert kinds["probe"]["miss_count"] == 9


def test_each_tier_is_asked_for_what_the_one_before_did_not_have(tmp_path):
    caches = by_cache(edge_lab(), tmp_path)
    assert {name: kinds["product"]["request_hit_ratio"] for name, kinds in caches.items()} == {
        "lonjak-pop-1": 0.8,
        "lonjak-pop-2": (7 * 40 - 2 * 3) / (10 * 40 - 2 * 3),
        "lonjak-shield": 0.4,
    }


def test_ages_are_told_by_how_a_request_was_answered(tmp_path):
    history = ordinary()
    history.tagged_ms = {
        (20, "age/product/hit"): [1.0] * 3,
        (20, "age/home/hit"): [2.0] * 1,
        (20, "age/home/stale"): [1.5],
        (5, "age/home/stale"): [1.9],  # warm-up
    }
    ages = analyse(history.write(tmp_path)).summary["cache"]["age_ms"]
    assert {status: (row["count"], row["p50"], row["max"]) for status, row in ages.items()} == {
        "hit": (4, 1.0, 2.0),
        "stale": (1, 1.5, 1.5),
    }


def test_a_run_without_the_files_of_caches_has_no_figures_of_them(tmp_path):
    run = ordinary().write(tmp_path)
    for path in (run.caches, run.sightings, run.safety, run.origin_keys):
        path.unlink()
    cache = analyse(run).summary["cache"]
    assert (cache["by_cache"], cache["age_ms"], cache["staleness"]) == ({}, {}, None)
