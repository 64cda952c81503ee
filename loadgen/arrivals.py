"""Open arrivals: sessions begin at their scheduled instants whether or not the shop keeps up.

Locust runs exactly one ArrivalSource in each worker (dispatcher.py); shoppers are greenlets of our own, created on
arrival and gone when they leave. docs/adr/0005 says why. Beside them a companion may go round (companion.py).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import gevent
from gevent.event import Event as Flag
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser

from loadgen.alarm import Alarm
from loadgen.attendance import Attendance, OpenSession, Steps, Visit
from loadgen.companion import Companion
from loadgen.config import Scenario
from loadgen.errors import UsageProblem
from loadgen.http.client import Timeouts
from loadgen.pacing import users_at
from loadgen.recorder import Recorder
from loadgen.schedule import Arrival, Schedule, Share
from loadgen.session import Session, draw_segment

_ADMITTED_AT_ONCE = 50  # sessions, between two looks at everything else
_LOOK_S = 0.1  # how often the closed model looks whether its profile wants more users


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one worker is to do in one run. `may_arrive` is asked before each arrival: is the master still there?"""

    scenario: Scenario
    target: str
    share: Share
    session_cap: int
    recorder: Recorder
    may_arrive: Callable[[], bool] = lambda: True


def nobody(_session: Session) -> None:
    """What goes round beside the shoppers, where nothing does."""


class Arrivals:
    """Open arrivals of one worker: every session begins at its instant, whether or not the shop keeps up.

    At most `session_cap` sessions are in progress; who arrives beyond that is dropped, and counted. `accompany` goes
    round beside the sessions of the first worker until nobody arrives any more.
    """

    def __init__(
        self, assignment: Assignment, open_session: OpenSession, visit: Visit, accompany: Visit = nobody
    ) -> None:
        self._assignment = assignment
        self._clock = assignment.recorder.clock
        self._attendance = Attendance(assignment.recorder, open_session, visit, self._on_end)
        self._companion = Companion(assignment.recorder, open_session, accompany, assignment.may_arrive)
        self._changed = Flag()
        self._closed = False
        self._over = Flag()
        self._schedule = Schedule(assignment.scenario.load, assignment.share)

    @property
    def in_progress_count(self) -> int:
        """Sessions that have begun and not ended."""
        return self._attendance.in_progress_count

    @property
    def spent_s(self) -> float:
        """The seconds that all sessions together have been in the shop."""
        return self._attendance.spent_s

    def run(self) -> None:
        """Begin every session when it is due, until `close`; return after `finish`."""
        if self._assignment.share.index == 0:
            self._companion.start()
        try:
            self._let_in()
            self._over.wait()
        finally:
            self._companion.close()

    def set_rate(self, rate_per_s: float, from_s: float) -> None:
        """Offer another rate from an instant of the run on; UsageProblem where the load has none."""
        self._schedule.set_rate(rate_per_s, from_s)
        self._changed.set()

    def close(self) -> None:
        """Let nobody arrive any more."""
        self._closed = True
        self._changed.set()
        self._companion.cut()

    def cut(self) -> None:
        """Let every session leave at its next thought; a request in flight is finished."""
        self.close()
        self._attendance.cut()

    def join(self, timeout_s: float) -> bool:
        """Wait for all sessions to end; False when some are still there after `timeout_s`.

        Once closed, the companion's request in flight is waited for as well: it is to be counted.
        """
        until = time.monotonic() + timeout_s
        if not self._attendance.join(timeout_s):
            return False
        return not self._closed or self._companion.join(max(0.0, until - time.monotonic()))

    def finish(self) -> None:
        """Let `run` return."""
        self.close()
        self._over.set()
        self._attendance.close()

    def _let_in(self) -> None:
        """Begin every session at its instant, until `close`."""
        alarm = Alarm(self._changed.set)
        try:
            while not self._closed:
                self._admit_due()
                if (following := self._schedule.next) is not None:
                    alarm.set(self._clock.instant(following.due_s))
                self._changed.wait()
                self._changed.clear()
        finally:
            alarm.close()

    def _admit_due(self) -> None:
        admitted = 0
        while (arrival := self._schedule.next) is not None and arrival.due_s <= self._clock.elapsed_s:
            if self._closed:
                return
            self._schedule.advance()
            self._admit(arrival)
            admitted += 1
            if admitted % _ADMITTED_AT_ONCE == 0:
                gevent.sleep(0)

    def _admit(self, arrival: Arrival) -> None:
        assignment = self._assignment
        if self.in_progress_count < assignment.session_cap and assignment.may_arrive():
            self._attendance.begin(arrival)
        else:
            segment = draw_segment(assignment.scenario, arrival.number)
            assignment.recorder.session_dropped(int(arrival.due_s), segment)

    def _on_end(self) -> None:
        """A session is over; in the open model that is nobody's cue."""


class ClosedArrivals(Arrivals):
    """The closed model: as many shoppers as there are users, each followed by another when it leaves.

    A session counts from the instant at which it begins: nobody waits outside, which is what the closed model hides.
    """

    def __init__(
        self, assignment: Assignment, open_session: OpenSession, visit: Visit, accompany: Visit = nobody
    ) -> None:
        super().__init__(assignment, open_session, visit, accompany)
        self._begun_count = 0

    def set_rate(self, rate_per_s: float, from_s: float) -> None:  # noqa: ARG002 (whenever it is)
        """Refuse: a closed model has no arrival rate."""
        raise UsageProblem(f"a rate of {rate_per_s:g}/s cannot be set: sessions of the closed model follow one another")

    def _on_end(self) -> None:
        if not self._changed.is_set():
            self._changed.set()

    def _let_in(self) -> None:
        """Keep as many sessions in progress as wanted, until `close`."""
        while not self._closed:
            self._fill()
            self._changed.wait(_LOOK_S)
            self._changed.clear()

    def _fill(self) -> None:
        assignment, share = self._assignment, self._assignment.share
        elapsed_s = self._clock.elapsed_s
        wanted = (users_at(assignment.scenario.load, elapsed_s) - share.index + share.count - 1) // share.count
        while self.in_progress_count < min(wanted, assignment.session_cap) and assignment.may_arrive():
            number = share.index + share.count * self._begun_count
            self._begun_count += 1
            self._attendance.begin(Arrival(number, max(0.0, self._clock.elapsed_s)))


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

    def visit(self, session: Session) -> Steps | None:  # noqa: ARG002 - a subclass's business
        """What one shopper does, from the first page to leaving.

        Either a function that pauses by `session.think(seconds)`, or a generator that yields those seconds and holds no
        greenlet meanwhile, which is what lets a machine hold many shoppers.
        """
        raise TypeError(f"{type(self).__name__} does not say what a shopper does: give it a `visit`")

    def companion(self, session: Session) -> Steps | None:  # noqa: ARG002 - a subclass's business
        """What goes round beside the shoppers, once in a run, from the first arrival until nobody arrives any more.

        It pauses as a visit does, and may go on for ever. It is no session: it counts nowhere but by its requests, and
        ends when it is told to, or with its own failure, of which the run's history keeps a warning.
        """
        return None

    @classmethod
    def recognise(cls, scenario: Scenario, target: str) -> None:
        """Raise TargetUnrecognised when `target` is not a shop that this class can visit. Called before any load."""

    @task
    def arrive(self) -> None:
        """Run the arrivals of one run; Locust calls it once and ends it by stopping the user."""
        kind = ClosedArrivals if self.scenario.load.model == "closed" else Arrivals
        arrivals = ArrivalSource.current = kind(self._assigned, self._open_session, self.visit, self.companion)
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
