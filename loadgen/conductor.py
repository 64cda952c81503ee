"""The side that leads: a master, or a lone process. Begins runs, watches and steers them, ends and closes them.

One run at a time; in a web UI one after the other. What it is told and tells is in messages.py.
"""

import logging
import os
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

import gevent
from gevent.event import Event as Flag
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import LocalRunner, MasterRunner

from loadgen.arrivals import ArrivalSource
from loadgen.batch import Batch
from loadgen.dispatcher import is_ours
from loadgen.errors import EnvironmentProblem, LonjakError, TargetRefused
from loadgen.exitcodes import ExitCode
from loadgen.gate import Gate
from loadgen.messages import (
    BATCH,
    DRAIN,
    DRAINED,
    PLAN,
    RATE,
    REFUSED,
    Drain,
    RateChange,
    Refusal,
    RunPlan,
    to_wire,
)
from loadgen.offering import OffersMade, make_offers
from loadgen.options import Options
from loadgen.plans import Prepared, check_rate, most_sessions, prepare, split_evenly, with_users
from loadgen.processes import let_workers_go_first
from loadgen.roster import Roster
from loadgen.run import Run, directory_for
from loadgen.sampler import GENERATOR, Sample
from loadgen.watch import STOP_RULE, Watch
from loadgen.worker import CUT_LIMIT_S

logger = logging.getLogger(__name__)

LEAD_S = 1.0  # from the plan to second 0, so that every worker knows it before
_FLUSH_LIMIT_S = 5.0
_NEARLY_S = 1.5  # a stop this close to the planned end is the planned end, by Locust's own timer
REFUSED_TARGET = "target refused"
EVERYBODY_LOST = "every worker was lost"
UNRECORDABLE = "cannot be recorded"


