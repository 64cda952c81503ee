"""`lonjak capacity`: what is wrong is one sentence before any load, and the load is one that can be searched."""

import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from loadgen.config import Scenario, load_scenario, resolve, to_toml
from loadgen.errors import UsageProblem
from lonjak.capacity.load import steady_load


def capacity(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "lonjak", "capacity", *arguments, "--target", "http://127.0.0.1:9"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("evening", "--budget", "soon"), "--budget is 'soon', but must be a duration from 30s to 24h, such as 5m"),
        (("evening", "--budget", "5s"), "--budget is '5s', but must be"),
        (("evening", "--highest", "-3"), "--highest is -3, but must be above 0 and at most 100000 sessions/s"),
        (("evening", "--start", "nan"), "rates of a capacity search are above 0"),
        (("evening", "--start", "20", "--highest", "10"), "lowest <= start <= highest"),
        (("evening", "--resolution", "0"), "the resolution of a capacity search is 0.005 to 0.5, not 0"),
        (("evening", "--shoppers", "absent.py"), "no locustfile absent.py"),
        (("midnight",), "no scenario 'midnight'; known: "),
    ],
)
def test_what_is_wrong_is_one_sentence_and_exit_code_2(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    ended = capacity(*arguments, "--out", str(tmp_path / "runs"))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "runs").exists()


def evening() -> Scenario:
    return load_scenario("evening")


def test_what_would_make_the_load_unsteady_is_left_out_and_told() -> None:
    load, changed = steady_load(evening(), 12.0, 300.0)
    assert (load.faults, load.flash_sale, load.shoppers.deal_ratio) == ((), None, 0.0)
    assert (load.load.rate_per_s, load.load.profile) == (12.0, ((0.0, 1.0), (1.0, 1.0)))
    assert [sentence.split(" ")[:3] for sentence in changed] == [
        ["The", "profile", "of"],
        ["Its", "faults", "are"],
        ["Its", "flash", "sale"],
    ]


def test_the_load_outlasts_the_search() -> None:
    load, _ = steady_load(evening(), 12.0, 300.0)
    assert load.load.duration_s >= load.load.warmup_s + 300.0


def test_the_load_is_a_scenario_that_can_be_read_back() -> None:

    load, _ = steady_load(evening(), 12.0, 300.0)
    assert resolve(tomllib.loads(to_toml(load)), "evening", {}) == load


def test_a_steady_scenario_is_left_as_it_is() -> None:
    calm = evening()
    calm = replace(
        calm,
        faults=(),
        flash_sale=None,
        load=replace(calm.load, profile=((0.0, 1.0), (1.0, 1.0))),
        shoppers=replace(calm.shoppers, deal_ratio=0.0),
    )
    assert steady_load(calm, 5.0, 60.0)[1] == ()


def test_a_load_without_a_rate_is_refused() -> None:
    scenario = evening()
    closed = replace(scenario, load=replace(scenario.load, model="closed", users=3))
    with pytest.raises(UsageProblem, match="has no rate to search over: the closed model has no arrival rate"):
        steady_load(closed, 5.0, 60.0)
