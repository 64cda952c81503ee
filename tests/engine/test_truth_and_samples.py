import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadgen.errors import EnvironmentProblem
from loadgen.records import ORIGIN_COLUMNS, read_rows
from loadgen.rundir import RunDirectory
from loadgen.sampler import CpuMeter, Sampler, accept_queues, family_cpu_seconds
from loadgen.stack import AccessLog, Stack, StackProcess, start_time_of
from loadgen.truth import fetch_truth, log_sizes, write_origin
from tests.engine.prompt_server import PromptServer

LINES = ['{"type":"order","order_id":1}', '{"type":"end","lines":1,"at":5.0}']


@contextmanager
def ops(lines: list[str], status: str = "200 OK", *later: list[str]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Answers with `lines`, then with each of `later`, and from then on with the last."""
    asked: list[dict[str, Any]] = []
    answers = [lines, *later]

    def serve(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        asked.append({"query": environ["QUERY_STRING"], "token": environ.get("HTTP_AUTHORIZATION")})
        start_response(status, [("Content-Type", "application/jsonl")])
        now = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(line + "\n").encode() for line in now]

    server = PromptServer(("127.0.0.1", 0), serve, log=None, error_log=None)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/ops/truth", asked
    finally:
        server.stop(timeout=0)


def stack(ops_url: str | None = None, logs: tuple[AccessLog, ...] = ()) -> Stack:
    return Stack(Path("stack.json"), "ready", "http://127.0.0.1:1", "nginx", ops_url, "token", {}, logs, (), None, None)


def test_the_truth_is_what_the_shop_says(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    with ops(LINES) as (url, asked):
        fetch_truth(run, stack(url), 1000.25)
    assert run.truth.read_text().splitlines() == LINES
    assert asked == [{"query": "since=1000.250000", "token": "Bearer token"}]


@pytest.mark.parametrize(
    ("lines", "status", "sentence"),
    [
        (LINES[:1], "200 OK", "stopped in the middle"),
        ([], "200 OK", "stopped in the middle"),
        (["not json"], "200 OK", "was not fetched"),
        (LINES, "403 Forbidden", "answered 403"),
    ],
)
def test_half_a_truth_is_none(tmp_path: Path, lines: list[str], status: str, sentence: str) -> None:
    run = RunDirectory(tmp_path)
    with ops(lines, status) as (url, _), pytest.raises(EnvironmentProblem, match=sentence):
        fetch_truth(run, stack(url), 1000.0)
    assert list(tmp_path.iterdir()) == []


def open_orders(count: int) -> list[str]:
    return [f'{{"type":"end","lines":0,"at":5.0,"pending_count":{count}}}']


class Waiting:
    """A clock that only pauses move on."""

    now_s = 0.0

    def clock(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.now_s += seconds


def test_the_truth_waits_for_orders_that_are_still_open(tmp_path: Path) -> None:
    run, waiting = RunDirectory(tmp_path), Waiting()
    with ops(open_orders(2), "200 OK", open_orders(1), open_orders(0)) as (url, asked):
        fetch_truth(run, stack(url), 1000.0, settle_s=20.0, pause=waiting.pause, clock=waiting.clock)
    assert (len(asked), waiting.now_s) == (3, 2.0)
    assert run.truth.read_text().splitlines() == open_orders(0)


def test_orders_that_stay_open_are_told_as_they_are(tmp_path: Path) -> None:
    run, waiting = RunDirectory(tmp_path), Waiting()
    with ops(open_orders(2)) as (url, asked):
        fetch_truth(run, stack(url), 1000.0, settle_s=20.0, pause=waiting.pause, clock=waiting.clock)
    assert (len(asked), waiting.now_s) == (21, 20.0)
    assert run.truth.read_text().splitlines() == open_orders(2)


def test_nobody_waits_for_the_truth_of_an_interrupted_run(tmp_path: Path) -> None:
    with ops(open_orders(2)) as (url, asked):
        fetch_truth(RunDirectory(tmp_path), stack(url), 1000.0)
    assert len(asked) == 1


def test_a_shop_that_goes_while_orders_are_open_leaves_what_it_has_told(tmp_path: Path) -> None:
    run, waiting = RunDirectory(tmp_path), Waiting()
    with ops(open_orders(2), "200 OK", ["not json"]) as (url, _):
        fetch_truth(run, stack(url), 1000.0, settle_s=20.0, pause=waiting.pause, clock=waiting.clock)
    assert run.truth.read_text().splitlines() == open_orders(2)
    assert [path.name for path in tmp_path.iterdir()] == ["truth.jsonl"]


def test_a_shop_that_is_gone_tells_nothing(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="was not fetched"):
        fetch_truth(RunDirectory(tmp_path), stack("http://127.0.0.1:1/ops/truth"), 1000.0)


def test_only_what_was_logged_during_the_run_is_counted(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    line = {"at": 1001.5, "kind": "product", "status": 200, "bytes": 700, "cache": "HIT", "duration_s": 0.01}
    log.write_text(json.dumps({**line, "bytes": 1}) + "\n")
    logged = stack(logs=(AccessLog("edge", log), AccessLog("shop", tmp_path / "absent.log")))
    sizes = log_sizes(logged)
    with log.open("a") as file:
        file.write(json.dumps(line) + "\n" + json.dumps({**line, "at": 900.0}) + "\n")
    run = RunDirectory(tmp_path)
    problems = write_origin(run, logged, sizes, 1000.0, 1010.0)
    assert problems == [f"the access log {tmp_path / 'absent.log'} was not read: No such file or directory"]
    [row] = read_rows(run.origin, ORIGIN_COLUMNS)
    assert list(row.values()) == ["1", "edge", "product", "hit", "1", "700"]


def test_a_busy_process_uses_its_core() -> None:
    now = [0.0]
    meter = CpuMeter(os.getpid(), clock=lambda: now[0])
    assert meter.ratio() is None
    before = time.process_time()
    while time.process_time() - before < 0.2:
        pass
    now[0] = 0.4
    assert meter.ratio() == pytest.approx(0.5, abs=0.1)


def test_the_work_of_children_is_the_process_s_own() -> None:
    now = [0.0]
    meter = CpuMeter(os.getpid(), clock=lambda: now[0], used=family_cpu_seconds)
    assert meter.ratio() is None
    work = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        now[0] = 1.0
        while_it_lives = meter.ratio()
        child.communicate(b"\n")
    now[0] = 2.0
    assert while_it_lives is not None
    assert while_it_lives >= 0.45
    assert meter.ratio() == pytest.approx(0, abs=0.2)  # its end changes nothing


def test_a_process_that_is_gone_has_no_sample() -> None:
    me = StackProcess("shop-1", "shop", os.getpid(), start_time_of(os.getpid()) or 0, None, (), ready=True)
    gone = StackProcess("shop-2", "shop", os.getpid(), 1, None, (), ready=True)
    sampler = Sampler()
    assert list(sampler.sample(0, [me, gone])) == []
    with socket.create_server(("127.0.0.1", 0)):
        [sample] = sampler.sample(1, [me, gone])
    assert (sample.role, sample.elapsed_s, sample.pid) == ("shop-1", 1, os.getpid())
    assert sample.connection_count >= 1
    assert sample.memory_bytes > 1 << 20


def test_connections_that_nobody_accepts_queue_up() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=8) as server:
        port = server.getsockname()[1]
        waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        assert accept_queues()[port] == 3
        for connection in waiting:
            connection.close()
