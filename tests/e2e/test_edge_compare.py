"""Edge profiles compared for real: each against a fresh shop, the same shoppers, one report."""

import json
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from loadgen.edge_comparison import StudyManifest
from loadgen.exitcodes import ExitCode
from loadgen.studydir import StudyDirectory
from reference_shop.edges import programs
from tests.e2e.conftest import Place, wait_until

BRIEF = """
storefront = "reference"
[load]
rate_per_s = 6.0
duration = "14s"
warmup = "3s"
drain = "2s"
[shoppers]
mix = "marketplace"
think_time_scale = 0.1
"""
# A load without a rate is not tried beforehand, which saves half a minute where the trial is not what is tested.
CROWD = """
storefront = "reference"
[load]
model = "closed"
users = 6
duration = "14s"
warmup = "3s"
drain = "2s"
[shoppers]
mix = "marketplace"
think_time_scale = 0.1
"""
DOCUMENTS = ("summary.json", "verdict.json", "report.html", "summary.md")


@dataclass(frozen=True)
class Compared:
    place: Place
    out: str
    study: StudyDirectory

    @property
    def manifest(self) -> StudyManifest:
        return StudyManifest.read(self.study.manifest)

    def part(self, number: int) -> dict[str, dict[str, float]]:
        loaded: dict[str, dict[str, float]] = json.loads(
            self.study.part(self.manifest.parts[number]).summary.read_text()
        )
        return loaded


@pytest.fixture(scope="module")
def compared(new_place: Callable[[], AbstractContextManager[Place]]) -> Iterator[Compared]:
    if programs.find("nginx") is None:
        pytest.skip("nginx is not installed")
    with new_place() as place:
        ended = place.run(*comparing(place, "nginx-pass,nginx", "--rate", "6", "--seed", "3"), timeout_s=280)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        yield Compared(place, ended.stdout, place.studies[0])


def comparing(place: Place, profiles: str, *options: str, load: str = BRIEF) -> tuple[str, ...]:
    """The arguments that compare profiles under a brief load of one's own."""
    (place.folder / "brief.toml").write_text(load)
    return ("edge", "compare", "brief.toml", "--profiles", profiles, "--products", "1000", *options)


def test_it_answers_with_a_recommendation_and_the_report(compared: Compared) -> None:
    sentence, report = compared.out.splitlines()
    assert sentence.startswith("pass: Take nginx")
    assert (compared.place.folder / report).resolve() == compared.study.report.resolve()


def test_each_part_is_a_whole_run_through_its_profile(compared: Compared) -> None:
    manifest = compared.manifest
    assert [(part.label, part.outcome) for part in manifest.parts] == [
        ("01-nginx-pass", "measured"),
        ("02-nginx", "measured"),
    ]
    assert (manifest.complete, manifest.interrupted, manifest.options.origin_rtt_ms) == (True, False, 40.0)
    for number, name in enumerate(("nginx-pass", "nginx")):
        assert compared.part(number)["run"]["edge"] == name
        names = {path.name for path in compared.study.part(manifest.parts[number]).path.iterdir()}
        assert names >= {"manifest.json", "latency.hlog.gz", "tiers.csv", "origin.csv", "junit.xml", *DOCUMENTS}


def test_both_profiles_got_the_same_shoppers(compared: Compared) -> None:
    arrived = [compared.part(number)["sessions"]["arrived_count"] for number in (0, 1)]
    assert arrived[0] == arrived[1] > 40


def test_the_rate_that_was_given_is_tried_but_kept(compared: Compared) -> None:
    found = compared.manifest.calibration
    assert found is not None
    assert (found.profile, found.asked_rate_per_s, found.rate_per_s) == ("nginx-pass", 6.0, 6.0)
    assert found.stack_ratio is not None
    assert 0 < found.stack_ratio < 1


def test_the_cache_spares_the_shop_what_the_proxy_does_not(compared: Compared) -> None:
    profiles = json.loads(compared.study.summary.read_text())["profiles"]
    offload = {name: figures["cache"]["origin_offload_ratio"] for name, figures in profiles.items()}
    assert offload["nginx-pass"] == {"value": None, "low": None, "high": None}  # of no cache there is none
    fetched = {name: figures["cache"]["origin_requests_per_s"] for name, figures in profiles.items()}
    assert fetched["nginx"]["value"] < 0.8 * fetched["nginx-pass"]["value"]
    assert offload["nginx"]["low"] > 0.2
    cpu = profiles["nginx"]["cpu_s_per_1000_requests"]
    assert {"edge", "shop", "database", "all"} <= set(cpu)
    assert "generator" not in cpu


