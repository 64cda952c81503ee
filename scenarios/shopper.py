"""One shopper's way through a mix: step, outcome, next state, pause, until the table says leave.

`scenarios.door` starts it for each arriving session; the clock is the engine's, and so is the waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum

from scenarios.journeys import Visit
from scenarios.mix import LEAVE, Mix, draw_successor
from scenarios.outcomes import Outcome


class Ending(Enum):
    """How a session ended: the shopper was done, or their patience ran out."""

    FINISHED = "finished"
    ABANDONED = "abandoned"


def walk(
    mix: Mix, visit: Visit, *, clock: Callable[[], float], think_time_scale: float
) -> Generator[float, None, Ending]:
    """Walks the mix's table to its end; yields the seconds to pause, `clock` tells seconds of any one clock."""
    rng = visit.rng
    session_end = mix.session_end
    ends_after = clock() + session_end.length.draw_s(rng, think_time_scale) if session_end else float("inf")
    state = draw_successor(mix.start, rng)
    while True:
        here = mix.states[state]
        outcome = visit.take(here.step)
        state = draw_successor(mix.row(state, outcome), rng)
        if state == LEAVE:
            return Ending.ABANDONED if outcome is Outcome.TOO_SLOW else Ending.FINISHED
        yield here.think.draw_s(rng, think_time_scale)
        if session_end and state == session_end.at and clock() >= ends_after:
            return Ending.FINISHED
