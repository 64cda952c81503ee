"""Objectives in windows, phases and budgets, and early ends, from the files of a run."""

import json
from dataclasses import replace

import pytest

from analysis.run import Analysis, analyse, documents
from reports import html, junit, markdown, wording
from tests.recorded_run import History, ordinary

STOP = {
    "rule": "failed_ratio > 0.5 for 15s",
    "after_s": 30.0,
    "value": 0.93,
    "sentence": "The run was stopped early, after 30 s: failed_ratio was 0.93 over 15 s, > 0.5.",
}


def judged(history: History, tmp_path, *lines: str) -> Analysis:
    history.objectives = "\n".join(lines)
    return analyse(history.write(tmp_path))


def with_phases(history: History, *phases: tuple[float, str]) -> History:
    for at_s, name in phases:
        history.event(at_s, "phase", name=name)
    return history


def outcomes(analysis: Analysis) -> list[tuple[str, float | None, int | None]]:
    return [(one.outcome, one.value, one.at_s) for one in analysis.verdict.decisions]


def test_the_worst_window_of_the_judged_part_decides(tmp_path):
    history = ordinary()  # 20 requests a second, judged from 10 s to 50 s
    history.outage(3, 8)
    history.outage(30, 32)
    table = '[objectives.window."10s"]'
    analysis = judged(history, tmp_path, table, 'failed_ratio = "< 0.2"', 'goodput_per_s.product = "> 16"')
    assert outcomes(analysis) == [("fail", 0.2, 22), ("fail", 16.0, 22)]
    assert analysis.verdict.reasons[0] == (
        "failed_ratio is 0.2 in the window from 22 s to 32 s, not < 0.2 in every 10s."
    )


def test_the_same_percentile_may_be_missed_in_a_window_and_met_over_the_run(tmp_path):
    history = ordinary()
    history.ok_ms[30, "product"] = [900.0] * 20
    asked = 'response_time_ms.all.p95 = "< 300"'
    analysis = judged(history, tmp_path, "[objectives]", asked, '[objectives.window."5s"]', asked)
    assert outcomes(analysis) == [("pass", 20.015, None), ("fail", 900.095, 26)]


def test_orders_and_abandonment_may_be_held_in_windows_too(tmp_path):
    lines = ('[objectives.window."20s"]', 'orders.per_min = ">= 15"', 'sessions.abandoned_ratio = "< 0.1"')
    assert outcomes(judged(ordinary(), tmp_path, *lines)) == [("pass", 15.0, 10), ("pass", 0.0, 10)]


def test_phases_are_those_of_the_runs_history(tmp_path):
    history = with_phases(
        ordinary(), (0.0, "warm-up"), (10.1, "steady"), (20.1, "peak"), (30.1, "steady"), (50.1, "drain")
    )
    history.outage(24, 26)
    lines = ("[objectives.phase.peak]", 'failed_ratio = "< 0.1"', "[objectives.phase.steady]", 'failed_ratio = "< 0.1"')
    assert outcomes(judged(history, tmp_path, *lines)) == [("fail", 0.2, 20), ("pass", 0.0, 10)]


def test_a_phase_ends_with_the_arrivals_when_a_run_ends_early(tmp_path):
    history = with_phases(ordinary(), (0.0, "warm-up"), (10.1, "steady"))
    history.event(30.0, "arrivals_ended")
    history.outage(30, 60)
    assert outcomes(judged(history, tmp_path, "[objectives.phase.steady]", 'failed_ratio = "< 0.1"'))[0][0] == "pass"


def test_a_phase_that_never_came_leaves_no_verdict(tmp_path):
    analysis = judged(ordinary(), tmp_path, "[objectives.phase.peak]", 'failed_ratio = "< 0.1"')
    assert (analysis.verdict.verdict, analysis.verdict.cause) == ("unknown", "samples")
    assert "no whole second of phase peak came" in analysis.verdict.reasons[0]


@pytest.mark.parametrize(
    ("objective", "outcome"),
    [
        ('goodput_per_s = ">= 20"', ("pass", 20.0, None)),
        ('goodput_per_s.product = "> 20"', ("fail", 20.0, None)),
        ('orders.per_min = ">= 15"', ("pass", 15.0, None)),
        ('audit.violation_count = "<= 0"', ("pass", 0, None)),
        ('failed_ratio.login = "< 1"', ("unknown", None, None)),
    ],
)
def test_the_figures_that_objectives_may_name(tmp_path, objective, outcome):
    assert outcomes(judged(ordinary(), tmp_path, "[objectives]", objective)) == [outcome]


