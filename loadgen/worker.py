"""The side that makes load: a worker, or a lone process. Takes the plan, records, hands in each second, drains.

What it is told and tells is in messages.py. Nothing is sent before a plan has come, and nothing after the drain.
"""

import contextlib
import logging
import os
import time
from collections import deque
from typing import Any

import gevent
from gevent.lock import BoundedSemaphore
from locust.env import Environment
from locust.exception import RPCError
from locust.rpc.protocol import Message
from locust.runners import LocalRunner, WorkerRunner

from loadgen import collector, locust_internals
from loadgen.arrivals import ArrivalSource, Assignment
from loadgen.batch import Batch, WorkerLoad
from loadgen.dispatcher import is_ours
from loadgen.gate import is_loopback
from loadgen.http.connections import Connections
from loadgen.locust_internals import Audience, LocustTable
from loadgen.messages import (
    BATCH,
    CLOCK,
    DRAIN,
    DRAINED,
    HELLO,
    JOINED,
    PLAN,
    RATE,
    REFUSED,
    ClockReading,
    Drain,
    Hello,
    Joined,
    RateChange,
    Refusal,
    RunPlan,
    to_wire,
)
from loadgen.recorder import Recorder
from loadgen.runclock import RunClock
from loadgen.schedule import Share
from loadgen.selfcheck import OwnUse, probe_loop_lag
from loadgen.session import Session
from loadgen.user import LonjakUser

logger = logging.getLogger(__name__)

MASTER_SILENT_S = 3.0
CUT_LIMIT_S = 2.0  # beyond a request's own limit, for a session to notice that it was cut
_CLOCK_QUESTIONS = 5
_AFTER_SECOND_S = 0.02