class Conductor:
    """Leads the runs of one process. `refusals` is filled by the gate and by workers."""

    def __init__(
        self,
        environment: Environment,
        runner: MasterRunner | LocalRunner,
        options: Options,
        gate: Gate,
        refusals: deque[Refusal],
    ) -> None:
        self.options = options
        self.run: Run | None = None
        self.prepared: Prepared | None = None
        self.rate_changes: list[RateChange] = []  # of the current run
        self._environment = environment
        self._runner = runner
        self._gate = gate
        self._refusals = refusals
        self._roster = Roster(runner)
        self._watch: Watch | None = None
        self._reason: str | None = None
        self._interrupted = False
        self._drained: set[str] = set()
        self._stopping = False
        self._stopped = Flag()
        self._run_dir = options.run_dir

    def register(self) -> None:
        """Listen to the workers, and let those on this machine go first."""
        if isinstance(self._runner, MasterRunner):
            let_workers_go_first()
        self._roster.register()
        for kind, listener in (
            (BATCH, self._on_batch),
            (DRAINED, self._on_drained),
            (REFUSED, self._on_refused),
        ):
            self._runner.register_message(kind, listener)

    @property
    def ours(self) -> bool:
        """Whether shoppers arrive, rather than a foreign locustfile's users loop."""
        return is_ours(self._environment.user_classes)

    @property
    def stopping(self) -> bool:
        """Whether no user may be started any more."""
        return self._stopping

    def prepare(self, *, host: str | None, rate: str | None, duration_s: float | None) -> None:
        """Find out what the next run is to be; raises LonjakError when it cannot begin."""
        self.prepared = prepare(
            self.options,
            self._gate,
            self._environment.user_classes,
            locustfile=self._locustfile,
            host=host,
            rate=rate,
            duration_s=duration_s,
        )
        if host or not any(user_class.host for user_class in self._environment.user_classes):
            self._environment.host = self.prepared.target  # else a foreign locustfile's classes keep their own

    def check_workers(self) -> None:
        """Raises EnvironmentProblem when a worker that is there runs another version, or nothing of ours."""
        if isinstance(self._runner, MasterRunner):
            self._roster.check()

    def begin(self) -> None:
        """Open the run's directory and tell the workers their parts. Raises LonjakError when it cannot begin."""
        if self.prepared is None:
            self.prepare(host=self._environment.host, rate=self.options.rate, duration_s=self.options.duration_s)
        prepared, self.prepared = self.prepared, None
        if prepared is None:
            return
        if self.ours:
            prepared = with_users(prepared, self._runner.target_user_count)
        workers = self._roster.call()
        distributed = isinstance(self._runner, MasterRunner)
        lead_s = LEAD_S if distributed and self.ours else 0.0
        offered = _offer(prepared, lead_s)
        directory = directory_for(self._run_dir, self.options.out, prepared.scenario)
        self._run_dir = None
        self._reason, self._interrupted, self._stopping = None, False, False
        self._stopped.clear()
        self._drained.clear()
        self.rate_changes.clear()
        self._refusals.clear()  # of a target that was looked at and not loaded
        run = Run(
            directory,
            prepared,
            lead_s=lead_s,
            started_at=offered.started_at if offered else None,
            workers=workers,
            command=self.options.command,
            foreign_locustfile=None if self.ours else self._locustfile,
            on_failure=self.give_up,
        )
        self.run, self._watch = run, Watch(self, run, distributed=distributed)
        self._send_plans(run)
        self._watch.start()
        if offered:
            run.event("offers_made", **offered.detail)
        logger.info("Recording into %s", directory.path)

    def end(self, reason: str, *, interrupted: bool = False) -> None:
        """End the run in order, from a greenlet of its own: stop Locust, or quit it when there is no web UI."""
        if self._reason is not None or self.run is None:
            return
        self._reason, self._interrupted = reason, interrupted
        gevent.spawn(self._runner.quit if self.options.headless else self._runner.stop)

    def refuse(self, refusal: Refusal) -> None:
        """End the run because it led to a host that nobody allowed."""
        if self._reason is None:
            self.tell(TargetRefused(refusal.reason))
            self.end(REFUSED_TARGET)

    def give_up(self, problem: EnvironmentProblem) -> None:
        """End the run at once because nothing more can be recorded."""
        logging.raiseExceptions = False  # the log may lie on the same full disk, and must not say so for every line
        self.tell(problem)
        if not self._stopping:
            self.end(UNRECORDABLE)
        elif self.run is not None:
            self._runner.send_message(DRAIN, to_wire(Drain(0.0)))

    def interrupt(self) -> None:
        """Note that a signal ends the run."""
        if self.run is not None and self._reason is None:
            self._reason, self._interrupted = "interrupted", True

    def set_rate(self, rate_per_s: float) -> None:
        """Offer another rate from half a second hence; UsageProblem when this run cannot."""
        if self.run is not None:
            check_rate(self.run.prepared.scenario.load, rate_per_s)
            change = RateChange(rate_per_s, self.run.clock.elapsed_s + 0.5)
            self.rate_changes.append(change)
            self._runner.send_message(RATE, to_wire(change))

    def on_test_stopping(self) -> None:
        """Locust is about to stop: let sessions leave and take in everything that was recorded; blocks, in limits."""
        run = self.run
        if run is None:
            return
        if self._stopping:  # asked again, with more urgency
            self._runner.send_message(DRAIN, to_wire(Drain(0.0)))
            self._stopped.wait(self._limit_s(0.0))
            return
        self._stopping = True
        if run.merger.workers and not self._roster.present():
            self._reason = self._reason or EVERYBODY_LOST
        drain_s = self._drain_s(run)
        if self._watch:
            self._watch.end_arrivals()
        run.event("run_stopped", reason=self._reason)
        self._runner.send_message(DRAIN, to_wire(Drain(drain_s)))
        deadline = time.monotonic() + self._limit_s(drain_s)
        while self._owing() and time.monotonic() < deadline:
            gevent.sleep(0.05)
        for worker in sorted(self._owing()):
            run.event("warning", message=f"{worker} did not hand in its last counts: the run is incomplete")
        self._stopped.set()

    def on_test_stop(self) -> None:
        """Locust has stopped: close the run and decide its exit code."""
        run, watch, self._watch = self.run, self._watch, None
        if run is None or watch is None:
            return
        complete = watch.finish() and run.merger.workers <= self._drained  # it still asks who was lost
        self.run = None
        run.merger.write_all()
        whole = complete and not watch.lost_worker and not run.failed
        code = self._exit_code(run, whole=whole)
        run.close(complete=complete, interrupted=self._interrupted)
        self._environment.process_exit_code = int(ExitCode.ENVIRONMENT if run.failed else code)
        logger.info("Recorded in %s", run.directory.path)
        if self._reason == EVERYBODY_LOST and self.options.headless:
            gevent.spawn(self._runner.quit)  # Locust itself would wait for new workers for ever

    def on_quitting(self) -> None:
        """The process ends: stop a run that is still on."""
        if self.run is not None:
            self._runner.stop()

    def tell(self, error: LonjakError) -> None:
        """A sentence for the user, and the exit code that goes with it."""
        with suppress(OSError):  # stderr may be a file on a full disk
            print(f"lonjak: {error}", file=sys.stderr, flush=True)  # noqa: T201 (stderr is where sentences go)
        self._environment.process_exit_code = int(error.exit_code)

    def lost_workers(self) -> list[str]:
        """Names of workers in the run that Locust has no word of."""
        if self.run is None:
            return []
        return sorted(self.run.merger.workers - self._drained - self._roster.present())

    def refusals(self) -> list[Refusal]:
        """Connections that the gate stopped since the last call, here or on a worker."""
        found = list(self._refusals)
        self._refusals.clear()
        return found

    @property
    def _locustfile(self) -> str:
        """The name of the locustfile, ours before it not counted."""
        names = [Path(path).name for path in self._environment.parsed_locustfiles or ()]
        return next((name for name in names if name != "plugin.py"), "locustfile.py")

    def _send_plans(self, run: Run) -> None:
        scenario, stack = run.prepared.scenario, run.prepared.stack
        cpus = tuple(stack.cpu_sets.get(GENERATOR, ())) if stack else ()
        names = self._roster.names
        caps = split_evenly(most_sessions(scenario.load), len(names))
        for index, ((worker, name), cap) in enumerate(zip(names.items(), caps, strict=True)):
            plan = RunPlan(
                worker=name,
                index=index,
                count=len(names),
                started_at=run.clock.started_at,
                session_cap=cap,
                targets=run.prepared.targets,
                ca_file=str(stack.ca_file) if stack and stack.ca_file else None,
                cpus=cpus,
                scenario=scenario,
            )
            self._runner.send_message(PLAN, plan.to_wire(), client_id=worker)
        if cpus:
            _pin(cpus)

    def _drain_s(self, run: Run) -> float:
        load, elapsed_s = run.prepared.scenario.load, run.clock.elapsed_s
        early = elapsed_s < load.duration_s - _NEARLY_S
        self._reason = self._reason or ("stopped" if early else "planned end")
        if early or self._interrupted or run.failed:
            return 0.0
        return max(0.0, load.duration_s + load.drain_s - elapsed_s)

    def _limit_s(self, drain_s: float) -> float:
        requests_s = max(
            (kind.timeouts.total_s for kind in self._environment.user_classes if issubclass(kind, ArrivalSource)),
            default=0.0,
        )
        return drain_s + requests_s + CUT_LIMIT_S + self._environment.stop_timeout + _FLUSH_LIMIT_S

    def _owing(self) -> set[str]:
        if self.run is None:
            return set()
        return set(self.run.merger.workers) - self._drained - set(self.lost_workers())

    def _exit_code(self, run: Run, *, whole: bool) -> ExitCode:
        if self._reason == REFUSED_TARGET:
            return ExitCode.USAGE
        if self._interrupted:
            return ExitCode.INTERRUPTED
        if not whole:
            return ExitCode.UNKNOWN
        if self._reason == STOP_RULE:
            return ExitCode.FAIL
        run.live.advance(run.merger.settled_s)  # what came after the last look
        decisions = run.decisions()
        for decision in decisions:
            if decision.outcome != "pass":
                logger.warning("Objective %s: %s", decision.outcome, decision.reason)
        return ExitCode.FAIL if any(decision.outcome == "fail" for decision in decisions) else ExitCode.PASS

    def _on_batch(self, *, msg: Message, **_environment: object) -> None:
        if self.run is None or msg.data["started_at"] != self.run.clock.started_at:
            return
        batch = Batch.from_wire(msg.data["batch"])
        if self._watch and batch.worker not in self.run.merger.workers and batch.worker in self._roster.present():
            self._watch.welcome_back(batch.worker)
        self.run.merger.accept(batch)
        if load := batch.load:
            at_s = max(0, batch.until_s - 1)
            row = Sample(at_s, GENERATOR, batch.worker, load.pid, load.cpu_ratio, load.memory_bytes)
            self.run.merger.samples([row])

    def _on_drained(self, *, msg: Message, **_environment: object) -> None:
        self._drained.add(msg.data["worker"])

    def _on_refused(self, *, msg: Message, **_environment: object) -> None:
        self._refusals.append(Refusal(**msg.data))


def _offer(prepared: Prepared, lead_s: float) -> OffersMade | None:
    """Have the shop put up what the scenario offers, if anything."""
    scenario, stack = prepared.scenario, prepared.stack
    return make_offers(scenario, stack, lead_s) if scenario.makes_offers and stack else None


def _pin(cpus: tuple[int, ...]) -> None:
    try:
        os.sched_setaffinity(0, cpus)
    except OSError as error:
        logger.warning("The load generator does not keep to processors %s: %s", cpus, error.strerror)
