"""`kill-worker`: one live process of a tier is killed; ended when its role is ready again."""

from loadgen.fault_plans import FaultPlan
from loadgen.faults.fault import Fault, Tell, Timer
from loadgen.faults.processes import kill, wait_for_successor
from loadgen.stack import Stack, read_stack


def _make(plan: FaultPlan, stack: Stack, tell: Tell, timer: Timer) -> None:
    current = read_stack(stack.path)
    victim = next((process for process in current.processes if process.tier == plan.tier and process.alive), None)
    if victim is None:
        tell("fault_skipped", {"fault": plan.kind, "tier": plan.tier, "reason": "no live process of this tier"})
        return
    tell("fault_started", {"fault": plan.kind, "tier": victim.tier, "role": victim.role, "pid": victim.pid})
    kill(victim)
    successor = wait_for_successor(stack, victim, timer)
    tell("fault_ended", {"fault": plan.kind, "tier": victim.tier, "role": victim.role, "pid": successor.pid})


def _lack(_plan: FaultPlan, _stack: Stack) -> str:
    return ""  # a tier that is not there is told in the run's history: a process may come and go


KILL_WORKER = Fault(_make, _lack)
