"""Before any traffic: is the target allowed, and does anybody answer there?"""

import socket
from urllib.parse import urlsplit

from loadgen.errors import TargetUnreachable
from loadgen.gate import Gate, host_of
from loadgen.stack import find_stack

_PATIENCE_S = 4.0  # a target that is down is told within 5 s, our own start included


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
    parts = urlsplit(target)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_PATIENCE_S).close()
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise TargetUnreachable(
            f"nothing answers at {target} ({reason}): start a shop with `lonjak shop up --detach`, or give --target URL"
        ) from None
