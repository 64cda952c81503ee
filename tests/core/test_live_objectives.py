"""Objectives while a run goes on, second by second, without a clock."""

from loadgen.batch import Second
from loadgen.config import Scenario, resolve
from loadgen.hlog import Tag
from loadgen.live_objectives import LiveObjectives
from loadgen.tally import Tally
from tests.core.seconds import second_of


def scenario(**tables: object) -> Scenario:
    return resolve({"load": {"duration": "60s", "rate_per_s": 10}, **tables}, "mine", {})


def feed(live: LiveObjectives, second: int, ok: int, failed: int) -> None:
    for tally in live.tallies(second):
        tally.add(second_of([5.0] * ok, failed))


def test_a_run_with_objectives_over_its_whole_keeps_no_seconds() -> None:
    live = LiveObjectives(scenario(objectives={"failed_ratio": "< 0.01"}), planned=True)
    assert live.tallies(3) == ()


def test_windows_are_decided_as_their_seconds_become_whole() -> None:
    planned = scenario(objectives={"window": {"2s": {"failed_ratio": "< 0.1"}}})
    live = LiveObjectives(planned, planned=True)
    [objective] = planned.objectives
    for second in range(4):
        feed(live, second, 10, 0 if second < 3 else 10)
    live.advance(3)
    decision = live.decision(objective)
    assert decision is not None
    assert decision.outcome == "pass"
    live.advance(4)
    decision = live.decision(objective)
    assert decision is not None
    assert (decision.outcome, decision.at_s) == ("fail", 2)


def test_what_comes_after_its_second_was_looked_at_is_left_to_the_files() -> None:
    live = LiveObjectives(scenario(stop_when={"failed_ratio": "> 0.5 for 3s"}), planned=True)
    live.advance(2)
    assert live.tallies(1) == ()
    assert len(live.tallies(2)) == 1


def test_only_latencies_that_somebody_asks_for_are_kept() -> None:
    live = LiveObjectives(scenario(objectives={"window": {"2s": {"response_time_ms.all.p95": "< 9"}}}), planned=True)
    recorded = Second(0)
    recorded.histograms[Tag("response_time", "product", "ok")].record(5000)
    recorded.histograms[Tag("service_time", "product", "ok")].record(5000)
    [tally] = live.tallies(0)
    for tag, histogram in recorded.histograms.items():
        tally.add_histogram(tag, histogram)
    assert tally.latency("response_time_ms", "all").count == 1
    assert tally.latency("response_time_ms", "product").count == 0
    assert tally.latency("service_time_ms", "all").count == 0


def test_a_budget_that_burns_is_news_once_and_once_when_it_stops() -> None:
    live = LiveObjectives(scenario(objectives={"budget": {"failed_ratio": "< 0.1"}}), planned=True)
    for second in range(40):
        feed(live, second, 5 if 20 <= second < 30 else 10, 5 if 20 <= second < 30 else 0)
    news = live.advance(40)
    alert = {"objective": "failed_ratio < 0.1 as a budget", "burn_rate": 1.0}
    assert news == [("budget_alert", {**alert, "long_s": 12, "short_s": 1}), ("budget_alert_over", alert)]


def test_a_run_without_an_end_has_no_period_for_a_budget() -> None:
    live = LiveObjectives(scenario(objectives={"budget": {"failed_ratio": "< 0.1"}}), planned=False)
    assert live.tallies(0) == ()


def test_a_rule_stops_with_the_second_that_fulfils_it() -> None:
    live = LiveObjectives(scenario(stop_when={"failed_ratio": "> 0.5 for 3s"}), planned=True)
    for second in range(4):
        feed(live, second, 1, 9)
    live.advance(2)
    assert live.stop(Tally(), steered=False) is None
    live.advance(4)
    stop = live.stop(Tally(), steered=False)
    assert stop is not None
    assert (stop.rule, stop.after_s, stop.value) == ("failed_ratio > 0.5 for 3s", 3.0, 0.9)


def lost(objectives: dict[str, object], **more: bool) -> str | None:
    """What is said after 30 of 60 s in which one request of ten failed, of 900 in all that can come at most."""
    asked = scenario(objectives=objectives, stop_when={"objective_out_of_reach": True})
    live = LiveObjectives(asked, planned=True)
    live.begin_phase("steady", 0.0)
    steady = Tally()
    for second in range(30):
        feed(live, second, 9, 1)
        steady.add(second_of([5.0] * 9, 1))
    live.advance(30)
    stop = live.stop(steady, steered=more.get("steered", False))
    return stop.sentence if stop else None


def test_an_objective_out_of_reach_stops_a_run_that_wants_it() -> None:
    told = "The run was stopped early, after 30 s: failed_ratio < 0.01{} cannot be met any more."
    assert lost({"failed_ratio": "< 0.01"}) == told.format("")
    assert lost({"failed_ratio": "< 0.05"}) is None  # 30 of 900 is less
    assert lost({"budget": {"failed_ratio": "< 0.01"}}) == told.format(" as a budget")
    assert lost({"window": {"5s": {"failed_ratio": "< 0.01"}}}) == told.format(" in every 5s")
    assert lost({"phase": {"steady": {"failed_ratio": "< 0.01"}}}) is None  # it goes on


def test_nothing_is_out_of_reach_while_somebody_steers_the_rate() -> None:
    assert lost({"failed_ratio": "< 0.01"}, steered=True) is None
