"""A generator that could not keep up says so itself, second by second, and gives no verdict about the shop."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from loadgen.config import Load
from loadgen.hlog import read_hlog
from loadgen.records import TIERS_COLUMNS, read_rows
from loadgen.rundir import RunDirectory
from tests.engine.counting_server import CountingServer, counting_server
from tests.engine.test_nothing_is_lost import judged
from tests.engine.test_runs import FILES, LIMIT_S, Locust, events, locust, only_run, wait_for_events

__all__ = ["locust"]


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with counting_server() as running:
        yield running


def lonjak(locust: Locust, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "lonjak", *arguments],
        cwd=locust.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def plan(locust: Locust, text: str) -> str:
    path = locust.folder / "plan.toml"
    path.write_text(text)
    return str(path)


def summary(run: RunDirectory) -> Any:
    return json.loads(run.summary.read_text())


LEAVE = "its processor was busy with something else: leave it to the generator, and run again"


def remedy(run: RunDirectory) -> str:
    """What the sentence has to advise, by the record: others on the machine may leave the worker too little of it."""
    generator = summary(run)["generator"]
    used = generator["cpu_max_ratio"]
    if generator["workers_lost_count"] and used <= 0.9:  # silent for so long that it counts as lost
        return "see in the generator's log why it ended"
    return r"add generators: this needs about (\d+) \(--generators \1\)" if used > 0.6 else LEAVE


def test_an_overloaded_generator_ends_with_three_and_the_remedy(locust: Locust, server: CountingServer) -> None:
    file = str(FILES / "burning.py")
    given = ["--target", server.url, "--users", "10", "--duration", "5s", "--generators", "1"]
    ended = lonjak(locust, "run", file, *given)
    assert ended.returncode == 3, ended.stderr
    assert ended.stdout.startswith("unknown: ")
    run = only_run(locust.folder)
    assert re.search(remedy(run), ended.stdout)
    assert summary(run)["generator"]["valid_ratio"] < 0.5
    lags = {line.elapsed_s: line.histogram.max_us for line in read_hlog(run.hlog) if line.tag.measure == "loop_lag"}
    assert sum(lag_us > 100_000 for lag_us in lags.values()) >= 3  # each second has its own
    rows = [row for row in read_rows(run.tiers, TIERS_COLUMNS) if row["role"] == "worker-1"]
    assert len({row["elapsed_s"] for row in rows if float(row["cpu_ratio"]) > 0}) >= 3


def test_the_remedy_grows_with_what_was_to_be_done(locust: Locust, server: CountingServer) -> None:
    text = '[load]\nrate_per_s = 30\nduration = "5s"\ndrain = "1s"\n'  # three times a processor's worth
    given = ["--host", server.url, "--scenario", plan(locust, text), "--processes", "1"]
    locust.run(*given, locustfile="burning_shoppers.py")
    run = only_run(locust.folder)
    verdict, _ = judged(run)
    assert verdict["verdict"] == "unknown"
    found = re.search(remedy(run), " ".join(verdict["reasons"]))
    assert found, verdict
    assert not found.groups() or 3 <= int(found[1]) <= 12
    lags = [line.histogram.max_us for line in read_hlog(run.hlog) if line.tag.measure == "schedule_lag"]
    assert max(lags) > 100_000  # on a busy machine fewer are begun, and with less delay


def test_a_rate_that_cannot_be_is_refused_in_the_runs_history(locust: Locust, server: CountingServer) -> None:
    path = locust.folder / "runs" / "foreign" / "steered"
    path.mkdir(parents=True)
    given = ["--host", server.url, "-u", "2", "-r", "2", "-t", "20s", "--run-dir", str(path)]
    process = locust.start(*given, locustfile="foreign.py")
    run = wait_for_events(locust, "run_started")
    run.control.write_text('{"set_rate": 5}\n{"set_rate": 1e9}\n{"phase": "after"}\n{"stop": true}\n')
    assert process.wait(LIMIT_S) == 0, locust.stderr
    said = [event.detail["message"] for event in events(run, "warning")]
    assert said == [f"set_rate was refused: {Load(model='locustfile').why_no_rate}"] * 2
    assert [event.detail for event in events(run, "control")] == [{"phase": "after"}, {"stop": True}]
