"""Objectives held in phases, windows and budgets, as they are written."""

from pathlib import Path

import pytest

from loadgen.config import Scenario, load_scenario, resolve, to_toml
from loadgen.errors import ConfigProblem
from loadgen.objective_scopes import BUDGET, Scope
from loadgen.objectives import Objective, decide, parse_objectives

WRITTEN = {
    "failed_ratio": "< 0.01",
    "phase": {"peak": {"response_time_ms": {"all": {"p95": "< 800"}}}},
    "window": {"30s": {"goodput_per_s.checkout": ">= 2"}},
    "budget": {"failed_ratio": "<= 0.001"},
}


def test_tables_say_over_which_seconds_an_objective_is_held() -> None:
    objectives, problems = parse_objectives(WRITTEN)
    assert problems == []
    assert objectives == (
        Objective(("failed_ratio",), "<", 0.01),
        Objective(("response_time_ms", "all", "p95"), "<", 800.0, Scope("phase", phase="peak")),
        Objective(("goodput_per_s", "checkout"), ">=", 2.0, Scope("window", window_s=30)),
        Objective(("failed_ratio",), "<=", 0.001, BUDGET),
    )
    assert [str(objective) for objective in objectives] == [
        "failed_ratio < 0.01",
        "response_time_ms.all.p95 < 800 in phase peak",
        "goodput_per_s.checkout >= 2 in every 30s",
        "failed_ratio <= 0.001 as a budget",
    ]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"window": {"soon": {"failed_ratio": "< 1"}}}, "[objectives.window] soon is not a window: write a duration"),
        ({"window": {"0s": {"failed_ratio": "< 1"}}}, "[objectives.window] 0s is not a window"),
        ({"window": {"1500ms": {"failed_ratio": "< 1"}}}, "[objectives.window] 1500ms is not a window"),
        ({"window": {"30s": "< 1"}}, "[objectives.window] 30s is '< 1', but must be a table"),
        ({"window": 30}, "[objectives] window is 30, but must be a table"),
        ({"phase": {"peak": {}}}, "[objectives.phase.peak] holds no objectives"),
        ({"budget": {}}, "[objectives.budget] holds no objectives"),
        ({"budget": {"failed_ratio": "< 0"}}, "a budget must lie between 0 and 1, not at 0"),
        ({"budget": {"failed_ratio": "> 0.1"}}, "only failed_ratio has a budget, with an upper limit"),
        ({"budget": {"goodput_per_s": "< 5"}}, "only failed_ratio has a budget"),
        ({"phase": {"peak": {"safety.alarm_count": "<= 0"}}}, "it is known of a whole run only, not in phase peak"),
        ({"window": {"5s": {"sessions.dropped_count": "< 3"}}}, "known of a whole run only, not in every 5s"),
        ({"window": {"5s": {"tps": "< 3"}}}, "[objectives.window.5s] objective tps is unknown"),
    ],
)
def test_what_cannot_be_held_so_is_a_sentence(table: dict[str, object], problem: str) -> None:
    objectives, [told] = parse_objectives(table)
    assert objectives == ()
    assert problem in told


def test_all_problems_of_a_scenario_and_of_a_file_of_objectives_are_told_at_once(tmp_path: Path) -> None:
    mine, limits = tmp_path / "mine.toml", tmp_path / "limits.toml"
    mine.write_text('colour = "red"\n[objectives]\ntps = "> 5"\n[stop_when]\nfailed_ratio = "> 0.5"\n')
    limits.write_text(
        '[objectives.budget]\nfailed_ratio = "< 2"\n[objectives.window."x"]\nfailed_ratio = "few"\n'
        '[stop_when]\nobjective_out_of_reach = "yes"\n[load]\nrate_per_s = 1\n'
    )
    with pytest.raises(ConfigProblem) as caught:
        load_scenario(str(mine), {}, limits)
    told = caught.value.problems
    assert [problem.partition(":")[0] for problem in told[:3]] == ["scenario mine"] * 3
    assert [problem.removeprefix(f"{limits} ")[:40] for problem in told[3:]] == [
        "[objectives.window] x is not a window: w",
        "[objectives.budget] failed_ratio < 2: a ",
        "load is not a key; known: objectives, st",
        "[stop_when] objective_out_of_reach is 'y",
    ]


def test_a_scenario_with_all_of_it_survives_being_written_and_read(tmp_path: Path) -> None:
    stop_when = {"failed_ratio": "> 0.5 for 15s", "objective_out_of_reach": True}
    by_path = {"failed_ratio": {"/a page.html": "< 0.2", 'says "hi"': "< 0.3"}}
    both = {"failed_ratio": "< 0.01", "failed_ratio./a.html": "< 0.02", "service_time_ms./a.html.p95": "< 5"}
    for written in ({**WRITTEN, **by_path}, {**WRITTEN, **both}):
        _survives(resolve({"objectives": written, "stop_when": stop_when}, "mine", {}), tmp_path)


def _survives(scenario: Scenario, tmp_path: Path) -> None:
    assert len(scenario.objectives) in (5, 6)
    copy = tmp_path / "mine.toml"
    copy.write_text(to_toml(scenario), encoding="utf-8")
    assert load_scenario(str(copy)) == scenario


def test_a_file_without_stop_rules_leaves_those_of_the_scenario(tmp_path: Path) -> None:
    mine, limits = tmp_path / "mine.toml", tmp_path / "limits.toml"
    mine.write_text('[stop_when]\nfailed_ratio = "> 0.5 for 15s"\n')
    limits.write_text('failed_ratio = "< 0.2"\n')
    scenario = load_scenario(str(mine), {}, limits)
    assert [str(objective) for objective in scenario.objectives] == ["failed_ratio < 0.2"]
    assert [str(rule) for rule in scenario.stop_when.rules] == ["failed_ratio > 0.5 for 15s"]
    limits.write_text('failed_ratio = "< 0.2"\n[stop_when]\n')
    assert not load_scenario(str(mine), {}, limits).stop_when


COUNTS = {"all": 7, "cart": 1, "search": 6}
FIGURES = {
    "request_count": COUNTS,
    "failed_ratio": {"all": 0.9, "cart": 0.0, "search": 1.0},
    "goodput_per_s": {"all": 0.1, "cart": 0.1, "search": 0.0},
    "response_time_ms": {"all": {"count": 1, "p50": 9.0, "max": 9.0}, "cart": {"count": 1, "p50": 9.0, "max": 9.0}},
}


@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("failed_ratio.login", "unknown", "nothing was measured, as there was no request of page kind login"),
        ("goodput_per_s.login", "unknown", "nothing was measured, as there was no request of page kind login"),
        ("response_time_ms.login.p50", "unknown", "nothing was measured, as there was no request of page kind login"),
        ("response_time_ms.search.p50", "unknown", "as no request of page kind search was answered well"),
        ("failed_ratio.cart", "unknown", "too few samples, 1 more is needed: of one request the ratio is 0 or 1"),
        ("response_time_ms.cart.p50", "unknown", "too few samples, 1 more are needed"),
        ("goodput_per_s.search", "pass", "goodput_per_s.search is 0, as < 50"),
    ],
)
def test_what_says_nothing_is_unknown_with_a_sentence(name: str, outcome: str, reason: str) -> None:
    decision = decide(Objective(tuple(name.split(".")), "<", 50.0), FIGURES)
    assert decision.outcome == outcome
    assert reason in decision.reason
