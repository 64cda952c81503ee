"""The time of one run: seconds since its start, the same in every process of the load generator."""

import time
from collections.abc import Callable

_READINGS = 20


class RunClock:
    """Counts from `started_at` (seconds since the epoch, on the master's clock) by the monotonic clock.

    `offset_s` is what must be added to this machine's clock to get the master's.
    """

    def __init__(
        self,
        started_at: float,
        offset_s: float = 0.0,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.started_at = started_at
        self._monotonic = monotonic
        self._origin = started_at - offset_s - _wall_less_monotonic(now, monotonic)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start; negative before it."""
        return self._monotonic() - self._origin

    @property
    def second(self) -> int:
        """The whole second that everything recorded now belongs to."""
        return max(0, int(self.elapsed_s))

    @property
    def at(self) -> float:
        """Now, in seconds since the epoch on the master's clock."""
        return self.started_at + self.elapsed_s

    def instant(self, elapsed_s: float) -> float:
        """The reading of `time.monotonic` at which `elapsed_s` seconds will have passed."""
        return self._origin + elapsed_s


def _wall_less_monotonic(now: Callable[[], float], monotonic: Callable[[], float]) -> float:
    """The difference of two clocks that cannot be read at once: the tightest of several readings of one between two."""
    readings = []
    for _ in range(_READINGS):
        before = monotonic()
        wall = now()
        after = monotonic()
        readings.append((after - before, wall - (before + after) / 2))
    return min(readings)[1]
