"""Interrupts this process when another one is gone: `make demo` must not live on after a `kill -9` of make."""

import os
import signal
import threading
import time

from loadgen.stack import start_time_of

_LOOK_EVERY_S = 0.5


def stop_with(pid: int) -> None:
    """Interrupt this process, as SIGTERM does, as soon as the process `pid` has ended."""
    threading.Thread(target=_watch, args=(pid, start_time_of(pid)), daemon=True).start()


def _watch(pid: int, start_time: int | None) -> None:
    while start_time is not None and start_time_of(pid) == start_time:
        time.sleep(_LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)  # SIGINT is ignored by what a script started in the background
