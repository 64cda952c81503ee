"""How the load generator itself is doing: the lag of its event loop, its CPU and its memory."""

import os
import time

import gevent

from loadgen.recorder import Recorder
from loadgen.sampler import CpuMeter, memory_bytes

PROBE_S = 0.02


def probe_loop_lag(recorder: Recorder, worker: str) -> None:
    """Sleep again and again for 20 ms and record how much too late this greenlet woke up. Never returns."""
    while True:
        before = time.perf_counter()
        gevent.sleep(PROBE_S)
        late_s = time.perf_counter() - before - PROBE_S
        recorder.loop_lag(worker, max(0, round(late_s * 1_000_000)))


class OwnUse:
    """CPU and memory of this process."""

    def __init__(self) -> None:
        self._meter = CpuMeter(os.getpid())
        self._meter.ratio()

    def look(self) -> tuple[float, int]:
        """(share of one core since the last look, resident bytes)."""
        return self._meter.ratio() or 0.0, memory_bytes(os.getpid())
