"""Shoppers in the shop: each is a session with a greenlet while it does something, and without one while it thinks.

Arrivals say when a session begins; what it does is the scenario's. A visit is a function that runs to its end, or a
generator that yields the seconds it wants to think.
"""

import logging
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import gevent
from gevent.event import Event as Flag

from loadgen.occupancy import Occupancy
from loadgen.parking import Parking
from loadgen.recorder import Ending, Recorder
from loadgen.schedule import Arrival
from loadgen.session import Session, SessionCut

logger = logging.getLogger(__name__)

_CUT_AT_ONCE = 100  # sessions, between two looks at everything else
Steps = Generator[float, None, None]
Visit = Callable[[Session], Steps | None]
OpenSession = Callable[[Arrival, Flag], Session]


class Attendance:
    """Begins sessions, lets them go on, sees them off. `on_end` hears of each that is over."""

    def __init__(
        self, recorder: Recorder, open_session: OpenSession, visit: Visit, on_end: Callable[[], None] = lambda: None
    ) -> None:
        self._occupancy = Occupancy()
        self._recorder = recorder
        self._open_session = open_session
        self._visit = visit
        self._on_end = on_end
        self._parking = Parking[tuple[Session, Steps]](lambda parked: gevent.spawn(self._go_on, *parked))
        self._cut = Flag()
        self._empty = Flag()
        self._empty.set()

    @property
    def in_progress_count(self) -> int:
        """Sessions that have begun and not ended."""
        return self._occupancy.count

    @property
    def spent_s(self) -> float:
        """The seconds that all sessions together have been in the shop."""
        return self._occupancy.spent_s

    def begin(self, arrival: Arrival) -> None:
        """Let a shopper come in."""
        self._occupancy.enter()
        self._empty.clear()
        gevent.spawn(self._attend, arrival)

    def cut(self) -> None:
        """Let every session leave at its next thought; a request in flight is finished."""
        self._cut.set()
        for number, (session, steps) in enumerate(self._parking.clear()):
            self._go_on(session, steps)
            if number % _CUT_AT_ONCE == 0:
                gevent.sleep(0)

    def join(self, timeout_s: float) -> bool:
        """Wait for all sessions to end; False when some are still there after `timeout_s`."""
        return bool(self._empty.wait(timeout_s))

    def close(self) -> None:
        """Wake nobody any more."""
        self._parking.close()

    def _attend(self, arrival: Arrival) -> None:
        session = self._open_session(arrival, self._cut)
        self._recorder.session_arrived(session.arrival_s, session.segment, session.lag_us)
        with self._seeing_off(session):
            steps = self._visit(session)
            self._leave_or_think(session, steps, next(steps, None) if steps is not None else None)

    def _go_on(self, session: Session, steps: Steps) -> None:
        with self._seeing_off(session):
            if self._cut.is_set():
                cut_short(steps)
            self._leave_or_think(session, steps, next(steps, None))

    def _leave_or_think(self, session: Session, steps: Steps | None, pause_s: float | None) -> None:
        if steps is None or pause_s is None:
            self._end(session, "abandoned" if session.abandoned else "finished")
        elif self._cut.is_set():
            cut_short(steps)
        else:
            self._parking.park((session, steps), pause_s)

    @contextmanager
    def _seeing_off(self, session: Session) -> Iterator[None]:
        """End a session that breaks off."""
        try:
            yield
        except SessionCut:
            self._end(session, "cut")
        except Exception as error:
            self._recorder.warn_once(f"a session's code failed: {describe(error)}")
            logger.exception("Session %s failed in its own code", session.number)
            self._end(session, "cut")
        except BaseException:
            self._end(session, "cut")
            raise

    def _end(self, session: Session, ending: Ending) -> None:
        self._recorder.session_ended(session.arrival_s, session.segment, ending, session.stay_us)
        session.client.close()
        self._occupancy.leave()
        if self._occupancy.count == 0:
            self._empty.set()
        self._on_end()


def cut_short(steps: Steps) -> NoReturn:
    """Let a generator see to what it has to, and end it."""
    with suppress(StopIteration):
        steps.throw(SessionCut())
    steps.close()
    raise SessionCut


def describe(error: Exception) -> str:
    """What an error says, and the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
