"""`lonjak shop` and `lonjak doctor` as a shell sees them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reference_shop.stack import ports
from tests.stack.conftest import stack_in

LONJAK = (sys.executable, "-m", "lonjak")


def lonjak(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*LONJAK, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_status_shows_every_process(shared: Path) -> None:
    stack = stack_in(shared)
    ended = lonjak("shop", "status", "--port", str(stack.port))
    lines = ended.stdout.splitlines()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert lines[0].startswith(f"{stack.url}  ready, edge {stack.edge}, 500 products, up 0:")
    assert [line.split()[:2] for line in lines[2:]] == [[p.role, str(p.pid)] for p in stack.processes]


def test_status_for_programs_keeps_the_secret(shared: Path) -> None:
    stack = stack_in(shared)
    ended = lonjak("shop", "status", "--json", "--port", str(stack.port))
    (shown,) = json.loads(ended.stdout)
    assert (shown["url"], len(shown["processes"])) == (stack.url, len(stack.processes))
    assert stack.ops_token not in ended.stdout


@pytest.fixture
def _no_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONJAK_STATE_DIR", str(tmp_path / "state"))


@pytest.mark.usefixtures("_no_stack")
def test_status_without_a_stack_is_one_sentence_and_exit_4() -> None:
    ended = lonjak("shop", "status")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == "lonjak: no shop is running: start one with `lonjak shop up`\n"


@pytest.mark.usefixtures("_no_stack")
def test_down_without_a_stack_is_one_sentence_and_exit_0() -> None:
    ended = lonjak("shop", "down")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "no shop is running\n", "")


def test_up_reports_all_wrong_options_at_once() -> None:
    ended = lonjak("shop", "up", "--workers", "0", "--products", "0", "--edge", "akamai")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        "lonjak: workers is 0: it must be between 1 and 64",
        "products is 0: it must be between 1 and 1000000",
        "edge profile 'akamai' is unknown: choose one of direct, nginx",
    ]


def test_up_on_a_taken_port_names_the_holder_and_starts_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = ports.number_of(taken)
        began = time.monotonic()
        ended = lonjak("shop", "up", "--edge", "direct", "--port", str(port))
    assert (ended.returncode, ended.stdout) == (4, "")
    assert f"port {port} is held by " in ended.stderr
    assert f"(pid {os.getpid()})" in ended.stderr
    assert time.monotonic() - began < 5  # a second, and room for a noisy machine


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is asked for a port that is not for everybody")
def test_up_behind_an_edge_on_a_port_for_root_only_is_refused_at_once() -> None:
    if ports.lowest_for_all() < 8:
        pytest.skip("here every port is for everybody")
    ended = lonjak("shop", "up", "--edge", "nginx", "--port", "7")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == (
        "lonjak: port 7 is reserved for root, and the edge does not run as root: "
        f"choose one above {ports.lowest_for_all() - 1} with --port\n"
    )


def test_ctrl_c_stops_a_stack_in_the_foreground(state_dir: Path) -> None:
    command = [*LONJAK, "shop", "up", "--edge", "direct", "--port", "0", "--products", "50", "--workers", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as shop:
        assert shop.stdout is not None
        url = shop.stdout.readline().strip()
        folder = state_dir / f"stack-{url.rpartition(':')[2]}"
        supervisor = stack_in(folder).supervisor
        shop.send_signal(signal.SIGINT)
        said, _ = shop.communicate(timeout=30)
    assert (shop.returncode, said) == (130, "")
    assert not folder.exists()
    assert not supervisor.alive


def test_a_detached_stack_stays_until_down() -> None:
    up = lonjak("shop", "up", "--edge", "direct", "--port", "0", "--products", "50", "--workers", "1", "--detach")
    assert up.returncode == 0, up.stderr
    port = up.stdout.strip().rpartition(":")[2]
    assert lonjak("shop", "status", "--port", port).returncode == 0
    down = lonjak("shop", "down", "--port", port)
    assert (down.returncode, down.stdout) == (0, f"the stack on port {port} is stopped\n")
    assert lonjak("shop", "status", "--port", port).returncode == 4


def test_doctor_says_that_the_demo_can_run_here() -> None:
    ended = lonjak("doctor", "--json")
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["able"]) == (0, True)
    assert {"Python", "PostgreSQL", "nginx", "port", "loopback"} <= {finding["name"] for finding in found["findings"]}
    assert [finding for finding in found["findings"] if not finding["present"] and not finding["fix"]] == []
