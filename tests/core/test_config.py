import os
from pathlib import Path

import pytest

from loadgen.config import Load, load_objectives, load_scenario, resolve, scenario_names, to_toml
from loadgen.errors import ConfigProblem
from loadgen.fault_plans import PARAMETERS, FaultPlan
from loadgen.pacing import RatePoint


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("LONJAK_")]:
        monkeypatch.delenv(name)


def problems_of(table: dict[str, object]) -> tuple[str, ...]:
    with pytest.raises(ConfigProblem) as caught:
        resolve(table, "mine", {})
    return caught.value.problems


@pytest.mark.parametrize("name", sorted(scenario_names()))
def test_every_scenario_of_the_project_survives_being_written_and_read(name: str, tmp_path: Path) -> None:
    scenario = load_scenario(name)
    copy = tmp_path / f"{name}.toml"
    copy.write_text(to_toml(scenario), encoding="utf-8")
    assert load_scenario(str(copy)) == scenario


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[load]\nrate_per_s = 1\nduration = '10s'\nseed = 5\n")
    monkeypatch.setenv("LONJAK_RATE", "2")
    monkeypatch.setenv("LONJAK_DURATION", "20s")
    load = load_scenario(str(path), {"rate": "3", "duration": None}).load
    assert (load.rate_per_s, load.duration_s, load.seed) == (3.0, 20.0, 5)


def test_all_problems_are_told_at_once_with_the_valid_names() -> None:
    problems = problems_of({"load": {"rate_per_s": -1, "speed": 3}, "faults": [{"kind": "flood"}], "colour": "red"})
    assert problems == (
        "scenario mine: [load] rate_per_s is -1, but must be a number from 0.001 to 100000",
        "scenario mine: [[faults]] kind is 'flood', but must be one of "
        "kill-worker, origin-down, origin-slow, purge-storm, edge-lost, edge-reload",
        "scenario mine: colour is not a key; known: "
        "description, faults, flash_sale, load, name, objectives, offers, shoppers, stop_when, storefront, target",
        "scenario mine: [load] speed is not a key; known: "
        "arrivals, drain, duration, model, profile, rate_per_s, seed, session_cap, trace, users, warmup",
    )


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1e9, True, "fast", None])
def test_an_absurd_rate_is_refused(rate: object) -> None:
    assert len(problems_of({"load": {"rate_per_s": rate}})) == 1


def test_a_flag_is_named_in_its_problem() -> None:
    with pytest.raises(ConfigProblem, match="--rate is 'fast', but must be a number"):
        resolve({}, "mine", {"rate": ("--rate", "fast")})


def test_a_warm_up_must_end_before_the_run() -> None:
    assert "warmup is 60 s" in problems_of({"load": {"warmup": "1m", "duration": "30s"}})[0]


def test_another_duration_stretches_the_timetable() -> None:
    table = {"load": {"duration": "60s", "warmup": "20s"}, "faults": [{"at_s": 35}]}
    scenario = resolve(table, "mine", {"duration": ("--duration", "30s")})
    assert (scenario.load.duration_s, scenario.load.warmup_s, scenario.faults[0].at_s) == (30, 10, 17.5)


def test_an_unknown_scenario_lists_the_known_ones() -> None:
    with pytest.raises(ConfigProblem, match=r"no scenario 'morning'; known: .*evening"):
        load_scenario("morning")


def test_a_profile_scales_with_rate_and_duration() -> None:
    load = Load(rate_per_s=8, duration_s=50, profile=((0.0, 0.25), (1.0, 1.0)))
    assert load.rate == (RatePoint(0, 2), RatePoint(50, 8))


def test_objectives_may_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "slo.toml"
    path.write_text('failed_ratio = "< 0.5"\n')
    assert [str(objective) for objective in load_objectives(path)] == ["failed_ratio < 0.5"]
    path.write_text("\n")
    with pytest.raises(ConfigProblem, match="holds no objectives"):
        load_objectives(path)


