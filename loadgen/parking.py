"""Where shoppers think without a greenlet: a visit that is a generator waits here until its next step is due."""

import heapq
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import gevent
from gevent.event import Event as Flag

from loadgen.alarm import Alarm

Parked = TypeVar("Parked")


class Parking(Generic[Parked]):
    """Hands each shopper to `wake` when its time has come, from a greenlet of its own that must not be blocked."""

    def __init__(self, wake: Callable[[Parked], object]) -> None:
        self._wake = wake
        self._waiting: list[tuple[float, int, Parked]] = []
        self._count = 0
        self._changed = Flag()
        self._attendant: gevent.Greenlet | None = None

    def park(self, parked: Parked, seconds: float) -> None:
        """Wake somebody after so many seconds."""
        due = time.monotonic() + max(0.0, seconds)
        self._count += 1  # who came first goes first, and nobody is compared
        heapq.heappush(self._waiting, (due, self._count, parked))
        if self._attendant is None:
            self._attendant = gevent.spawn(self._attend)
        if self._waiting[0][1] == self._count:
            self._changed.set()

    def clear(self) -> list[Parked]:
        """Everybody who waits; nobody does any more."""
        everybody = [parked for _, _, parked in self._waiting]
        self._waiting.clear()
        return everybody

    def close(self) -> None:
        """Wake nobody any more."""
        if self._attendant is not None:
            self._attendant.kill()

    def _attend(self) -> None:
        alarm = Alarm(self._changed.set)
        try:
            while True:
                self._wake_due()
                if self._waiting:
                    alarm.set(self._waiting[0][0])
                self._changed.wait()
                self._changed.clear()
        finally:
            alarm.close()

    def _wake_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, _, parked = heapq.heappop(self._waiting)
            self._wake(parked)
