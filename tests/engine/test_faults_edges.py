"""A point of presence that is lost for a while, and edges that read their configuration again and again."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadgen.errors import StackMissing
from loadgen.fault_plans import FaultPlan
from loadgen.faults import check_plans, make_fault
from loadgen.stack import StackProcess, read_stack, start_time_of
from tests.engine.dummy_stack import start_sleeper
from tests.engine.faulty_stack import STARTS_AT, Clock, Cut, History, cut, made

LOST = FaultPlan("edge-lost", 1.0, for_s=20.0)
ROLES = (("shop-1", "shop"), ("edge-pop-1", "edge"), ("edge-pop-2", "edge"), ("edge-shield", "shield"))


class TwoTier:
    """A stack.json as of two points of presence; a sleeper stands for `edge-pop-2`, this process for the rest."""

    def __init__(
        self, folder: Path, reload: list[str] | None = None, roles: tuple[tuple[str, str], ...] = ROLES
    ) -> None:
        self.holds = folder / "holds"
        self.holds.mkdir()
        self.path = folder / "stack.json"
        self.lost = start_sleeper()
        self._roles = roles
        self._reload = reload
        self.write()

    def write(self, **stack: Any) -> None:
        processes = []
        for role, tier in self._roles:
            pid = self.lost.pid if role == "edge-pop-2" else os.getpid()
            process = {"role": role, "tier": tier, "pid": pid, "start_time": start_time_of(pid) or 0, "port": None}
            processes.append(process | ({"reload": self._reload} if tier == "edge" and self._reload else {}))
        document = {"schema_version": 1, "url": "http://127.0.0.1:1", "processes": processes, "holds": str(self.holds)}
        self.path.write_text(json.dumps(document | stack))

    def restart_lost(self) -> None:
        assert self.lost.wait() == -9
        self.lost = start_sleeper()
        self.write()

    def end(self) -> None:
        self.lost.kill()
        self.lost.wait()


@pytest.fixture
def two_tier(tmp_path: Path) -> Iterator[TwoTier]:
    running = TwoTier(tmp_path)
    yield running
    running.end()


def test_the_last_point_of_presence_is_held_killed_and_awaited(two_tier: TwoTier) -> None:
    lost_pid = two_tier.lost.pid
    seen: list[object] = []

    def meanwhile(elapsed_s: float) -> None:
        hold = two_tier.holds / "edge-pop-2"
        if elapsed_s < 20.0:
            seen.append((float(hold.read_text()), two_tier.lost.wait(5)))
        elif elapsed_s < 20.15:  # the first looks after it find nobody
            seen.append(hold.exists())
        elif two_tier.lost.pid == lost_pid:
            two_tier.restart_lost()

    told = made(LOST, read_stack(two_tier.path), Clock(meanwhile))
    detail = {"fault": "edge-lost", "role": "edge-pop-2", "for_s": 20.0}
    assert told == [
        ("fault_started", detail | {"pid": lost_pid}),
        ("fault_ended", detail | {"pid": two_tier.lost.pid}),
    ]
    assert seen == [(STARTS_AT + 20.0, -9), False, False]


def test_the_hold_stands_before_the_process_falls_so_that_nobody_restarts_it_meanwhile(two_tier: TwoTier) -> None:
    held: list[bool] = []

    def tell(kind: str, _detail: object) -> None:
        held.append((two_tier.holds / "edge-pop-2").exists() and two_tier.lost.poll() is None)

    with pytest.raises(Cut):
        make_fault(LOST, read_stack(two_tier.path), tell, Clock(cut).timer)
    assert held == [True]


def test_a_long_loss_renews_its_hold_and_the_hold_always_names_its_end(two_tier: TwoTier) -> None:
    plan = replace(LOST, for_s=300.0)
    holds: list[float] = []
    killed_pid = two_tier.lost.pid

    def meanwhile(elapsed_s: float) -> None:
        hold = two_tier.holds / "edge-pop-2"
        if elapsed_s < 300.0:
            holds.append(float(hold.read_text()))
            hold.write_text("renewed?")
        elif two_tier.lost.pid == killed_pid:
            two_tier.restart_lost()

    clock = Clock(meanwhile)
    made(plan, read_stack(two_tier.path), clock)
    assert holds == [STARTS_AT + 300.0] * 3
    assert clock.naps[:3] == [120.0, 120.0, 60.0]


def test_a_run_that_ends_early_takes_the_hold_away(two_tier: TwoTier) -> None:
    told: list[str] = []
    with pytest.raises(Cut):
        make_fault(LOST, read_stack(two_tier.path), lambda kind, _detail: told.append(kind), Clock(cut).timer)
    assert list(two_tier.holds.iterdir()) == []
    assert told == ["fault_started"]  # it was not seen to be ready again
    assert two_tier.lost.wait(5) == -9


def test_a_named_role_is_lost_instead_and_one_that_is_not_there_is_refused_before(two_tier: TwoTier) -> None:
    stack = read_stack(two_tier.path)
    check_plans((LOST, replace(LOST, role="edge-shield")), stack)
    with pytest.raises(
        StackMissing, match="edge-pop-7, but the stack has edge-pop-1, edge-pop-2, edge-shield: name one"
    ):
        check_plans((replace(LOST, role="edge-pop-7"),), stack)


def test_what_stands_beside_an_edge_is_not_taken_for_it(tmp_path: Path) -> None:
    beside = (("edge-pop-2", "edge"), ("edge-throttle", "edge"), ("edge-pop-log", "edge"))
    two_tier = TwoTier(tmp_path, roles=beside)
    told: History = []
    try:
        with pytest.raises(Cut):
            make_fault(LOST, read_stack(two_tier.path), lambda *event: told.append(event), Clock(cut).timer)
    finally:
        two_tier.end()
    assert [detail["role"] for _, detail in told] == ["edge-pop-2"]


def test_a_stranger_with_the_same_pid_is_left_alone(two_tier: TwoTier) -> None:
    stack = read_stack(two_tier.path)
    document = json.loads(two_tier.path.read_text())
    for process in document["processes"]:
        process["start_time"] = 1
    two_tier.path.write_text(json.dumps(document))
    told = made(LOST, stack, Clock())
    assert [kind for kind, _ in told] == ["fault_skipped"]
    assert two_tier.lost.poll() is None
    assert list(two_tier.holds.iterdir()) == []


RELOAD = FaultPlan("edge-reload", 1.0, for_s=10.0, every_s=4.0)


def reloading(folder: Path, code: str) -> TwoTier:
    return TwoTier(folder, reload=[sys.executable, "-c", code, str(folder / "reloads")])


NOTE = "import sys; open(sys.argv[1], 'a').write('x'); print('loud')"


def test_every_edge_is_reloaded_at_once_and_then_every_so_often(tmp_path: Path) -> None:
    two_tier = reloading(tmp_path, NOTE)
    try:
        stack = read_stack(two_tier.path)
        check_plans((RELOAD,), stack)
        clock = Clock()
        told = made(RELOAD, stack, clock)
    finally:
        two_tier.end()
    detail = {"fault": "edge-reload", "every_s": 4.0, "for_s": 10.0}
    assert told == [
        ("fault_started", detail),
        ("fault_ended", detail | {"reload_count": 6, "failed_count": 0}),
    ]
    assert (tmp_path / "reloads").read_text() == "x" * 6  # two edges at 0, 4 and 8 s, and no more
    assert clock.naps == [4.0, 4.0, 2.0]


def test_a_reload_that_fails_is_told_with_its_role_and_the_others_go_on(tmp_path: Path) -> None:
    two_tier = reloading(tmp_path, "import sys; sys.exit(3)")
    try:
        told = made(replace(RELOAD, for_s=1.0), read_stack(two_tier.path), Clock())
    finally:
        two_tier.end()
    _, (_, detail) = told
    assert (detail["reload_count"], detail["failed_count"]) == (2, 2)
    assert detail["failures"] == ["edge-pop-1: exit code 3", "edge-pop-2: exit code 3"]


def test_a_reload_that_cannot_be_run_is_told_too(tmp_path: Path) -> None:
    two_tier = TwoTier(tmp_path, reload=[str(tmp_path / "no-such-program")])
    try:
        told = made(replace(RELOAD, for_s=1.0), read_stack(two_tier.path), Clock())
    finally:
        two_tier.end()
    assert told[-1][1]["failures"] == [f"edge-pop-{n}: cannot be run: No such file or directory" for n in (1, 2)]


def test_reloads_end_with_the_run_even_in_the_middle_of_one(tmp_path: Path) -> None:
    two_tier = reloading(tmp_path, f"{NOTE}; import time; sys.stdout.close(); time.sleep(60)")
    told: list[str] = []
    try:
        fault = gevent.spawn(make_fault, RELOAD, read_stack(two_tier.path), lambda kind, _detail: told.append(kind))
        with gevent.Timeout(10):
            while not (tmp_path / "reloads").exists():
                gevent.sleep(0.02)
        fault.kill(timeout=5)
        assert fault.dead
        gevent.sleep(0.3)
        assert (tmp_path / "reloads").read_text() == "x"
    finally:
        two_tier.end()
    assert told == ["fault_started", "fault_ended"]


def test_a_process_of_the_stack_is_not_reloaded_once_it_is_gone(tmp_path: Path) -> None:
    two_tier = reloading(tmp_path, NOTE)
    stack = read_stack(two_tier.path)
    assert isinstance(stack.processes[0], StackProcess)
    two_tier.end()
    made(replace(RELOAD, for_s=1.0), stack, Clock())
    assert (tmp_path / "reloads").read_text() == "x"  # edge-pop-1 alone
