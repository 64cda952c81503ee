"""One shopper's way through a mix: step, outcome, next state, pause, until the table says leave.

`scenarios.door` starts it for each arriving session; the clock is the engine's, and so is the waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum

from scenarios.journeys import send_back, take
from scenarios.mix import LEAVE, Mix, draw_successor
from scenarios.outcomes import Outcome
from scenarios.think_times import Pause
from scenarios.visit import Visit


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
        outcome = take(visit, here.step)
        state = draw_successor(mix.row(state, outcome), rng)
        if state == LEAVE:
            break
        yield _pause_s(visit, here.think, outcome, think_time_scale)
        if session_end and state == session_end.at and clock() >= ends_after:
            break
    if outcome is Outcome.TOO_SLOW:
        return Ending.ABANDONED
    while visit.memory.regretted:
        yield here.think.draw_s(rng, think_time_scale)
        send_back(visit)
    return Ending.FINISHED


def _pause_s(visit: Visit, think: Pause, outcome: Outcome, scale: float) -> float:
    """A thought; a browser that the shop tells when to ask again does so, and a shopper does not before that."""
    told_s = visit.memory.told_to_wait_s
    if told_s is not None and outcome is Outcome.HELD_BACK:
        return told_s
    return max(think.draw_s(visit.rng, scale, visit.until_s), told_s or 0.0)
