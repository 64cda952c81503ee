"""What every fault is made of: how it is made, what it needs of the stack, how it is told, and a clock."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import gevent

from loadgen.fault_plans import FaultPlan
from loadgen.records import Json
from loadgen.stack import Stack

Detail = dict[str, Json]
Tell = Callable[[str, Detail], None]


@dataclass(frozen=True, slots=True)
class Timer:
    """Seconds since the epoch, and how to let some pass."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], object] = gevent.sleep


REAL = Timer()


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault.

    `make` breaks something, tells of it, and returns when it is whole again; ended early (GreenletExit, any error), it
    mends what it broke. `lack` says what the stack has not that it needs, and which option brings it; empty if nothing.
    """

    make: Callable[[FaultPlan, Stack, Tell, Timer], None]
    lack: Callable[[FaultPlan, Stack], str]


@contextmanager
def told(plan: FaultPlan, tell: Tell) -> Iterator[Detail]:
    """Tell that the fault has begun, and that it has ended, however it does, with what was put into the detail."""
    detail: Detail = {"fault": plan.kind, **plan.parameters}
    tell("fault_started", dict(detail))
    try:
        yield detail
    finally:
        tell("fault_ended", detail)
