"""Before any traffic: is the target allowed, and does anybody answer there?"""

from collections.abc import Sequence

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


def choose_targets(given: Sequence[str]) -> tuple[str, ...]:
    """The same of several points of presence, each once: those given, else all of the running stack's."""
    stack = None if given else find_stack()
    urls = given if stack is None else stack.urls or (stack.url,)
    return tuple(dict.fromkeys(map(choose_target, urls)))


def check_target(target: str, gate: Gate) -> None:
    """TargetRefused when the gate keeps the host out; TargetUnreachable when nothing accepts a connection."""
    gate.check_target(target)
    check_reachable(target)
