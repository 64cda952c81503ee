"""Runs coroutines in virtual time: when everybody waits, the clock leaps to the first who may go on."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")


class _Leaping(selectors.SelectSelector):
    """Waits for nothing but lets the time pass."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits for something that no clock will bring"
            self.now += timeout
        return ready


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.now


def run(story: Coroutine[object, object, Result]) -> Result:
    """Run to the end; takes no time, and begins at 0 s."""
    with asyncio.Runner(loop_factory=_VirtualTimeLoop) as runner:
        return runner.run(story)


def now() -> float:
    """Return the virtual seconds since the story began."""
    return asyncio.get_running_loop().time()
