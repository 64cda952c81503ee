"""A whole stack, for real: what it says of itself, and what it does when its processes die."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import requests

from reference_shop.edges import programs
from reference_shop.stack import client
from reference_shop.stack.document import ProcessRecord
from reference_shop.stack.problems import PortHeld
from tests.stack.conftest import CPU, eventually, port_of, silent, small, stack_in


def process(folder: Path, role: str) -> ProcessRecord:
    return next(record for record in stack_in(folder).processes if record.role == role)


def restarted(folder: Path, role: str, before: ProcessRecord) -> Callable[[], bool]:
    def look() -> bool:
        now = process(folder, role)
        return now.pid != before.pid and now.ready

    return look


def kill_and_await_restart(folder: Path, role: str) -> tuple[ProcessRecord, ProcessRecord]:
    before = process(folder, role)
    os.kill(before.pid, signal.SIGKILL)
    eventually(restarted(folder, role, before))
    return before, process(folder, role)


def test_a_stack_is_ready_when_all_of_its_processes_are(shared: Path) -> None:
    stack = stack_in(shared)
    assert stack.state == "ready"
    tiers = ["database", "payment", "shop", "shop", *(["edge"] if stack.edge == "nginx" else [])]
    assert [record.tier for record in stack.processes] == tiers
    assert all(record.ready and record.identity.alive for record in stack.processes)


def test_the_shop_answers_at_the_url(shared: Path) -> None:
    answer = requests.get(stack_in(shared).url, timeout=10)
    assert (answer.status_code, answer.headers["X-Page-Kind"]) == (200, "home")


def test_only_its_owner_can_read_the_document(shared: Path) -> None:
    assert (shared / "stack.json").stat().st_mode & 0o777 == 0o600


def test_no_process_of_the_stack_runs_as_root(shared: Path) -> None:
    assert [r.role for r in stack_in(shared).processes if psutil.Process(r.pid).uids().effective == 0] == []


def test_every_process_runs_on_the_cpu_set_of_the_stack(shared: Path) -> None:
    for record in stack_in(shared).processes:
        assert (record.cpu_set, os.sched_getaffinity(record.pid)) == ((CPU,), {CPU})


def test_only_loopback_is_listened_on(shared: Path) -> None:
    family = [psutil.Process(stack_in(shared).supervisor.pid)]
    family += family[0].children(recursive=True)
    listening = {c.laddr.ip for p in family for c in p.net_connections() if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_no_secret_is_on_a_command_line(shared: Path) -> None:
    stack = stack_in(shared)
    lines = [" ".join(psutil.Process(record.pid).cmdline()) for record in stack.processes]
    assert [line for line in lines if stack.ops_token in line or "postgresql://" in line] == []


def test_a_killed_shop_worker_is_soon_ready_again_and_the_shop_never_stops_answering(shared: Path) -> None:
    url = stack_in(shared).url
    before = process(shared, "shop-1")
    os.kill(before.pid, signal.SIGKILL)
    back = restarted(shared, "shop-1", before)

    def answers_until_back() -> bool:
        assert requests.get(url + "/cart", timeout=10).status_code == 200
        return back()

    eventually(answers_until_back)
    assert process(shared, "shop-1").restart_count == before.restart_count + 1


def test_a_killed_database_is_started_again_with_its_data(shared: Path) -> None:
    before, after = kill_and_await_restart(shared, "database")
    assert after.port == before.port
    eventually(lambda: requests.get(stack_in(shared).url + "/readyz", timeout=10).status_code == 200)


@pytest.mark.skipif(programs.find("nginx") is None, reason="nginx is not installed")
def test_a_killed_edge_comes_back_and_leaves_no_worker_behind(shared: Path) -> None:
    workers = psutil.Process(process(shared, "edge").pid).children(recursive=True)
    kill_and_await_restart(shared, "edge")
    assert workers
    eventually(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))
    assert requests.get(stack_in(shared).url, timeout=10).status_code == 200


@pytest.mark.skipif(programs.find("nginx") is None, reason="nginx is not installed")
def test_the_second_request_for_a_page_is_a_hit_at_the_edge(shared: Path) -> None:
    url = stack_in(shared).url + "/product/17"
    statuses = [requests.get(url, timeout=10).headers["Cache-Status"] for _ in range(2)]
    assert statuses == ["lonjak-nginx; fwd=uri-miss; stored", "lonjak-nginx; hit"]


@pytest.mark.skipif(programs.find("nginx") is None, reason="nginx is not installed")
def test_the_truth_is_told_behind_the_edge_only(shared: Path) -> None:
    stack = stack_in(shared)
    headers = {"Authorization": f"Bearer {stack.ops_token}"}
    through = requests.get(stack.url + "/ops/truth", params={"since": 0}, headers=headers, timeout=10)
    behind = requests.get(stack.ops_url, params={"since": 0}, headers=headers, timeout=10)
    assert (through.status_code, behind.status_code) == (404, 200)


def test_a_second_stack_on_the_port_is_refused_and_the_holder_named(shared: Path) -> None:
    stack = stack_in(shared)
    with pytest.raises(PortHeld) as caught:
        client.start(small(port=stack.port), silent)
    pids = [stack.supervisor.pid, *(record.pid for record in stack.processes)]
    pids += [child.pid for pid in pids for child in psutil.Process(pid).children()]
    assert str(caught.value).startswith(f"port {port_of(shared)} is held by ")
    assert any(f"(pid {pid})" in str(caught.value) for pid in pids)