def test_violations_are_counted_and_unknown_without_books(tmp_path):
    history = ordinary()
    history.truth = history.truth[2:]  # the first order is not in the books: it is lost
    asked = ("[objectives]", 'audit.violation_count = "<= 0"')
    assert outcomes(judged(history, tmp_path / "lost", *asked)) == [("fail", 1, None)]
    history.truth = None
    assert outcomes(judged(history, tmp_path / "none", *asked)) == [("unknown", None, None)]


def test_a_budget_stands_in_the_summary_and_in_the_report(tmp_path):
    history = ordinary()
    history.outage(30, 31)  # 20 of the 800 judged
    history.objectives = '[objectives.budget]\nfailed_ratio = "< 0.01"\n'
    run = history.write(tmp_path)
    analysis = analyse(run)
    assert outcomes(analysis) == [("fail", 0.025, None)]
    [told] = json.loads(documents(run, analysis)[run.summary])["budgets"]
    [window] = told.pop("windows")
    assert told == {
        "objective": "failed_ratio < 0.01 as a budget",
        "outcome": "fail",
        "period_s": 40.0,
        "measured_s": 40,
        "request_count": 800,
        "failed_count": 20,
        "spent_ratio": 2.5,
        "spent_at_s": 31,
        "lasts_s": 16.0,
        "sentence": "20 of 800 requests failed: 2.5 of the budget, all of which was gone after 31 s.",
    }
    assert window == {
        "burn_rate": 1.0,
        "long_s": 12,
        "short_s": 1,
        "budget_ratio": 0.3,
        "highest_burn_rate": 8.333333,
        "at_s": 31,
        "alerts_s": [[31, 32]],
    }
    page = html.render(analysis)
    assert "Error budget: failed_ratio" in page
    assert "all of which was gone after 31 s." in page
    assert "0:31–0:32" in page


def stopped(history: History, **more: object) -> History:
    history.event(30.0, "stop_rule_met", **STOP, **more)
    history.event(30.1, "arrivals_ended")
    history.event(30.1, "run_stopped", reason="stop rule")
    return history


def test_a_run_that_a_rule_stopped_failed_with_that_reason_and_says_so(tmp_path):
    run = stopped(ordinary()).write(tmp_path)
    analysis = analyse(run)
    assert (analysis.verdict.verdict, analysis.verdict.cause) == ("fail", "stopped")
    assert analysis.verdict.reasons == (STOP["sentence"],)
    assert json.loads(documents(run, analysis)[run.verdict])["stopped_early"] == STOP
    assert "the shop made the run stop early, at 0:30 (failed_ratio > 0.5 for 15s)" in wording.answer(analysis)
    assert STOP["sentence"].replace(">", "&gt;") in html.render(analysis)
    assert "stopped early" in markdown.render(analysis)
    assert 'name="the run went on to its end"' in junit.render(analysis)


def test_a_run_that_was_not_stopped_says_nothing_of_it(tmp_path):
    run = ordinary().write(tmp_path)
    analysis = analyse(run)
    assert json.loads(documents(run, analysis)[run.verdict])["stopped_early"] is None
    assert "topped early" not in html.render(analysis)
    assert "the run went on to its end" not in junit.render(analysis)


def test_a_run_stopped_in_its_warm_up_failed_too(tmp_path):
    history = ordinary()
    history.event(8.0, "stop_rule_met", **{**STOP, "after_s": 8.0})
    history.event(8.1, "arrivals_ended")
    assert analyse(history.write(tmp_path)).verdict.cause == "stopped"


def test_a_stopped_run_of_a_slow_generator_has_no_verdict(tmp_path):
    history = stopped(ordinary())
    for second in range(10, 30):
        history.loop_lag_ms[second] = 500.0
    found = analyse(history.write(tmp_path)).verdict
    assert (found.verdict, found.cause) == ("unknown", "generator")
    assert STOP["sentence"] in found.reasons


def test_the_documents_are_the_same_when_drawn_again(tmp_path):
    history = stopped(with_phases(ordinary(), (10.0, "steady")))
    history.objectives = (
        '[objectives.window."5s"]\nfailed_ratio = "< 0.1"\n[objectives.budget]\nfailed_ratio = "< 0.1"\n'
        '[objectives.phase.steady]\ngoodput_per_s = "> 1"\n'
    )
    history.manifest = replace(history.manifest, command="lonjak run evening")
    run = history.write(tmp_path)
    assert documents(run, analyse(run)) == documents(run, analyse(run))
