"""However a run ends, its record holds every request that the server answered: counted by the server, not by us."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from loadgen.config import Load
from loadgen.hlog import read_hlog
from loadgen.manifest import Manifest
from loadgen.pacing import poisson_arrivals
from loadgen.rundir import RunDirectory
from tests.engine.counting_server import CountingServer, counting_server
from tests.engine.scripted_shop import eventually
from tests.engine.test_runs import (
    LIMIT_S,
    Locust,
    Web,
    alive,
    events,
    free_port,
    funnel,
    locust,
    only_run,
    requests_by_kind,
    wait_for_events,
)

__all__ = ["locust"]

SESSIONS_PER_S = 45  # seven requests each
ANALYSE = """
import pathlib, sys, analysis.run, loadgen.rundir
run = loadgen.rundir.RunDirectory.open(pathlib.Path(sys.argv[1]))
run.replace(analysis.run.documents(run, analysis.run.analyse(run)))
"""
TEAMS = pytest.mark.parametrize("team", [(), ("--processes", "1"), ("--processes", "3")], ids=["alone", "1", "3"])
WORKERS = pytest.mark.parametrize("team", [("--processes", "1"), ("--processes", "2")], ids=["1", "2"])


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with counting_server() as running:
        yield running


def begin(
    locust: Locust, server: CountingServer, *arguments: str, duration_s: float = 30.0, headless: bool = True
) -> "subprocess.Popen[str]":
    path = locust.folder / "busy.toml"
    path.write_text(
        f'[load]\nrate_per_s = {SESSIONS_PER_S}\nduration = "{duration_s}s"\ndrain = "5s"\n'
        f'[objectives]\nfailed_ratio = "< 0.01"\n'
    )
    given = ["--host", server.url, "--scenario", str(path), *arguments]
    return locust.start(*given, locustfile="busy_shoppers.py", headless=headless)


def under_way(locust: Locust, server: CountingServer) -> RunDirectory:
    """The run, a moment after its second second began: one has been handed in, and requests are in flight."""
    run = wait_for_events(locust, "phase")
    gevent.sleep(max(0.0, Manifest.read(run.manifest).started_at + 1.6 - time.time()))
    assert server.served().count > 100
    return run


def planned_count(rate_per_s: float, duration_s: float) -> int:
    return len(list(poisson_arrivals(Load(rate_per_s=rate_per_s, duration_s=duration_s).rate, Load().seed)))


def timed_by_kind(run: RunDirectory) -> Counter[str]:
    counts: Counter[str] = Counter()
    for line in read_hlog(run.hlog):
        if line.tag.measure == "service_time":
            counts[line.tag.page_kind] += line.histogram.count
    return counts


def served_by_kind(server: CountingServer) -> Counter[str]:
    counts = Counter({path.strip("/"): count for path, count in server.served().by_path.items()})
    counts["payment"] = counts.pop("slow/0.3", 0)
    return +counts


def assert_whole(run: RunDirectory, server: CountingServer) -> None:
    """Every answer stands in the record once, timed and counted, and no client went away before its answer."""
    assert timed_by_kind(run) == served_by_kind(server)
    assert requests_by_kind(run) == served_by_kind(server)
    assert server.served().given_up_count == 0
    sums = funnel(run)
    assert sums["arrived_count"] == sums["finished_count"] + sums["cut_count"]
    assert Manifest.read(run.manifest).complete


def judged(run: RunDirectory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Verdict and summary, computed from the files by a process without the engine."""
    subprocess.run([sys.executable, "-c", ANALYSE, str(run.path)], check=True, timeout=LIMIT_S)
    return json.loads(run.verdict.read_text()), json.loads(run.summary.read_text())


@TEAMS
def test_at_its_planned_end(locust: Locust, server: CountingServer, team: tuple[str, ...]) -> None:
    assert begin(locust, server, *team, duration_s=2.0).wait(LIMIT_S) == 0, locust.stderr
    run = only_run(locust.folder)
    assert_whole(run, server)
    assert funnel(run)["cut_count"] == 0


@TEAMS
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_at_a_signal(locust: Locust, server: CountingServer, team: tuple[str, ...], ending: signal.Signals) -> None:
    process = begin(locust, server, *team)
    run = under_way(locust, server)
    process.send_signal(ending)
    assert process.wait(LIMIT_S) == 130, locust.stderr
    assert_whole(run, server)
    assert funnel(run)["cut_count"] > 0  # it came in the middle of visits


@TEAMS
def test_at_a_stop_in_the_web_ui(locust: Locust, server: CountingServer, team: tuple[str, ...]) -> None:
    port = free_port()
    process = begin(locust, server, *team, "--web-port", str(port), headless=False)
    web = Web(port)
    eventually(web.listens, LIMIT_S)
    form = {"user_count": "500", "spawn_rate": "1", "host": server.url}
    eventually(lambda: web.post("/swarm", form)[1]["success"] and any(locust.folder.glob("runs/*/*")), LIMIT_S)
    run = under_way(locust, server)
    assert web.post("/stop")[0] == 200
    assert_whole(run, server)
    assert funnel(run)["cut_count"] > 0
    process.send_signal(signal.SIGINT)
    process.wait(LIMIT_S)


