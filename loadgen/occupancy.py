"""How many sessions are in the shop, and for how long: kept by who lets them in and out, apart from the recorder.

The integral of the number over time is the left side of Little's law (J. D. C. Little, A Proof for the Queuing Formula
L = λW, Operations Research 9, 1961); what the recorder counts is the right one.
"""

import time
from collections.abc import Callable


class Occupancy:
    """A number that goes up and down, and its integral over time."""

    __slots__ = ("_clock", "_since", "_spent_s", "count")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._clock = clock
        self._since = clock()
        self._spent_s = 0.0

    def enter(self) -> None:
        """One more is there."""
        self._pass_time()
        self.count += 1

    def leave(self) -> None:
        """One less is there."""
        self._pass_time()
        self.count -= 1

    @property
    def spent_s(self) -> float:
        """The seconds that all who were there spent there until now, added up."""
        self._pass_time()
        return self._spent_s

    def _pass_time(self) -> None:
        now = self._clock()
        self._spent_s += self.count * (now - self._since)
        self._since = now
