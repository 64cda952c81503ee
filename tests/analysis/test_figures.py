"""The figures of hand-made histories, each known beforehand; percentiles by the nearest rank."""

import json

import pytest

from analysis import canonical
from analysis.run import analyse, documents
from loadgen.histogram import index_of, value_at
from tests.recorded_run import edge_lab, ordinary


def recorded_ms(value_ms):
    """The value that a histogram of three significant digits gives back."""
    return value_at(index_of(round(value_ms * 1000))) / 1000


def test_percentiles_are_those_of_the_steady_phase_by_the_nearest_rank(tmp_path):
    history = ordinary()
    history.ok_ms = {(second, "cart"): [9000.0] * 5 for second in range(10)}  # warm-up: must not count
    history.ok_ms |= {
        (second, "cart"): [float(10 * (second - 10) + step) for step in range(1, 11)] for second in range(10, 20)
    }
    summary = analyse(history.write(tmp_path)).summary
    cart = summary["response_time_ms"]["cart"]
    assert cart["count"] == 100
    assert [cart[name] for name in ("p50", "p90", "p95", "p99", "max")] == [
        recorded_ms(v) for v in (50, 90, 95, 99, 100)
    ]


def test_counts_are_those_of_the_whole_run_and_rates_those_of_the_steady_phase(tmp_path):
    history = ordinary()
    history.failed[2, "product"] = {"timeout": 3}
    history.failed[30, "product"] = {"http_5xx": 8, "connect": 2}
    summary = analyse(history.write(tmp_path)).summary
    assert summary["requests"] == {"count": 60 * 20 + 13, "failed_count": 13, "per_s": (40 * 20 + 10) / 40}
    assert summary["failed_ratio"]["product"] == 10 / 810
    assert summary["errors"]["by_page_kind"] == {"product": {"timeout": 3, "http_5xx": 8, "connect": 2}}


def test_orders_revenue_and_funnel_cover_the_whole_run(tmp_path):
    summary = analyse(ordinary().write(tmp_path)).summary
    assert summary["orders"]["acknowledged_count"] == 15
    assert summary["orders"]["revenue_idr"] == 15 * 150_000
    assert summary["orders"]["per_h"] == 10 / 40 * 3600
    assert summary["funnel"]["paid"] == 15
    assert summary["funnel"]["of_arrived_ratio"] == {
        "arrived": 1.0, "product": 1.0, "cart": 0.25, "checkout": 0.25, "payment": 0.25, "paid": 0.25,
    }  # fmt: skip
    assert summary["funnel"]["to_paid_s"] == 9.5
    assert summary["funnel"]["segments"]["phone"]["paid_ratio"] == 0.5


def test_hit_ratio_leaves_the_cold_start_to_the_warm_up(tmp_path):
    analysis = analyse(ordinary().write(tmp_path))
    assert analysis.summary["cache"]["request_hit_ratio"] == 0.8
    curve = analysis.series.hit_ratio
    assert curve[0] == 0
    # Second 6 looks back on seconds 2..6, of which 5 and 6 are warm.
    assert curve[6] == pytest.approx(0.8 * 2 / 5)
    assert curve[9] == pytest.approx(0.8)


def test_cores_of_a_tier_are_those_of_all_its_processes(tmp_path):
    analysis = analyse(ordinary().write(tmp_path))
    assert analysis.summary["tiers"]["shop"] == {
        "process_count": 2, "mean_cpu_ratio": 0.5, "max_cpu_ratio": 0.5, "max_memory_bytes": 2**27,
    }  # fmt: skip
    assert set(analysis.series.cpu_by_tier["shop"]) == {0.5}


def test_a_process_sampled_twice_in_a_second_counts_once(tmp_path):
    history = ordinary()
    history.tiers.append({"elapsed_s": 20, "tier": "shop", "role": "shop-1", "pid": 1, "cpu_ratio": 0.35})
    analysis = analyse(history.write(tmp_path))
    assert analysis.series.cpu_by_tier["shop"][20] == pytest.approx(0.3 + 0.25)
    assert analysis.summary["tiers"]["shop"]["max_cpu_ratio"] == pytest.approx(0.55)


def test_heat_map_holds_every_page_request_once(tmp_path):
    heat = analyse(ordinary().write(tmp_path)).series.heat_map
    assert heat.counts.sum() == 60 * 20
    assert heat.latency_edges_ms[0] <= 20 < heat.latency_edges_ms[-1]


def test_a_long_run_is_drawn_in_bins_a_chart_can_show(tmp_path):
    history = ordinary()
    history.ok_ms[3599, "product"] = [20.0]
    series = analyse(history.write(tmp_path)).series
    assert series.bin_s == 10
    assert len(series.at_s) == 360
    assert series.pages_per_s[0] == 20


def test_redrawing_gives_the_same_bytes(tmp_path):
    run = ordinary().write(tmp_path)
    run.replace(documents(run, analyse(run)))
    first = run.summary.read_bytes(), run.verdict.read_bytes()
    run.replace(documents(run, analyse(run)))
    assert (run.summary.read_bytes(), run.verdict.read_bytes()) == first


def test_no_document_ever_holds_a_nan(tmp_path):
    history = ordinary()
    history.ok_ms.clear()
    history.funnel.clear()
    history.tiers.clear()
    run = history.write(tmp_path)
    run.replace(documents(run, analyse(run)))
    for path in (run.summary, run.verdict):
        json.loads(path.read_text(), parse_constant=pytest.fail)


def test_redrawing_a_run_with_caches_gives_the_same_bytes_without_a_nan(tmp_path):
    history = edge_lab()
    history.said(20, "lonjak-shield", "login", bypass=1)  # a hit ratio of nothing
    history.sightings.clear()
    run = history.write(tmp_path)
    run.replace(documents(run, analyse(run)))
    first = run.summary.read_bytes()
    json.loads(first, parse_constant=pytest.fail)
    run.replace(documents(run, analyse(run)))
    assert run.summary.read_bytes() == first


def test_canonical_text_sorts_and_rounds():
    text = canonical.text({"b": [-0.0], "a": 1 / 3, "c": (1, True, None)})
    assert json.loads(text) == {"a": 0.333333, "b": [0.0], "c": [1, True, None]}
    assert text.index('"a"') < text.index('"b"')
