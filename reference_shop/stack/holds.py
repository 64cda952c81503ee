"""Holds: while an experiment wants a process to stay away, its file keeps the supervisor from launching it again.

A hold is a file, named like a role, with an instant in seconds since the epoch; the end of the experiment may take it
away, and a forgotten one loses its force.
"""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

LOOK_EVERY_S = 0.1
LONGEST_S = 600.0
Pause = Callable[[float], Coroutine[Any, Any, object]]


def held_until(path: Path) -> float:
    """The instant before which a hold forbids a launch, 600 s after it was written at most; 0 where there is none.

    A file that cannot be read, or holds no number, is none.
    """
    try:
        written_at, until = path.stat().st_mtime, float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0
    return min(until, written_at + LONGEST_S) if math.isfinite(until) else 0.0


async def wait_while_held(path: Path, *, clock: Callable[[], float] = time.time, pause: Pause = asyncio.sleep) -> None:
    """Return once no hold is on, looking at its file every 0.1 s."""
    while held_until(path) > clock():
        await pause(LOOK_EVERY_S)
