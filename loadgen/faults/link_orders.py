"""Orders to the origin link, in its control file; each holds the instant at which it ends by itself."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from loadgen.faults.files import replace_text
from loadgen.stack import Stack

LINK_OPTION = "`lonjak shop up --edge nginx --origin-rtt-ms 20`"


@contextmanager
def ordered(control: Path, orders: Mapping[str, float]) -> Iterator[None]:
    """Have the link obey as long as the block lasts; other faults' orders stay as they are. OSError if it cannot be."""
    replace_text(control, json.dumps({**_current(control), **orders}))
    try:
        yield
    finally:
        left = {name: value for name, value in _current(control).items() if name not in orders}
        with suppress(OSError):  # the stack may be gone, and its folder with it
            replace_text(control, json.dumps(left))


def lack_of_link(stack: Stack, what: str) -> str:
    """Empty when the stack has an origin link."""
    if stack.origin_link is not None:
        return ""
    return f"needs a link between edge and origin to {what}: start the shop with {LINK_OPTION}"


def _current(control: Path) -> dict[str, float]:
    try:
        orders = json.loads(control.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return orders if isinstance(orders, dict) else {}
