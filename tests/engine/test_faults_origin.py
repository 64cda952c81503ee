"""The link between edge and origin: cut and slowed down for a while, and as it was afterwards."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import gevent
import pytest
import requests

from loadgen.fault_plans import FaultPlan
from loadgen.faults import check_plans, make_fault
from loadgen.stack import OriginLink
from tests.engine.counting_server import counting_server
from tests.engine.faulty_stack import STARTS_AT, Clock, Cut, cut, made, stack_of
from tests.engine.scripted_shop import eventually

DOWN = FaultPlan("origin-down", 1.0, for_s=30.0)
SLOW = FaultPlan("origin-slow", 1.0, for_s=30.0, delay_ms=400.0)


@pytest.fixture
def control(tmp_path: Path) -> Path:
    return tmp_path / "control.json"


def orders_in(control: Path) -> object:
    return json.loads(control.read_text()) if control.exists() else {}


@pytest.mark.parametrize(
    ("plan", "parameters", "orders"),
    [
        (DOWN, {"for_s": 30.0}, {"down_until": STARTS_AT + 30.0}),
        (SLOW, {"delay_ms": 400.0, "for_s": 30.0}, {"delay_ms": 400.0, "delay_until": STARTS_AT + 30.0}),
    ],
)
def test_an_order_stands_for_its_time_names_its_end_and_is_gone_then(
    control: Path, plan: FaultPlan, parameters: dict[str, float], orders: dict[str, float]
) -> None:
    seen: list[object] = []
    clock = Clock(lambda _elapsed_s: seen.append(orders_in(control)))
    stack = stack_of(control.parent, origin_link=OriginLink(control, 20.0))
    check_plans((plan,), stack)
    detail = {"fault": plan.kind, **parameters}
    assert made(plan, stack, clock) == [("fault_started", detail), ("fault_ended", detail)]
    assert (seen, clock.elapsed_s) == ([orders], 30.0)
    assert orders_in(control) == {}


@pytest.mark.parametrize("plan", [DOWN, SLOW])
def test_a_run_that_ends_early_takes_its_order_back_and_says_so(control: Path, plan: FaultPlan) -> None:
    stack = stack_of(control.parent, origin_link=OriginLink(control, 20.0))
    told: list[str] = []
    with pytest.raises(Cut):
        make_fault(plan, stack, lambda kind, _detail: told.append(kind), Clock(cut).timer)
    assert orders_in(control) == {}
    assert told == ["fault_started", "fault_ended"]


def test_two_faults_of_one_link_leave_each_others_orders_alone(control: Path) -> None:
    stack = stack_of(control.parent, origin_link=OriginLink(control, 20.0))
    seen: list[object] = []

    def both(_elapsed_s: float) -> None:
        made(DOWN, stack, Clock(lambda _: seen.append(orders_in(control))))
        seen.append(orders_in(control))

    made(SLOW, stack, Clock(both))
    slow = {"delay_ms": 400.0, "delay_until": STARTS_AT + 30.0}
    assert seen == [slow | {"down_until": STARTS_AT + 30.0}, slow]
    assert orders_in(control) == {}


def test_a_control_file_that_cannot_be_written_breaks_nothing_and_tells_no_start(tmp_path: Path) -> None:
    stack = stack_of(tmp_path, origin_link=OriginLink(tmp_path / "gone" / "control.json", 20.0))
    told: list[str] = []
    with pytest.raises(OSError, match="gone"):
        make_fault(DOWN, stack, lambda kind, _detail: told.append(kind), Clock().timer)
    assert told == []


@dataclass(frozen=True, slots=True)
class Way:
    """A running link to an origin."""

    url: str
    control: Path

    @property
    def is_cut(self) -> bool:
        """Whether who asks is hung up on."""
        try:
            self.ask()
        except requests.ConnectionError:
            return True
        return False

    def ask(self) -> float:
        """How long the origin takes, in seconds, over a connection of its own."""
        start = time.monotonic()
        assert requests.get(self.url, timeout=30).status_code == 200
        return time.monotonic() - start


@pytest.fixture
def way(control: Path) -> Iterator[Way]:
    with counting_server() as origin, ExitStack() as cleanup:
        entrance = cleanup.enter_context(socket.create_server(("127.0.0.1", 0)))
        announced, announce = os.pipe()
        settings = {
            "listen_fd": entrance.fileno(),
            "host": "127.0.0.1",
            "port": int(origin.url.rpartition(":")[2]),
            "delay_ms": 0,
            "control": str(control),
            "ready_fd": announce,
        }
        process = subprocess.Popen(
            (sys.executable, "-P", "-m", "reference_shop.throttles"),
            stdin=subprocess.PIPE,
            pass_fds=(entrance.fileno(), announce),
        )
        cleanup.callback(process.wait)
        cleanup.callback(process.kill)
        os.close(announce)
        assert process.stdin is not None
        process.stdin.write(json.dumps(settings).encode())
        process.stdin.close()
        assert os.read(announced, 1) == b"1"
        os.close(announced)
        yield Way(f"http://127.0.0.1:{entrance.getsockname()[1]}", control)


def begun(plan: FaultPlan, way: Way) -> gevent.Greenlet:
    stack = stack_of(way.control.parent, origin_link=OriginLink(way.control, 0.0))
    return gevent.spawn(make_fault, plan, stack, lambda _kind, _detail: None)


def test_a_real_link_is_cut_and_is_there_again_when_its_time_is_over(way: Way) -> None:
    way.ask()
    fault = begun(FaultPlan("origin-down", 0.0, for_s=3.0), way)
    eventually(lambda: way.is_cut)
    fault.get(timeout=30)
    eventually(lambda: not way.is_cut)


def test_a_real_link_is_slow_and_as_fast_as_ever_once_the_run_has_ended_early(way: Way) -> None:
    fault = begun(FaultPlan("origin-slow", 0.0, for_s=60.0, delay_ms=400.0), way)
    eventually(lambda: min(way.ask() for _ in range(3)) >= 0.4)
    fault.kill()
    eventually(lambda: way.ask() < 0.2)


def test_an_engine_that_was_killed_leaves_a_link_that_mends_itself(way: Way) -> None:
    way.control.write_text(json.dumps({"down_until": time.time() + 3.0}))  # what the fault wrote, and nobody takes back
    eventually(lambda: way.is_cut)
    eventually(lambda: not way.is_cut)
