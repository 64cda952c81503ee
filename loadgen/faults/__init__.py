"""Faults: breaking one part of the stack at its time, and telling when it began and when the part was whole again.

One file for each kind. Every fault ends by itself at its time, even where the engine was killed: what it leaves behind
holds the instant at which it is over, or ends with the process that does it.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from loadgen.errors import StackMissing
from loadgen.fault_plans import FaultPlan
from loadgen.faults.edge_lost import EDGE_LOST
from loadgen.faults.edge_reload import EDGE_RELOAD
from loadgen.faults.fault import REAL, Fault, Tell, Timer
from loadgen.faults.kill_worker import KILL_WORKER
from loadgen.faults.origin_down import ORIGIN_DOWN
from loadgen.faults.origin_slow import ORIGIN_SLOW
from loadgen.faults.purge_storm import PURGE_STORM
from loadgen.stack import Stack

__all__ = ["FAULTS", "check_plans", "make_fault"]

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "kill-worker": KILL_WORKER,
        "origin-down": ORIGIN_DOWN,
        "origin-slow": ORIGIN_SLOW,
        "purge-storm": PURGE_STORM,
        "edge-lost": EDGE_LOST,
        "edge-reload": EDGE_RELOAD,
    }
)


def check_plans(plans: Sequence[FaultPlan], stack: Stack | None) -> None:
    """Raise StackMissing when there are faults to make and nothing known to make them in, or not what they need."""
    if not plans:
        return
    if stack is None:
        raise StackMissing(
            f"the scenario plans {len(plans)} fault(s), but no stack is known to break: "
            "name its stack.json with --stack FILE, or leave them out with --no-faults"
        )
    lacks = [(plan.kind, FAULTS[plan.kind].lack(plan, stack)) for plan in plans]
    sentences = [
        f"the scenario's fault {kind} {lack}, or leave it out with --no-faults" for kind, lack in lacks if lack
    ]
    if sentences:
        raise StackMissing("\n".join(dict.fromkeys(sentences)))


def make_fault(plan: FaultPlan, stack: Stack, tell: Tell, timer: Timer = REAL) -> None:
    """Break what the plan says, and return when it is whole again; ended early, it mends what it broke."""
    FAULTS[plan.kind].make(plan, stack, tell, timer)
