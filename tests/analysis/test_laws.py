"""Two laws of queueing, held against histories whose sums are known beforehand."""

from dataclasses import replace

import pytest

from analysis.laws import laws
from analysis.recording import read
from analysis.run import analyse
from reports import html
from tests.analysis.modelled_run import Visits
from tests.recorded_run import edge_lab, ordinary


def found(run):
    return {law.name: law for law in laws(read(run)).all}


def logged_shop(count_ratio=1.0):
    """A shop without an edge whose own log has every request, of which the shoppers' side has a share."""
    visits = Visits()
    history = visits.history
    history.manifest = replace(history.manifest, edge="direct")
    history.cacheable.clear()
    sent = sum(map(len, history.ok_ms.values()))
    history.origin = [
        {"elapsed_s": 20, "tier": "shop", "page_kind": "product", "cache_status": "none", "request_count": sent}
    ]
    for key, answered in history.ok_ms.items():
        history.ok_ms[key] = answered[: round(len(answered) * count_ratio)]
    return visits


def test_sessions_present_are_arrival_rate_times_stay(tmp_path):
    little = found(Visits().write(tmp_path))["little"]
    assert little.outcome == "pass"
    assert (little.measured, little.counted) == (pytest.approx(4.0), 60)
    assert little.expected == pytest.approx(4.0, rel=0.001)


@pytest.mark.parametrize(("uncounted_ratio", "outcome"), [(0.0, "pass"), (0.01, "pass"), (0.03, "fail"), (0.2, "fail")])
def test_a_generator_that_does_not_count_some_sessions_is_found_out(tmp_path, uncounted_ratio, outcome):
    run = Visits(arrived_count=600, uncounted_ratio=uncounted_ratio).write(tmp_path)
    little = found(run)["little"]
    assert little.outcome == outcome
    assert little.difference_ratio == pytest.approx(-uncounted_ratio, abs=0.001)
    verdict = analyse(run).verdict
    assert (verdict.verdict, verdict.cause) == (("unknown", "generator") if outcome == "fail" else ("pass", None))


@pytest.mark.parametrize(("count_ratio", "outcome"), [(1.0, "pass"), (0.95, "fail"), (0.5, "fail")])
def test_a_generator_that_does_not_count_some_requests_is_found_out(tmp_path, count_ratio, outcome):
    run = logged_shop(count_ratio).write(tmp_path)
    law = found(run)["utilisation"]
    assert law.outcome == outcome
    assert law.measured == pytest.approx(0.5)  # two workers at a quarter of a core each
    assert law.expected == pytest.approx(0.5 * count_ratio)
    verdict = analyse(run).verdict
    assert (verdict.verdict, verdict.cause) == (("unknown", "generator") if outcome == "fail" else ("pass", None))


def test_what_faults_explain_breaks_no_law(tmp_path):
    law = found(edge_lab().write(tmp_path))["utilisation"]
    assert law.outcome == "pass"


def test_a_run_of_before_is_not_checked_and_keeps_its_verdict(tmp_path):
    run = ordinary().write(tmp_path)
    assert {law.outcome for law in found(run).values()} == {"none"}
    assert analyse(run).verdict.verdict == "pass"


def test_a_run_that_lost_a_worker_is_not_held_to_sums_over_all(tmp_path):
    visits = Visits(uncounted_ratio=0.5)
    visits.history.event(30.0, "worker_lost", worker="worker-1", handed_in_s=29)
    little = found(visits.write(tmp_path))["little"]
    assert little.outcome == "none"
    assert "a worker was lost" in little.sentence


def test_the_report_tells_of_a_law_that_does_not_hold(tmp_path):
    page = html.render(analyse(Visits(uncounted_ratio=0.2).write(tmp_path)))
    assert "Little&#39;s law does not hold within 2%, so the generator miscounted sessions" in page
