from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from loadgen.errors import StackMissing
from loadgen.fault_plans import FAULT_KINDS, FaultPlan
from loadgen.faults import FAULTS, check_plans, make_fault
from loadgen.records import Json
from loadgen.stack import read_stack
from tests.engine.dummy_stack import DummyStack, start_sleeper
from tests.engine.faulty_stack import stack_of

PLAN = FaultPlan("kill-worker", 1.0, tier="shop")
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
        make_fault(PLAN, read_stack(stack.path), lambda kind, detail: told.append((kind, detail)))
    keeper.get(timeout=30)
    process = {"fault": "kill-worker", "tier": "shop", "role": "shop-1"}
    assert told == [
        ("fault_started", {**process, "pid": victim}),
        ("fault_ended", {**process, "pid": stack.process.pid}),
    ]


def test_a_stranger_with_the_same_pid_is_left_alone(stack: DummyStack) -> None:
    stack.write(stack.process.pid, start_time=1)
    told: History = []
    make_fault(PLAN, read_stack(stack.path), lambda kind, detail: told.append((kind, detail)))
    assert [kind for kind, _ in told] == ["fault_skipped"]
    assert stack.process.poll() is None


def test_only_the_planned_tier_is_hit(stack: DummyStack) -> None:
    told: History = []
    plan = FaultPlan("kill-worker", 1.0, tier="edge")
    make_fault(plan, read_stack(stack.path), lambda kind, detail: told.append((kind, detail)))
    assert told == [
        ("fault_skipped", {"fault": "kill-worker", "tier": "edge", "reason": "no live process of this tier"})
    ]
    assert stack.process.poll() is None


def test_faults_without_a_known_stack_are_refused_with_the_way_out() -> None:
    with pytest.raises(StackMissing, match=r"--stack FILE.*--no-faults") as refused:
        check_plans((PLAN,), None)
    assert refused.value.exit_code == 4
    check_plans((), None)


def test_every_kind_that_a_scenario_may_name_can_be_made() -> None:
    assert tuple(FAULTS) == FAULT_KINDS


@pytest.mark.parametrize(
    ("kind", "way_out"),
    [
        ("origin-down", "`lonjak shop up --edge nginx --origin-rtt-ms 20`"),
        ("origin-slow", "`lonjak shop up --edge nginx --origin-rtt-ms 20`"),
        ("purge-storm", "`lonjak shop up --edge varnish --purge key`"),
        ("edge-lost", "`lonjak shop up --edge two-tier`"),
        ("edge-reload", "`lonjak shop up --edge nginx`"),
    ],
)
def test_a_fault_that_a_plain_stack_cannot_have_names_the_option_that_brings_it(
    tmp_path: Path, kind: str, way_out: str
) -> None:
    with pytest.raises(StackMissing) as refused:
        check_plans((FaultPlan(kind, 1.0, for_s=1.0),), stack_of(tmp_path))
    [sentence] = str(refused.value).splitlines()
    assert sentence.startswith(f"the scenario's fault {kind} needs ")
    assert way_out in sentence
    assert "--no-faults" in sentence


def test_everything_that_the_stack_lacks_is_said_at_once_and_once(tmp_path: Path) -> None:
    plans = [FaultPlan(kind, 1.0, for_s=1.0) for kind in ("origin-down", "edge-reload", "origin-down")]
    with pytest.raises(StackMissing) as refused:
        check_plans(plans, stack_of(tmp_path))
    assert len(str(refused.value).splitlines()) == 2


def test_a_sleeper_of_the_test_can_be_ended() -> None:
    process = start_sleeper()
    process.kill()
    assert process.wait() == -9
