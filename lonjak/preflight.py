"""Before any traffic: is the target allowed, and does anybody answer there?"""

from loadgen.gate import Gate, host_of
from loadgen.stack import find_stack
from loadgen.target import check_reachable


def choose_target(given: str | None) -> str:
    """The target's base URL without a trailing slash: the one given, else the running stack's.

    StackMissing when neither is there; UsageProblem when it is no http(s) URL.
    """
    target = given or find_stack().url
    host_of(target)
    return target.rstrip("/")


def check_target(target: str, gate: Gate) -> None:
    """TargetRefused when the gate keeps the host out; TargetUnreachable when nothing accepts a connection."""
    gate.check_target(target)
    check_reachable(target)
