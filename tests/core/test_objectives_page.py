"""docs/objectives.md holds what the code does: its examples are read, its tables are compared."""

import re
import tomllib
from pathlib import Path

import pytest

from loadgen.config import resolve, to_toml
from loadgen.error_budget import alert_rules
from loadgen.objective_files import read_judging
from loadgen.objective_scopes import Scope
from loadgen.objectives import NAMES, parse_objectives
from loadgen.stop_rules import StopJudge, parse_stop_when
from tests.core.seconds import second_of

PAGE = (Path(__file__).parents[2] / "docs" / "objectives.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def rows(heading: str) -> list[list[str]]:
    """The cells of a section's table, but for its head."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_there_is_an_example_of_everything() -> None:
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_what_a_scenario_and_a_file_may_hold(example: str) -> None:
    table = tomllib.loads(example)
    scenario = resolve(table, "example", {})
    assert tomllib.loads(to_toml(scenario))["objectives"]
    if "objectives" in table:
        judging, problems = read_judging(table, "example.toml")
        assert problems == []
        assert judging.objectives == scenario.objectives


def test_every_figure_is_explained_and_no_other_is() -> None:
    assert sorted(name.strip("`") for name, *_ in rows("Figures")) == sorted(NAMES)


def test_the_page_says_which_figures_phases_and_windows_may_have() -> None:
    for name, _, divisible in rows("Figures"):
        path = re.sub(r"\[.*?\]", "", name.strip("`"))
        path = re.sub(r"<[^>]*\|(\w+)>", r"\1", path).replace("<cache>", "edge").replace("<page kind>", "home")
        [objective], problems = parse_objectives({path: "< 5"})
        assert problems == []
        held = not Scope("window", window_s=5).why_not(objective.path, "<", 5.0)
        assert divisible.startswith("yes") is held, path


def test_the_windows_of_alerts_are_as_written() -> None:
    units = {"d": 86400, "h": 3600, "m": 60}
    for length, *cells in rows("An error budget"):
        number, unit = re.fullmatch(r"`(\d+)(\w)`", length).groups()  # type: ignore[union-attr]
        rules = {
            rule.burn_rate: f"{rule.long_s} s, {rule.short_s} s" for rule in alert_rules(int(number) * units[unit])
        }
        assert cells == [rules.get(rate, "none") for rate in (14.4, 6.0, 1.0)]


def test_the_first_stop_rule_of_the_page_stops_after_fifteen_bad_seconds() -> None:
    stop_when, _ = parse_stop_when(tomllib.loads(EXAMPLES[-1])["stop_when"])
    assert stop_when.out_of_reach
    judge = StopJudge(stop_when.rules[0])
    stops = [judge.see(second, second_of([5.0] * 4, 6)) for second in range(15)]
    assert [stop is not None for stop in stops] == [False] * 14 + [True]