def faults_of(*tables: dict[str, object], duration: str | None = None) -> tuple[FaultPlan, ...]:
    overrides = {"duration": ("--duration", duration)} if duration else {}
    return resolve({"load": {"duration": "60s"}, "faults": list(tables)}, "mine", overrides).faults


def test_each_kind_of_fault_has_its_own_defaults() -> None:
    assert faults_of(*({"kind": kind} for kind in PARAMETERS)) == (
        FaultPlan("kill-worker", 30.0, tier="shop"),
        FaultPlan("origin-down", 30.0, for_s=15.0),
        FaultPlan("origin-slow", 30.0, for_s=15.0, delay_ms=500.0),
        FaultPlan("purge-storm", 30.0, for_s=15.0, per_s=20.0),
        FaultPlan("edge-lost", 30.0, for_s=15.0),
        FaultPlan("edge-reload", 30.0, for_s=15.0, every_s=5.0),
    )


def test_a_fault_lasts_and_repeats_longer_in_a_longer_run_but_is_no_worse() -> None:
    tables: tuple[dict[str, object], ...] = (
        {"kind": "origin-slow", "at_s": 20, "for_s": 10, "delay_ms": 300},
        {"kind": "purge-storm", "at_s": 20, "for_s": 10, "per_s": 40},
        {"kind": "edge-reload", "at_s": 20, "for_s": 10, "every_s": 2},
    )
    assert faults_of(*tables, duration="120s") == (
        FaultPlan("origin-slow", 40.0, for_s=20.0, delay_ms=300.0),
        FaultPlan("purge-storm", 40.0, for_s=20.0, per_s=40.0),
        FaultPlan("edge-reload", 40.0, for_s=20.0, every_s=4.0),
    )


@pytest.mark.parametrize(
    ("kind", "key"),
    [(kind, key) for kind, taken in PARAMETERS.items() for key in ("tier", "for_s", "delay_ms") if key not in taken],
)
def test_a_key_that_a_kind_of_fault_does_not_take_is_refused(kind: str, key: str) -> None:
    [problem] = problems_of({"faults": [{"kind": kind, key: "shop" if key == "tier" else 1}]})
    assert f"[[faults]] {key} is " in problem
    assert problem.endswith(f"but the fault {kind} does not take it: leave it out")


def test_everything_wrong_with_a_fault_is_told_at_once() -> None:
    wrong = {"kind": "edge-reload", "at_s": -1, "for_s": 0, "every_s": "often", "role": "edge", "tier": "edge"}
    problems = problems_of({"faults": [wrong]})
    assert [problem.split(" is ")[0] for problem in problems] == [
        f"scenario mine: [[faults]] {key}" for key in ("tier", "role", "at_s", "for_s", "every_s")
    ]


def test_a_fault_must_be_over_when_the_load_is() -> None:
    late = {"kind": "origin-down", "at_s": 50, "for_s": 10.5}
    assert problems_of({"load": {"duration": "60s"}, "faults": [late]}) == (
        "scenario mine: [[faults]] at_s 50 and for_s 10.5 end at 60.5 s, but must end within the duration of 60 s",
    )
    assert faults_of(late | {"for_s": 10}, duration="7s")[0].at_s == pytest.approx(50 * 7 / 60)


@pytest.mark.parametrize("duration", ["1s", "7s", "61s", "100h"])
def test_faults_survive_being_stretched_written_and_read(duration: str, tmp_path: Path) -> None:
    tables = [{"kind": kind, "at_s": 41.3} for kind in PARAMETERS]
    tables.append({"kind": "edge-lost", "role": 'edge "pop"', "at_s": 37.7, "for_s": 60 - 37.7})
    document: dict[str, object] = {"load": {"duration": "60s"}, "faults": tables}
    scenario = resolve(document, "mine", {"duration": ("--duration", duration)})
    copy = tmp_path / "mine.toml"
    copy.write_text(to_toml(scenario), encoding="utf-8")
    assert load_scenario(str(copy)) == scenario
