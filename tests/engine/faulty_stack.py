"""What faults are made in: a stack of no processes but those a test names, a clock that a test moves, told events."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadgen.fault_plans import FaultPlan
from loadgen.faults import make_fault
from loadgen.faults.fault import Timer
from loadgen.records import Json
from loadgen.stack import Stack

History = list[tuple[str, dict[str, Json]]]
STARTS_AT = 1_795_000_000.0


@dataclass
class Clock:
    """Stands until somebody sleeps; `meanwhile` is then called with the seconds since the start, before they pass."""

    meanwhile: Callable[[float], object] = lambda _elapsed_s: None
    elapsed_s: float = 0.0
    naps: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.meanwhile(self.elapsed_s)
        self.elapsed_s += seconds

    @property
    def timer(self) -> Timer:
        return Timer(lambda: STARTS_AT + self.elapsed_s, self.sleep)


def stack_of(folder: Path, **more: Any) -> Stack:
    values: dict[str, Any] = {
        "path": folder / "stack.json",
        "state": "ready",
        "url": "http://127.0.0.1:8080",
        "edge": "nginx",
        "ops_url": None,
        "ops_token": None,
        "cpu_sets": {},
        "access_logs": (),
        "processes": (),
        "supervisor_pid": None,
        "supervisor_start_time": None,
    }
    return Stack(**{**values, **more})


def made(plan: FaultPlan, stack: Stack, clock: Clock) -> History:
    """What the fault told, from its beginning to its end."""
    told: History = []
    make_fault(plan, stack, lambda kind, detail: told.append((kind, detail)), clock.timer)
    return told


class Cut(BaseException):
    """A run that ends early kills its greenlets; so a fault sees an exception that is no Exception."""


def cut(_elapsed_s: float) -> None:
    raise Cut
