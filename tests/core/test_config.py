import os
from pathlib import Path

import pytest

from loadgen.config import Load, load_objectives, load_scenario, resolve, scenario_names, to_toml
from loadgen.errors import ConfigProblem
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
        "scenario mine: [[faults]] kind is 'flood', but must be one of kill-worker",
        "scenario mine: colour is not a key; known: "
        "description, faults, flash_sale, load, name, objectives, offers, shoppers, storefront, target",
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
