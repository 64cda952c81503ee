from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from loadgen.config import FaultPlan
from loadgen.errors import StackMissing
from loadgen.faults import check_plans, kill_worker
from loadgen.records import Json
from loadgen.stack import read_stack
from tests.engine.dummy_stack import DummyStack, start_sleeper

PLAN = FaultPlan("kill-worker", "shop", 1.0)
History = list[tuple[str, dict[str, Json]]]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[DummyStack]:
    running = DummyStack(tmp_path)
    yield running
    running.end()


def test_a_killed_worker_is_told_and_so_is_its_successor(stack: DummyStack) -> None:
    victim = stack.process.pid
    told: History = []
    keeper = gevent.spawn(stack.replace_when_killed)
    with gevent.Timeout(10):
        kill_worker(PLAN, read_stack(stack.path), lambda kind, detail: told.append((kind, detail)))
    keeper.get(timeout=1)
    process = {"fault": "kill-worker", "tier": "shop", "role": "shop-1"}
    assert told == [
        ("fault_started", {**process, "pid": victim}),
        ("fault_ended", {**process, "pid": stack.process.pid}),
    ]


def test_a_stranger_with_the_same_pid_is_left_alone(stack: DummyStack) -> None:
    stack.write(stack.process.pid, start_time=1)
    told: History = []
    kill_worker(PLAN, read_stack(stack.path), lambda kind, detail: told.append((kind, detail)))
    assert [kind for kind, _ in told] == ["fault_skipped"]
    assert stack.process.poll() is None


def test_only_the_planned_tier_is_hit(stack: DummyStack) -> None:
    told: History = []
    kill_worker(
        FaultPlan("kill-worker", "edge", 1.0), read_stack(stack.path), lambda kind, detail: told.append((kind, detail))
    )
    assert told == [
        ("fault_skipped", {"fault": "kill-worker", "tier": "edge", "reason": "no live process of this tier"})
    ]
    assert stack.process.poll() is None


def test_faults_without_a_known_stack_are_refused_with_the_way_out() -> None:
    with pytest.raises(StackMissing, match=r"--stack FILE.*--no-faults") as refused:
        check_plans((PLAN,), None)
    assert refused.value.exit_code == 4
    check_plans((), None)


def test_a_sleeper_of_the_test_can_be_ended() -> None:
    process = start_sleeper()
    process.kill()
    assert process.wait() == -9
