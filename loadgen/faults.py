"""Faults: breaking one part of the stack at its time, and telling when it began and when the part was back.

Only processes that stack.json names are touched, and only while pid and start time still name the same process.
"""

import os
import signal
from collections.abc import Callable

import gevent

from loadgen.config import FaultPlan
from loadgen.errors import StackMissing, UsageProblem
from loadgen.records import Json
from loadgen.stack import Stack, StackProcess, read_stack

_POLL_S = 0.1
Tell = Callable[[str, dict[str, Json]], None]


def check_plans(plans: tuple[FaultPlan, ...], stack: Stack | None) -> None:
    """Raise StackMissing when there are faults to make and nothing known to make them in."""
    if plans and stack is None:
        raise StackMissing(
            f"the scenario plans {len(plans)} fault(s), but no stack is known to break: "
            "name its stack.json with --stack FILE, or leave them out with --no-faults"
        )


def kill_worker(plan: FaultPlan, stack: Stack, tell: Tell) -> None:
    """Kill one live process of a tier, and wait until its role is ready with another process."""
    current = read_stack(stack.path)
    victim = next((process for process in current.processes if process.tier == plan.tier and process.alive), None)
    if victim is None:
        tell("fault_skipped", {"fault": plan.kind, "tier": plan.tier, "reason": "no live process of this tier"})
        return
    tell("fault_started", {"fault": plan.kind, "tier": victim.tier, "role": victim.role, "pid": victim.pid})
    _kill(victim)
    successor = _wait_for_successor(stack, victim)
    tell("fault_ended", {"fault": plan.kind, "tier": victim.tier, "role": victim.role, "pid": successor.pid})


def _kill(victim: StackProcess) -> None:
    handle = os.pidfd_open(victim.pid)  # from here on the number cannot come to mean another process
    try:
        if victim.alive:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)


def _wait_for_successor(stack: Stack, victim: StackProcess) -> StackProcess:
    while True:
        gevent.sleep(_POLL_S)
        try:
            processes = read_stack(stack.path).processes
        except UsageProblem:
            continue  # being rewritten
        for process in processes:
            same = (process.pid, process.start_time) == (victim.pid, victim.start_time)
            if process.role == victim.role and not same and process.ready and process.alive:
                return process
