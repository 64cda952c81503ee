"""Whole searches against a server that can answer 40 requests per second and no more."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgen.capacity_study import CapacityManifest, CapacityRecord
from loadgen.exitcodes import ExitCode
from loadgen.manifest import Manifest
from loadgen.records import read_lines
from tests.capacity.queueing_server import QueueingServer, Workers
from tests.e2e.conftest import ROOT, Place, wait_until

SHOPPERS = ROOT / "tests" / "capacity" / "one_page.py"
MOST_PER_S = 40.0
SCENARIO = """[load]
rate_per_s = 20
[objectives]
response_time_ms.all.p95 = "< 250"
requests.per_s = ">= 5"
"""


@pytest.fixture
def server() -> Iterator[str]:
    with QueueingServer(Workers(2, 2 / MOST_PER_S, exponential=False, seed=1)) as running:
        yield running.url


def arguments(place: Place, url: str, budget: str) -> tuple[str, ...]:
    scenario = place.folder / "one-page.toml"
    scenario.write_text(SCENARIO)
    options = ("--target", url, "--shoppers", str(SHOPPERS), "--budget", budget, "--resolution", "0.2")
    return ("capacity", str(scenario), *options)


def test_a_search_steers_one_load_and_finds_no_more_than_the_server_can(place: Place, server: str) -> None:
    ended = place.run(*arguments(place, server, "45s"))
    # A noisy machine may leave so short a search without an answer, but never with a wrong one.
    assert ended.returncode in (ExitCode.PASS, ExitCode.UNKNOWN), ended.stdout + ended.stderr
    [study] = place.studies
    record, manifest = CapacityRecord.read(study.capacity), CapacityManifest.read(study.manifest)
    run = study.part(manifest.parts[0])
    assert manifest.complete
    assert Manifest.read(run.manifest).complete
    assert record.rate_per_s is None or record.rate_per_s <= MOST_PER_S
    assert not [step for step in record.steps if step.outcome == "holds" and step.rate_per_s > 1.1 * MOST_PER_S]
    controls = [line for line in read_lines(run.events) if line["kind"] == "control"]
    assert controls[-1]["stop"] is True
    offered = {line["set_rate"] for line in controls if "set_rate" in line} | {20.0}
    assert {step.rate_per_s for step in record.steps} <= offered
    assert "Left for the end: requests.per_s >= 5" in ended.stderr
    for document in (study.report, study.summary_md, study.junit, run.report):
        assert document.exists()
    before = study.report.read_bytes()
    place.run("report", str(study.path))
    assert study.report.read_bytes() == before


def test_a_search_that_is_interrupted_keeps_what_is_known(place: Place, server: str) -> None:
    process = place.start(*arguments(place, server, "5m"))
    assert wait_until(lambda: [study for study in place.studies if study.capacity.exists()], within_s=60)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED, out + err
    [study] = place.studies
    assert CapacityManifest.read(study.manifest).interrupted
    assert len(CapacityRecord.read(study.capacity).steps) >= 1
    assert json.loads(study.verdict.read_text())["cause"] == "interrupted"


def test_a_load_without_a_rate_has_no_capacity_to_search_for(place: Place, tmp_path: Path) -> None:
    scenario = place.folder / "loop.toml"
    scenario.write_text('[load]\nmodel = "closed"\nusers = 3\n')
    ended = place.run("capacity", str(scenario), "--target", "http://127.0.0.1:9")
    assert (ended.returncode, ended.stdout) == (ExitCode.USAGE, "")
    assert "has no rate to search over: the closed model has no arrival rate" in ended.stderr
    assert not (place.folder / "runs").exists()
