"""What `lonjak edge compare` refuses before anything starts, and the order and rate that it chooses."""

import re
from collections.abc import Iterable
from pathlib import Path

import click
import pytest

from loadgen.config import load_scenario
from loadgen.errors import ProgramMissing, UsageProblem
from loadgen.exitcodes import ExitCode
from loadgen.studydir import Calibration
from lonjak import calibration
from lonjak.commands.edge_compare import command
from lonjak.study_plan import NAMES, StudyPlan, order
from reference_shop.edges import EdgeOptions
from reference_shop.stack.problems import SettingsProblem
from reference_shop.stack.settings import StackSettings
from tests.cli.test_command_line import lonjak

EVENING = load_scenario("evening")
BARE = EdgeOptions()


def plan(*profiles: str, options: EdgeOptions = BARE) -> StudyPlan:
    return StudyPlan(EVENING, profiles, StackSettings(port=0, edge_options=options))


def nothing_is_missing(names: Iterable[str]) -> tuple[str, ...]:
    return ()


def all_are_missing(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(names)


@pytest.mark.parametrize(
    ("profiles", "sentence"),
    [
        (("direct", "squid", "apache"), "no edge profile 'squid', 'apache' to compare; known: direct, nginx-pass"),
        (("direct", "custom"), "no edge profile 'custom' to compare"),
        (("direct",), "name two or more, each once"),
        (("direct", "nginx", "direct"), "name two or more, each once"),
        ((), "name two or more, each once"),
    ],
)
def test_profiles_that_cannot_be_compared_are_refused(profiles: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageProblem, match=sentence) as raised:
        plan(*profiles).check(nothing_is_missing)
    assert raised.value.exit_code == ExitCode.USAGE


def test_all_missing_programs_are_named_with_the_command_that_installs_them() -> None:
    with pytest.raises(ProgramMissing) as raised:
        plan("direct", "nginx", "varnish", options=EdgeOptions(waf=1)).check(all_are_missing)
    assert raised.value.exit_code == ExitCode.ENVIRONMENT
    assert str(raised.value).startswith(
        "nginx, modsecurity, varnish are not installed: apt-get install -y --no-install-recommends nginx "
    )


def test_a_program_that_no_profile_needs_is_not_asked_for() -> None:
    plan("direct", "nginx-pass").check(lambda names: tuple(name for name in names if name == "varnish"))


def test_options_that_no_edge_can_have_are_refused() -> None:
    with pytest.raises(SettingsProblem, match="origin-rtt-ms is 9000"):
        plan("direct", "nginx", options=EdgeOptions(origin_rtt_ms=9000.0)).check(nothing_is_missing)
    with pytest.raises(SettingsProblem, match="nginx cannot purge by key"):
        plan("varnish", "nginx", options=EdgeOptions(purge="key")).check(nothing_is_missing)


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_but_custom_can_be_compared(name: str) -> None:
    other = "direct" if name != "direct" else "nginx"
    plan(name, other, options=EdgeOptions(origin_rtt_ms=40.0, purge="auto")).check(nothing_is_missing)


def test_every_second_round_is_run_backwards() -> None:
    parts = order(("direct", "nginx", "varnish"), 3)
    labels = [[part.label for part in parts if part.round == number] for number in (1, 2, 3)]
    assert labels == [
        ["01-direct", "02-nginx", "03-varnish"],
        ["04-varnish", "05-nginx", "06-direct"],
        ["07-direct", "08-nginx", "09-varnish"],
    ]


@pytest.mark.parametrize(
    ("profiles", "chosen"),
    [
        (("nginx", "nginx-pass", "direct"), "direct"),
        (("nginx", "nginx-pass"), "nginx-pass"),
        (("varnish", "nginx"), "varnish"),
    ],
)
def test_the_load_is_tried_where_a_cache_spares_least(profiles: tuple[str, ...], chosen: str) -> None:
    assert calibration.costliest(profiles) == chosen


@pytest.mark.parametrize(
    ("shares", "rate_per_s"),
    [((0.1, 0.3), 5.0), ((0.1, 0.6), 2.5), ((0.9, 0.6), 1.66), ((None, 0.45), 3.33), ((None, None), 5.0)],
)
def test_the_rate_falls_in_proportion_to_what_is_used_above_the_limit(
    shares: tuple[float | None, ...], rate_per_s: float
) -> None:
    assert calibration.bearable_per_s(5.0, shares) == pytest.approx(rate_per_s)


def test_the_trial_is_short_flat_at_full_height_and_breaks_nothing() -> None:
    short = calibration.short("evening", {"rate": "3"})
    assert (short.load.duration_s, short.load.warmup_s, short.load.rate_per_s) == (20.0, 10.0, 3.0)
    assert (short.load.profile, short.faults) == (((0.0, 1.0), (1.0, 1.0)), ())
    assert short.load.seed == EVENING.load.seed


@pytest.mark.parametrize(
    ("found", "ends"),
    [
        (Calibration("direct", 5.0, 2.5, 0.1, 0.6), "processors, more than 30%: 2.5 per second come instead"),
        (
            Calibration("direct", 5.0, 5.0, 0.1, 0.6),
            "30%: waiting for them will be part of the response times",
        ),
        (Calibration("direct", 5.0, 5.0, 0.1, 0.3), "processors, no more than 30%"),
    ],
)
def test_what_the_trial_found_is_told(found: Calibration, ends: str) -> None:
    told = calibration.told(found)
    assert told.startswith("5 shoppers per second on direct use 10% of the generator's and ")
    assert told.endswith(ends)


def test_wrong_use_ends_before_anything_is_started_or_written(tmp_path: Path) -> None:
    cases = {
        ("edge", "compare", "evening"): "Missing option '--profiles'",
        (
            "edge",
            "compare",
            "evening",
            "--profiles",
            "direct,squid",
        ): "no edge profile 'squid' to compare",
        ("edge", "compare", "morning", "--profiles", "direct,nginx"): "no scenario 'morning'",
        ("edge", "compare", "evening", "--profiles", "direct,nginx", "--repeats", "0"): "0 is not in the range",
    }
    for arguments, sentence in cases.items():
        ended = lonjak(*arguments, cwd=tmp_path)
        assert (ended.code, ended.out) == (ExitCode.USAGE, "")
        assert sentence in ended.err
        assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []


def test_every_option_is_explained() -> None:
    text = (Path(__file__).parents[2] / "docs" / "edge-compare.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(--[a-z-]+)`", text, re.MULTILINE)
    options = [name for option in command.params if isinstance(option, click.Option) for name in option.opts]
    assert sorted(explained) == sorted(options)