@WORKERS
def test_but_at_most_a_second_when_a_worker_is_killed(
    locust: Locust, server: CountingServer, team: tuple[str, ...]
) -> None:
    process = begin(locust, server, *team, duration_s=6.0)
    run = under_way(locust, server)
    os.kill(Manifest.read(run.manifest).workers[0].pid, signal.SIGKILL)
    killed_at = time.time()
    assert process.wait(LIMIT_S) == 3, locust.stderr
    served = server.served()
    lost = served.count - timed_by_kind(run).total()
    assert 0 <= lost <= served.between(killed_at - 1.1, killed_at + 0.1)
    assert requests_by_kind(run) == timed_by_kind(run)
    assert [event.detail["worker"] for event in events(run, "worker_lost")] == ["worker-1"]
    verdict, summary = judged(run)
    everybody = team == ("--processes", "1")
    assert (verdict["verdict"], verdict["cause"]) == ("unknown", "incomplete" if everybody else "generator")
    assert "1 of " in " ".join(verdict["reasons"])
    assert summary["generator"]["workers_lost_count"] == 1
    assert (
        summary["generator"]["invalid_by_reason_s"]["worker_lost"] >= 3
    )  # not from when it was missed: from its last word


def test_not_even_what_a_worker_counts_that_is_silent_for_a_while(locust: Locust, server: CountingServer) -> None:
    process = begin(locust, server, "--processes", "2", duration_s=12.0)
    run = under_way(locust, server)
    stopped = Manifest.read(run.manifest).workers[0].pid
    os.kill(stopped, signal.SIGSTOP)
    wait_for_events(locust, "worker_lost")
    os.kill(stopped, signal.SIGCONT)
    wait_for_events(locust, "worker_returned")
    assert process.wait(LIMIT_S) in (0, 1), locust.stderr  # whether the shop kept up is another question
    assert timed_by_kind(run) == served_by_kind(server)
    sums = funnel(run)
    assert sums["arrived_count"] + sums["dropped_count"] == planned_count(SESSIONS_PER_S, 12.0)
    verdict, summary = judged(run)
    assert (verdict["verdict"], verdict["cause"]) == ("unknown", "generator")
    assert summary["generator"]["workers_lost_count"] == 0


@WORKERS
def test_a_killed_master_leaves_a_readable_run_and_no_load(
    locust: Locust, server: CountingServer, team: tuple[str, ...]
) -> None:
    process = begin(locust, server, *team)
    run = under_way(locust, server)
    workers = [worker.pid for worker in Manifest.read(run.manifest).workers]
    gevent.sleep(1.5)
    process.kill()
    process.wait()
    killed_at = time.time()
    eventually(lambda: not any(map(alive, workers)), 10.0)
    gevent.sleep(1.0)  # what was under way at the server comes to its end
    count = server.served().count
    gevent.sleep(0.5)
    served = server.served()
    assert served.count == count
    lost = served.count - timed_by_kind(run).total()
    assert 0 <= lost <= served.between(killed_at - 2.1, killed_at + 2.0)
    verdict, summary = judged(run)
    assert (verdict["verdict"], verdict["cause"]) == ("unknown", "incomplete")
    assert summary["requests"]["count"] == timed_by_kind(run).total()


@pytest.mark.parametrize("team", [(), ("--processes", "1")], ids=["alone", "1"])
def test_a_run_that_cannot_be_recorded_sends_nothing(
    locust: Locust, server: CountingServer, team: tuple[str, ...]
) -> None:
    port = free_port()
    process = begin(locust, server, *team, "--web-port", str(port), headless=False)
    web, runs, moved = Web(port), locust.folder / "runs", locust.folder / "moved"
    eventually(web.listens, LIMIT_S)
    form = {"user_count": "500", "spawn_rate": "1", "host": server.url}
    eventually(lambda: web.post("/swarm", form)[1]["success"] and any(runs.glob("*/*")), LIMIT_S)
    under_way(locust, server)
    assert web.post("/stop")[0] == 200
    runs.rename(moved)
    runs.touch()  # where no directory can be made
    count = server.served().count
    assert web.post("/swarm", form)[0] == 200
    eventually(lambda: "lonjak: cannot write a run below runs" in locust.stderr)
    gevent.sleep(1.5)
    assert server.served().count == count
    runs.unlink()
    eventually(lambda: web.post("/swarm", form)[1]["success"] and any(runs.glob("*/*")), LIMIT_S)
    eventually(lambda: server.served().count > count, LIMIT_S)
    process.send_signal(signal.SIGINT)
    process.wait(LIMIT_S)
    assert "Traceback" not in locust.stderr