def test_a_study_is_drawn_again_to_the_byte_with_its_parts(compared: Compared, tmp_path: Path) -> None:
    copy = StudyDirectory(tmp_path / "copy")
    shutil.copytree(compared.study.path, copy.path)
    directories = [copy.path, *(copy.part(part).path for part in compared.manifest.parts)]
    for directory in directories:
        for name in DOCUMENTS:
            (directory / name).unlink()
    ended = compared.place.run("report", str(copy.path))
    assert ended.returncode == 0, ended.stderr
    for directory in directories:
        original = compared.study.path / directory.relative_to(copy.path)
        for name in DOCUMENTS:
            assert (directory / name).read_bytes() == (original / name).read_bytes(), f"{directory.name}/{name}"


def test_nothing_is_left_running(compared: Compared) -> None:
    assert {process.tier for process in compared.place.seen} >= {"database", "shop", "edge"}
    assert compared.place.left_over() == []
    assert list(compared.place.state.glob("stack-*")) == []


@pytest.fixture
def broken_varnish(place: Place, tmp_path: Path) -> Place:
    """A machine whose Varnish ends as soon as it is started."""
    if programs.find("varnish") is None:
        pytest.skip("varnish is not installed")
    program = tmp_path / "varnishd"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    place.programs = tmp_path
    return place


def own_configuration(place: Place) -> str:
    """The nginx configuration that the documentation shows, in a file of the place."""
    text = (Path(__file__).parents[2] / "docs" / "edge-config.md").read_text(encoding="utf-8")
    shown = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert shown
    (place.folder / "mine.conf").write_text(shown[1])
    return "mine.conf"


def test_the_study_goes_on_with_ones_own_configuration_without_a_profile_that_does_not_start(
    broken_varnish: Place,
) -> None:
    own = ("--edge-config", own_configuration(broken_varnish))
    ended = broken_varnish.run(*comparing(broken_varnish, "varnish,custom", *own), timeout_s=280)
    assert ended.returncode == ExitCode.UNKNOWN, ended.stdout + ended.stderr
    assert "trying the load on varnish: could not be run, so the rate stays: " in ended.stderr
    assert "part 1 of 2: varnish: could not be run: " in ended.stderr
    assert "01-varnish could not be run: " in ended.stdout
    [study] = broken_varnish.studies
    manifest = StudyManifest.read(study.manifest)
    assert [part.outcome for part in manifest.parts] == ["failed", "measured"]
    custom = json.loads(study.summary.read_text())["profiles"]["custom"]
    assert custom["cache"]["by_cache"]["lonjak-nginx"]["request_hit_ratio"] > 0.2
    assert json.loads(study.part(manifest.parts[1]).summary.read_text())["run"]["edge"] == "custom"
    assert broken_varnish.left_over() == []


def test_when_no_profile_starts_nothing_is_left_and_the_environment_is_to_blame(broken_varnish: Place) -> None:
    ended = broken_varnish.run(*comparing(broken_varnish, "varnish,two-tier", load=CROWD), timeout_s=280)
    assert (ended.returncode, ended.stdout) == (ExitCode.ENVIRONMENT, "")
    assert "lonjak: no profile could be run: 01-varnish: " in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(broken_varnish.folder.glob("runs/edge-compare/*")) == []
    assert broken_varnish.left_over() == []


def test_an_interrupted_study_reports_what_was_measured(place: Place) -> None:
    process = place.start(*comparing(place, "direct,nginx-pass", load=CROWD))
    part = "runs/edge-compare/*/parts/01-direct/counters.csv"
    assert wait_until(
        lambda: any(len(path.read_text().splitlines()) > 10 for path in place.folder.glob(part)), within_s=200
    )
    place.look()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED, out + err
    [study] = place.studies
    verdict = json.loads(study.verdict.read_text())
    assert (verdict["verdict"], verdict["cause"]) == ("unknown", "interrupted")
    assert list(verdict["parts"]) == ["01-direct"]
    assert "nginx-pass was not run" in out
    assert [part.outcome for part in StudyManifest.read(study.manifest).parts] == ["measured", "planned"]
    assert all(run.report.exists() for run in place.runs)
    assert (place.left_over(), "Traceback" in err) == ([], False)
