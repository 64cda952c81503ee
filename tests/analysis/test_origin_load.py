"""What the shop itself had to do, by its own log."""

import pytest

from analysis.run import analyse
from tests.recorded_run import edge_lab, foreign_to_every_log, ordinary


def load(history, tmp_path):
    return analyse(history.write(tmp_path)).network.origin


def logged(history, second, cause, count, *, kind="product", tier="shop"):
    row = {"elapsed_s": second, "tier": tier, "page_kind": kind, "cache_status": cause, "request_count": count}
    history.origin.append(row)


def test_fetches_are_told_apart_by_who_caused_them(tmp_path):
    found = load(edge_lab(), tmp_path)
    assert (found.client_count, found.background_count, found.purge_count) == (5 * 25 + 55 * 8, 60 * 2, 60)


def test_refreshing_is_no_saving(tmp_path):
    history = ordinary()  # 20 requests a second for 40 s
    history.origin.clear()
    logged(history, 20, "client", 100)
    logged(history, 20, "background", 300)
    logged(history, 20, "purge", 400)
    assert load(history, tmp_path).offload_ratio == 1 - 400 / 800


def test_the_cold_start_is_counted_but_not_in_the_offload(tmp_path):
    history = ordinary()
    history.origin.clear()
    logged(history, 3, "client", 60)
    logged(history, 20, "client", 80)
    found = load(history, tmp_path)
    assert (found.client_count, found.offload_ratio) == (140, 1 - 80 / 800)


def test_where_no_cache_stands_everything_was_waited_for_and_there_is_no_offload(tmp_path):
    history = ordinary()
    history.cacheable.clear()
    history.origin.clear()
    for second in range(60):
        logged(history, second, "none", 20)
    found = load(history, tmp_path)
    assert (found.client_count, found.offload_ratio) == (1200, None)


def test_what_failed_was_not_spared(tmp_path):
    history = ordinary()
    history.origin.clear()
    history.outage(20, 30)  # 200 of 800 requests
    logged(history, 15, "client", 300)
    assert load(history, tmp_path).offload_ratio == 1 - 300 / 600


def test_probes_are_counted_apart_and_in_no_offload(tmp_path):
    history = ordinary()
    history.origin.clear()
    history.ok_ms[20, "probe"] = [5.0] * 100
    logged(history, 20, "client", 200)
    logged(history, 20, "probe", 70)
    found = load(history, tmp_path)
    assert (found.client_count, found.probe_count, found.offload_ratio) == (200, 70, 1 - 200 / 800)


def test_operators_and_other_tiers_are_no_load_of_shoppers(tmp_path):
    history = ordinary()
    history.origin.clear()
    logged(history, 20, "client", 8)
    logged(history, 20, "none", 50, kind="ops")
    logged(history, 20, "hit", 500, tier="edge")
    assert load(history, tmp_path).client_count == 8


def test_a_shop_without_a_log_has_no_load(tmp_path):
    analysis = analyse(foreign_to_every_log().write(tmp_path))
    assert analysis.network.origin is None
    assert analysis.summary["cache"]["origin"] is None


def test_the_stampede_factor_is_fetches_a_burst(tmp_path):
    found = {bursts.page_kind: bursts for bursts in load(edge_lab(), tmp_path).bursts}
    assert (found["product"].stampede_factor, found["product"].largest_burst_count) == (1.2, 6)
    assert found["category"].stampede_factor == 1.0


def test_keys_of_one_kind_add_up_and_the_largest_burst_is_the_largest_of_any(tmp_path):
    history = ordinary()
    for requests, bursts, largest in ((10, 2, 5), (20, 3, 12)):
        row = {"tier": "shop", "page_kind": "home", "key": f"/?page={bursts}", "request_count": requests}
        history.origin_keys.append({**row, "burst_count": bursts, "largest_burst_count": largest})
    (found,) = load(history, tmp_path).bursts
    assert found.as_json() == {
        "request_count": 30, "burst_count": 5, "largest_burst_count": 12, "stampede_factor": 6.0,
    }  # fmt: skip


def test_curves_of_what_reached_the_shop_are_per_second_and_by_cause(tmp_path):
    fetched = analyse(edge_lab().write(tmp_path)).series.fetched_per_s
    assert list(fetched) == ["client", "background", "purge"]
    assert fetched["client"][:7].tolist() == [25] * 5 + [8] * 2
    assert fetched["background"].sum() == pytest.approx(120)
