"""`edge-lost`: one point of presence is killed and stays away; ended when its role is ready again.

A hold keeps the supervisor from starting it before its time. It names the instant at which it ends by itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from loadgen.fault_plans import FaultPlan
from loadgen.faults.fault import Detail, Fault, Tell, Timer
from loadgen.faults.files import replace_text
from loadgen.faults.processes import kill, wait_for_successor
from loadgen.stack import Stack, StackProcess, read_stack

_TIERS = ("edge", "shield", "front")
_NO_CACHE = ("-log", "-throttle")  # processes of these tiers that stand beside the way of a request
_RENEW_EVERY_S = 120.0  # the supervisor takes a hold that nobody has renewed for long for a forgotten one


def _make(plan: FaultPlan, stack: Stack, tell: Tell, timer: Timer) -> None:
    victim = _victim(plan, read_stack(stack.path))
    if victim is None or stack.holds is None or not victim.alive:
        tell("fault_skipped", {"fault": plan.kind, **plan.parameters, "reason": "no live process of this role"})
        return
    detail: Detail = {"fault": plan.kind, "role": victim.role, "for_s": plan.for_s}
    with _held(stack.holds / victim.role, timer.now() + plan.for_s) as hold:
        tell("fault_started", detail | {"pid": victim.pid})
        kill(victim)
        _stay_away(hold, timer)
    successor = wait_for_successor(stack, victim, timer)
    tell("fault_ended", detail | {"pid": successor.pid})


@dataclass(frozen=True, slots=True)
class _Hold:
    """A file that keeps a role from being filled before an instant."""

    path: Path
    until: float

    def write(self) -> None:
        """Have it hold from now on."""
        replace_text(self.path, f"{self.until:.3f}")


@contextmanager
def _held(path: Path, until: float) -> Iterator[_Hold]:
    hold = _Hold(path, until)
    hold.write()
    try:
        yield hold
    finally:
        with suppress(OSError):  # the stack may be gone, and its folder with it
            path.unlink(missing_ok=True)


def _stay_away(hold: _Hold, timer: Timer) -> None:
    while (left_s := hold.until - timer.now()) > 0:
        hold.write()
        timer.sleep(min(left_s, _RENEW_EVERY_S))


def _victim(plan: FaultPlan, stack: Stack) -> StackProcess | None:
    """The planned role, by default the last of the tier `edge`."""
    edges = [process for process in _edges(stack) if process.role == plan.role or not plan.role]
    edges = edges if plan.role else [process for process in edges if process.tier == "edge"]
    return max(edges, key=lambda process: process.role, default=None)


def _edges(stack: Stack) -> list[StackProcess]:
    return [process for process in stack.processes if process.tier in _TIERS and not process.role.endswith(_NO_CACHE)]


def _lack(plan: FaultPlan, stack: Stack) -> str:
    if stack.holds is None or not (edges := _edges(stack)):
        return "needs an edge to lose: start the shop with `lonjak shop up --edge two-tier`"
    if _victim(plan, stack) is None:
        known = ", ".join(sorted(process.role for process in edges))
        return f"needs a process {plan.role or 'of the tier edge'}, but the stack has {known}: name one as its role"
    return ""


EDGE_LOST = Fault(_make, _lack)
