"""What `lonjak edge compare` refuses before anything starts, and the order and rate that it chooses."""

import contextlib
import errno
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import click
import pytest

from loadgen.config import load_scenario
from loadgen.edge_comparison import Calibration, ComparedProfile, StudyManifest
from loadgen.errors import EnvironmentProblem, ProgramMissing, UsageProblem
from loadgen.exitcodes import ExitCode
from loadgen.stack import Stack
from lonjak import calibration, edge_study
from lonjak.commands.demo import command as demo
from lonjak.commands.edge_compare import command
from lonjak.drawing import Drawing
from lonjak.progress import Progress
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
        (("direct", "custom"), "custom needs a configuration of your own: give it with --edge-config FILE"),
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
def test_every_profile_can_be_compared(name: str, tmp_path: Path) -> None:
    other = "direct" if name != "direct" else "nginx"
    own = configuration(tmp_path / "mine.conf") if name == "custom" else None
    plan(name, other, options=EdgeOptions(origin_rtt_ms=40.0, purge="auto", config=own)).check(nothing_is_missing)


def configuration(path: Path) -> str:
    path.write_text("# {{ name }}")
    return str(path)


def test_a_configuration_without_the_profile_that_takes_it_is_refused(tmp_path: Path) -> None:
    options = EdgeOptions(config=configuration(tmp_path / "mine.conf"))
    with pytest.raises(UsageProblem, match="name custom in --profiles, or leave it out") as raised:
        plan("direct", "nginx", options=options).check(nothing_is_missing)
    assert raised.value.exit_code == ExitCode.USAGE


def test_what_is_wrong_with_a_configuration_is_said_before_anything_starts(tmp_path: Path) -> None:
    options = EdgeOptions(config=str(tmp_path / "absent.conf"))
    with pytest.raises(SettingsProblem, match=r"absent\.conf cannot be read: No such file"):
        plan("direct", "custom", options=options).check(nothing_is_missing)


def test_only_custom_gets_the_configuration_and_needs_its_program(tmp_path: Path) -> None:
    own = configuration(tmp_path / "mine.vcl")
    compared = plan("direct", "nginx", "custom", options=EdgeOptions(tls=True, config=own))
    options = {name: compared.settings_of(name).edge_options for name in compared.profiles}
    assert options == {
        "direct": EdgeOptions(tls=True),
        "nginx": EdgeOptions(tls=True),
        "custom": EdgeOptions(tls=True, config=own),
    }
    with pytest.raises(ProgramMissing, match="varnish is not installed"):
        compared.check(lambda names: tuple(name for name in names if name == "varnish"))


@pytest.mark.parametrize(("file", "cache"), [("mine.conf", "lonjak-nginx"), ("mine.vcl", "lonjak-varnish")])
def test_the_manifest_knows_the_cache_of_a_configuration_and_expects_nothing_of_its_safety(
    tmp_path: Path, file: str, cache: str
) -> None:
    options = EdgeOptions(config=configuration(tmp_path / file))
    custom = plan("direct", "custom", options=options).manifest(0.0).profiles[1]
    assert custom == ComparedProfile("custom", f"a configuration of one's own, {file}", (cache,), (), {})


def full_disk(*_: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextlib.contextmanager
def no_shop(settings: StackSettings, progress: Progress) -> Iterator[Stack]:
    yield Stack(
        path=Path("stack.json"),
        state="ready",
        url="http://127.0.0.1:1",
        edge=settings.edge,
        ops_url=None,
        ops_token=None,
        cpu_sets={},
        access_logs={},
        processes=(),
        supervisor_pid=1,
        supervisor_start_time=0,
    )


@pytest.fixture
def shopless(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A study whose shops are none, and need none."""
    monkeypatch.setattr(edge_study, "running_stack", no_shop)
    monkeypatch.setattr("lonjak.onerun.check_targets", lambda options: None)
    return monkeypatch


def test_a_disk_that_is_full_at_the_first_part_ends_the_study_and_leaves_nothing(
    shopless: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shopless.setattr("lonjak.onerun.record", full_disk)
    with pytest.raises(EnvironmentProblem) as raised:
        edge_study.compare(replace(plan("direct", "nginx-pass"), out=tmp_path), Progress())
    assert raised.value.exit_code == ExitCode.ENVIRONMENT
    assert re.fullmatch(
        rf"cannot record into {tmp_path}/edge-compare/\w+/parts/01-direct: No space left on device; "
        "free some space or give --out DIR",
        str(raised.value),
    )
    assert list((tmp_path / "edge-compare").iterdir()) == []


def test_a_disk_that_is_full_at_a_later_part_keeps_what_was_measured_and_ends_what_is_being_drawn(
    shopless: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawing: list[str] = []
    shopless.setattr("lonjak.onerun.record", lambda *of: full_disk() if drawing else False)
    shopless.setattr(Drawing, "begin", lambda self, run: drawing.append(run.path.name))
    shopless.setattr(Drawing, "abandon", lambda self: drawing.append("abandoned"))
    with pytest.raises(EnvironmentProblem, match="parts/02-nginx-pass: No space left on device; free some space"):
        edge_study.compare(replace(plan("direct", "nginx-pass"), out=tmp_path), Progress())
    assert drawing == ["01-direct", "abandoned"]
    [study] = (tmp_path / "edge-compare").iterdir()
    parts = StudyManifest.read(study / "manifest.json").parts
    assert [part.outcome for part in parts] == ["measured", "planned"]
    assert f"`lonjak report {study}` compares it" in capsys.readouterr().err


def test_a_study_that_cannot_note_its_plan_leaves_nothing(shopless: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shopless.setattr(StudyManifest, "write", full_disk)
    with pytest.raises(EnvironmentProblem, match="No space left on device; free some space or give --out DIR"):
        edge_study.compare(replace(plan("direct", "nginx-pass"), out=tmp_path), Progress())
    assert list((tmp_path / "edge-compare").iterdir()) == []


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
        ("edge", "compare", "evening", "--profiles", "direct,custom"): "give it with --edge-config FILE",
        (
            *("edge", "compare", "evening", "--profiles", "direct,nginx"),
            *("--edge-config", "mine.conf"),
        ): "--edge-config is for the profile custom",
        ("demo", "--edge", "custom"): "the demo takes no configuration of your own",
    }
    for arguments, sentence in cases.items():
        ended = lonjak(*arguments, cwd=tmp_path)
        assert (ended.code, ended.out) == (ExitCode.USAGE, "")
        assert sentence in ended.err
        assert "Traceback" not in ended.err
    assert list(tmp_path.iterdir()) == []


def test_the_demo_offers_every_edge_but_custom() -> None:
    [edge] = [option for option in demo.params if option.name == "edge"]
    assert isinstance(edge, click.Option)
    assert f"of {', '.join(name for name in NAMES if name != 'custom')}, and" in (edge.help or "")


def test_every_option_is_explained() -> None:
    text = (Path(__file__).parents[2] / "docs" / "edge-compare.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `(--[a-z-]+)`", text, re.MULTILINE)
    options = [name for option in command.params if isinstance(option, click.Option) for name in option.opts]
    assert sorted(explained) == sorted(options)
