"""`origin-down`: the way from the edge to its origin is cut; ended when it is there again."""

from loadgen.fault_plans import FaultPlan
from loadgen.faults.fault import Fault, Tell, Timer, told
from loadgen.faults.link_orders import lack_of_link, ordered
from loadgen.stack import Stack


def _make(plan: FaultPlan, stack: Stack, tell: Tell, timer: Timer) -> None:
    if stack.origin_link is None:
        raise LookupError("the stack has no origin link")
    orders = {"down_until": timer.now() + plan.for_s}
    with ordered(stack.origin_link.control, orders), told(plan, tell):
        timer.sleep(plan.for_s)


def _lack(_plan: FaultPlan, stack: Stack) -> str:
    return lack_of_link(stack, "cut")


ORIGIN_DOWN = Fault(_make, _lack)
