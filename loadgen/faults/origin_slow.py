"""`origin-slow`: the way from the edge to its origin takes longer; ended when it is as fast as it was."""

from loadgen.fault_plans import FaultPlan
from loadgen.faults.fault import Fault, Tell, Timer, told
from loadgen.faults.link_orders import lack_of_link, ordered
from loadgen.stack import Stack


def _make(plan: FaultPlan, stack: Stack, tell: Tell, timer: Timer) -> None:
    if stack.origin_link is None:
        raise LookupError("the stack has no origin link")
    orders = {"delay_ms": plan.delay_ms, "delay_until": timer.now() + plan.for_s}
    with ordered(stack.origin_link.control, orders), told(plan, tell):
        timer.sleep(plan.for_s)


def _lack(_plan: FaultPlan, stack: Stack) -> str:
    return lack_of_link(stack, "slow down")


ORIGIN_SLOW = Fault(_make, _lack)
