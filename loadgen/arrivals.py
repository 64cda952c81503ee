"""Open arrivals: sessions begin at their scheduled instants whether or not the shop keeps up.

Locust runs exactly one ArrivalSource in each worker (dispatcher.py); shoppers are greenlets of our own, created on
arrival and gone when they leave. docs/adr/0005 says why.
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import gevent
from gevent.event import Event as Flag
from gevent.pool import Group
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from loadgen.client import Timeouts
from loadgen.config import Scenario
from loadgen.recorder import Ending, Recorder
from loadgen.schedule import Arrival, Schedule, Share
from loadgen.session import Session, SessionCut, draw_segment

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one worker is to do in one run. `may_arrive` is asked before each arrival: is the master still there?"""

    scenario: Scenario
    target: str
    share: Share
    session_cap: int
    recorder: Recorder
    may_arrive: Callable[[], bool] = lambda: True


class Arrivals:
    """Begins one worker's sessions in time and sees them off.

    `visit` is what a shopper does; `open_session` makes the shopper. At most `session_cap` sessions are in progress;
    who arrives beyond that is dropped, and counted.
    """

    def __init__(
        self,
        assignment: Assignment,
        open_session: Callable[[Arrival, Flag], Session],
        visit: Callable[[Session], None],
    ) -> None:
        self._assignment = assignment
        self._open_session = open_session
        self._visit = visit
        self._schedule = Schedule(assignment.scenario.load, assignment.share)
        self._sessions = Group()
        self._cut = Flag()
        self._changed = Flag()
        self._closed = False
        self._over = Flag()

    @property
    def in_progress_count(self) -> int:
        """Sessions that have begun and not ended."""
        return len(self._sessions)

    def run(self) -> None:
        """Begin every session at its instant, until `close`; return after `finish`."""
        clock = self._assignment.recorder.clock
        while not self._closed:
            arrival = self._schedule.next
            if self._changed.wait(None if arrival is None else max(0.0, arrival.due_s - clock.elapsed_s)):
                self._changed.clear()
            elif arrival is not None:
                self._schedule.advance()
                self._admit(arrival)
        self._over.wait()

    def set_rate(self, rate_per_s: float, from_s: float) -> None:
        """Offer another rate from an instant of the run on."""
        self._schedule.set_rate(rate_per_s, from_s)
        self._changed.set()

    def close(self) -> None:
        """Let nobody arrive any more."""
        self._closed = True
        self._changed.set()

    def cut(self) -> None:
        """Let every session leave at its next thought; a request in flight is finished."""
        self.close()
        self._cut.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for all sessions to end; False when some are still there after `timeout_s`."""
        self._sessions.join(timeout=timeout_s)
        return not self._sessions

    def finish(self) -> None:
        """Let `run` return."""
        self.close()
        self._over.set()

    def _admit(self, arrival: Arrival) -> None:
        assignment = self._assignment
        if len(self._sessions) >= assignment.session_cap or not assignment.may_arrive():
            segment = draw_segment(assignment.scenario, arrival.number)
            assignment.recorder.session_dropped(int(arrival.due_s), segment)
            return
        self._sessions.start(gevent.Greenlet(self._attend, arrival))

    def _attend(self, arrival: Arrival) -> None:
        recorder = self._assignment.recorder
        session = self._open_session(arrival, self._cut)
        recorder.session_arrived(session.arrival_s, session.segment, session.lag_us)
        ending: Ending = "cut"
        try:
            self._visit(session)
            ending = "abandoned" if session.abandoned else "finished"
        except SessionCut:
            pass
        except Exception as error:
            recorder.warn_once(f"a session's code failed: {_describe(error)}")
            logger.exception("Session %s failed in its own code", session.number)
        finally:
            recorder.session_ended(session.arrival_s, session.segment, ending)
            session.client.close()


class ArrivalSource(User):
    """Makes shoppers arrive. A scenario's subclass says what a shopper does in `visit`.

    `assignment` is set before the run starts; `timeouts` may be changed by a subclass.
    """

    abstract = True
    timeouts: Timeouts = Timeouts()
    assignment: ClassVar[Assignment | None] = None
    current: ClassVar[Arrivals | None] = None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if self.assignment is None:
            raise RuntimeError("an ArrivalSource runs only under loadgen.plugin: import it in the locustfile")
        self._assigned = self.assignment

    @property
    def scenario(self) -> Scenario:
        """The resolved scenario of the run."""
        return self._assigned.scenario

    @property
    def target(self) -> str:
        """The base URL under load."""
        return self._assigned.target

    def visit(self, session: Session) -> None:  # noqa: ARG002 - a subclass's business
        """What one shopper does, from the first page to leaving. Called in a greenlet of the session's own."""
        raise TypeError(f"{type(self).__name__} does not say what a shopper does: give it a `visit`")

    @classmethod
    def recognise(cls, scenario: Scenario, target: str) -> None:
        """Raise TargetUnrecognised when `target` is not a shop that this class can visit. Called before any load."""

    @task
    def arrive(self) -> None:
        """Run the arrivals of one run; Locust calls it once and ends it by stopping the user."""
        arrivals = ArrivalSource.current = Arrivals(self._assigned, self._open_session, self.visit)
        arrivals.run()
        raise StopUser

    def _open_session(self, arrival: Arrival, cut: Flag) -> Session:
        return Session(
            arrival.number,
            arrival.due_s,
            scenario=self.scenario,
            target=self.target,
            recorder=self._assigned.recorder,
            cut=cut,
            request_event=self.environment.events.request,
            timeouts=self.timeouts,
        )


def _describe(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"
