"""`edge-reload`: every edge process reads its configuration again, time after time; ended with the last of them."""

import subprocess
from dataclasses import dataclass, field

from loadgen.fault_plans import FaultPlan
from loadgen.faults.fault import Detail, Fault, Tell, Timer, told
from loadgen.stack import Stack, StackProcess, read_stack

_LIMIT_S = 10.0
_TOLD_AT_MOST = 5


@dataclass(slots=True)
class _Reloads:
    """What was done so far."""

    count: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, process: StackProcess) -> None:
        """Have one process reload."""
        self.count += 1
        if failure := _reload(process.reload or ()):
            self.failures.append(f"{process.role}: {failure}")

    @property
    def detail(self) -> Detail:
        """As the run's history tells it."""
        told_failures: Detail = {"failures": list(self.failures[:_TOLD_AT_MOST])} if self.failures else {}
        return {"reload_count": self.count, "failed_count": len(self.failures), **told_failures}


def _make(plan: FaultPlan, stack: Stack, tell: Tell, timer: Timer) -> None:
    reloads, due_at = _Reloads(), timer.now()
    ends_at = due_at + plan.for_s
    with told(plan, tell) as detail:
        while timer.now() < ends_at:
            for process in _reloadable(read_stack(stack.path)):
                reloads.add(process)
                detail.update(reloads.detail)
            due_at = max(due_at + plan.every_s, timer.now())  # reloads that take longer are not caught up with
            timer.sleep(max(0.0, min(due_at, ends_at) - timer.now()))


def _reload(command: tuple[str, ...]) -> str:
    """Why a reload failed, empty when it did not; what it says goes nowhere."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not done within {_LIMIT_S:g} s"
    except OSError as error:
        return f"cannot be run: {error.strerror}"
    return f"exit code {done.returncode}" if done.returncode else ""


def _reloadable(stack: Stack) -> list[StackProcess]:
    return [process for process in stack.processes if process.reload and process.alive]


def _lack(_plan: FaultPlan, stack: Stack) -> str:
    if any(process.reload for process in stack.processes):
        return ""
    return "needs an edge that can be reloaded: start the shop with `lonjak shop up --edge nginx`"


EDGE_RELOAD = Fault(_make, _lack)
