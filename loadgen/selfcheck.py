"""How the load generator itself is doing: the lag of its event loop, its CPU and its memory."""

import os
import time

from gevent.event import Event as Flag

from loadgen.alarm import Alarm
from loadgen.recorder import Recorder
from loadgen.sampler import CpuMeter, memory_bytes

PROBE_S = 0.02


def probe_loop_lag(recorder: Recorder, worker: str) -> None:
    """Have an alarm ring every 20 ms and record how much too late this greenlet hears it. Never returns."""
    rung = Flag()
    alarm = Alarm(rung.set)
    try:
        while True:
            due = time.monotonic() + PROBE_S
            alarm.set(due)
            rung.wait()
            rung.clear()
            recorder.loop_lag(worker, max(0, round((time.monotonic() - due) * 1_000_000)))
    finally:
        alarm.close()


class OwnUse:
    """CPU and memory of this process."""

    def __init__(self) -> None:
        self._meter = CpuMeter(os.getpid())
        self._meter.ratio()

    def look(self) -> tuple[float, int]:
        """(share of one core since the last look, resident bytes)."""
        return self._meter.ratio() or 0.0, memory_bytes(os.getpid())