class Worker:
    """Makes load as told. `refusals` is filled by the gate."""

    def __init__(self, environment: Environment, runner: WorkerRunner | LocalRunner, refusals: deque[Refusal]) -> None:
        self.recorder: Recorder | None = None
        self._environment = environment
        self._runner = runner
        self._refusals = refusals
        self._plan: RunPlan | None = None
        self._offset_s = 0.0
        self._readings: list[tuple[float, float]] = []  # (round trip, offset), seconds
        self._heard_at = time.monotonic()
        self._draining = False
        self._handing_in = BoundedSemaphore()
        self._stop_timeout_s = environment.stop_timeout
        self._outbox: deque[tuple[str, dict[str, Any] | None]] = deque()
        self._own_use = OwnUse()
        self._greenlets: list[gevent.Greenlet] = []

    def register(self) -> None:
        """Listen to the master, and tell it that this process is there."""
        self._runner.register_message(CLOCK, self._on_clock)
        self._runner.register_message(PLAN, self._on_plan)
        self._runner.register_message(RATE, self._on_rate)
        self._runner.register_message(DRAIN, self._on_drain, concurrent=True)
        if isinstance(self._runner, LocalRunner) and is_ours(self._environment.user_classes):
            locust_internals.show_user_count(self._runner, lambda: self.sessions_in_progress)
        self._ask_clock()

    @property
    def sessions_in_progress(self) -> int:
        """Shoppers in the shop."""
        return ArrivalSource.current.in_progress_count if ArrivalSource.current else 0

    def on_request(self, **sample: Any) -> None:
        """A sample of Locust's `request` event."""
        if self.recorder is not None:
            self.recorder.on_request(**sample)

    def on_user_error(self, exception: BaseException) -> None:
        """A task of a locustfile's user failed in its own code."""
        if self.recorder is not None:
            self.recorder.warn_once(f"a task of a user failed: {type(exception).__name__}: {exception}")

    def on_heartbeat(self) -> None:
        """The master answered."""
        self._heard_at = time.monotonic()

    def on_report(self, data: dict[str, Any]) -> None:
        """Let the web UI show shoppers as users."""
        if is_ours(self._environment.user_classes):
            count = self.sessions_in_progress
            data["user_count"] = count
            data["user_classes_count"] = {self._environment.user_classes[0].__name__: count}

    def on_test_stop(self) -> None:
        """Users are gone: hand in what came after the drain, or without one."""
        self._hand_in(everything=True)
        self.recorder = LonjakUser.recorder = None
        Session.points_of_presence = ()
        collector.restore()

    def _ask_clock(self) -> None:
        self._runner.send_message(HELLO, to_wire(Hello.now()))

    def _on_clock(self, *, msg: Message, **_environment: object) -> None:
        reading, now = ClockReading(**msg.data), time.time()
        round_trip_s = now - reading.asked_at
        self._readings.append((round_trip_s, reading.master_at - (reading.asked_at + now) / 2))
        if isinstance(self._runner, WorkerRunner) and not is_loopback(self._runner.master_host):
            if len(self._readings) < _CLOCK_QUESTIONS:
                self._ask_clock()
                return
            self._offset_s = min(self._readings)[1]  # the shortest round trip has the least doubt
        self._runner.send_message(JOINED, to_wire(Joined(os.getpid(), self._offset_s)))

    def _on_plan(self, *, msg: Message, **_environment: object) -> None:
        self._leave()
        plan = self._plan = RunPlan.from_wire(msg.data)
        events = self._environment.events
        self.recorder = Recorder(
            RunClock(plan.started_at, self._offset_s), LocustTable(self._environment.stats), Audience(events.request)
        )
        LonjakUser.recorder = self.recorder
        Session.points_of_presence = plan.targets
        Connections.authority = plan.ca_file
        collector.quieten()
        self._heard_at, self._draining = time.monotonic(), False
        self._environment.stop_timeout = self._stop_timeout_s
        ArrivalSource.current = None
        ArrivalSource.assignment = Assignment(
            plan.scenario,
            plan.target,
            Share(plan.index, plan.count),
            plan.session_cap,
            self.recorder,
            self._master_is_there,
        )
        if plan.cpus and (isinstance(self._runner, LocalRunner) or is_loopback(self._runner.master_host)):
            with contextlib.suppress(OSError):  # a container may forbid it; the manifest tells what was wanted
                os.sched_setaffinity(0, plan.cpus)
        self._greenlets = [
            gevent.spawn(probe_loop_lag, self.recorder, plan.worker),
            gevent.spawn(self._hand_in_seconds),
        ]

    def _on_rate(self, *, msg: Message, **_environment: object) -> None:
        change = RateChange(**msg.data)
        if ArrivalSource.current:
            ArrivalSource.current.set_rate(change.rate_per_s, change.from_s)

    def _on_drain(self, *, msg: Message, **_environment: object) -> None:
        drain, arrivals = Drain(**msg.data), ArrivalSource.current
        if self._draining:
            if arrivals and drain.drain_s <= 0:
                arrivals.cut()
            return
        self._draining = True
        if arrivals:
            self._see_off(drain.drain_s)
            arrivals.finish()
        if gevent.getcurrent() not in self._runner.user_greenlets:  # else a user ends the run, and Locust sees to it
            self._runner.stop_users(dict(self._runner.user_classes_count))
        self._environment.stop_timeout = 0.0  # users are gone; the next run gets its limit back
        self._hand_in(everything=True)
        self._leave()
        self._tell(DRAINED, {"worker": self._plan.worker if self._plan else ""})

    def _see_off(self, drain_s: float) -> None:
        arrivals = ArrivalSource.current
        if arrivals is None:
            return
        arrivals.close()
        if not arrivals.join(drain_s):
            arrivals.cut()
            if not arrivals.join(self._request_limit_s + CUT_LIMIT_S) and self.recorder:
                self.recorder.event("warning", message=f"{arrivals.in_progress_count} sessions did not end when cut")

    @property
    def _request_limit_s(self) -> float:
        return max(
            (kind.timeouts.total_s for kind in self._environment.user_classes if issubclass(kind, ArrivalSource)),
            default=0.0,
        )

    def _master_is_there(self) -> bool:
        return isinstance(self._runner, LocalRunner) or time.monotonic() - self._heard_at < MASTER_SILENT_S

    def _hand_in_seconds(self) -> None:
        while self.recorder is not None:
            clock = self.recorder.clock
            next_second = clock.second + 1
            gevent.sleep(max(0.0, clock.instant(next_second) - time.monotonic()) + _AFTER_SECOND_S)
            self._hand_in()

    def _hand_in(self, *, everything: bool = False) -> None:
        with self._handing_in:  # one after the other: the last counts come last
            self._hand_over(everything=everything)

    def _hand_over(self, *, everything: bool) -> None:
        recorder, plan = self.recorder, self._plan
        if recorder is None or plan is None:
            return
        now_s = recorder.clock.second
        for piece in recorder.take(None if everything else now_s):
            self._tell_batch(plan, Batch(plan.worker, (piece,)))
            gevent.sleep(0)  # shoppers first
        until_s = now_s + 1 if everything else now_s
        arrivals = ArrivalSource.current
        spent_s = arrivals.spent_s if arrivals else 0.0
        load = WorkerLoad(os.getpid(), *self._own_use.look(), self.sessions_in_progress, spent_s)
        self._tell_batch(plan, Batch(plan.worker, (), until_s, load))
        while self._refusals and isinstance(self._runner, WorkerRunner):
            self._tell(REFUSED, to_wire(self._refusals.popleft()))

    def _tell_batch(self, plan: RunPlan, batch: Batch) -> None:
        self._tell(BATCH, {"started_at": plan.started_at, "batch": batch.to_wire()})

    def _tell(self, kind: str, data: dict[str, Any] | None) -> None:
        self._outbox.append((kind, data))
        try:
            while self._outbox:
                message = self._outbox.popleft()
                self._runner.send_message(*message)
        except RPCError as error:
            self._outbox.appendleft(message)
            logger.warning("The master does not take messages (%s); %s wait", error, len(self._outbox))

    def _leave(self) -> None:
        me = gevent.getcurrent()
        for greenlet in self._greenlets:
            if greenlet is not me:
                greenlet.kill()
        self._greenlets = []
