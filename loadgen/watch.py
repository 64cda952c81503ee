"""What happens on the master while a run is on: control lines, phases, faults, samples, live objectives, its end."""

import logging
import os
from collections.abc import Iterator, Sequence
from typing import Protocol

import gevent

from loadgen.batch import Second
from loadgen.control import ControlLine, ControlReader
from loadgen.errors import UsageProblem
from loadgen.fault_plans import FaultPlan
from loadgen.faults import make_fault
from loadgen.messages import RateChange, Refusal
from loadgen.page_kinds import SESSION
from loadgen.queues import EVERY_S, QueueSampler
from loadgen.records import Json
from loadgen.run import Run
from loadgen.sampler import GENERATOR, CpuMeter, Sample, Sampler, memory_bytes
from loadgen.schedule import Arrival, Schedule, Share
from loadgen.session import draw_segment
from loadgen.stack import Stack, StackProcess, read_stack

logger = logging.getLogger(__name__)

POLL_S = 0.2
DECIDE_EVERY_S = 2
STOP_RULE = "stop rule"


class Lead(Protocol):
    """What the watch needs of the conductor."""

    @property
    def ours(self) -> bool:
        """Whether shoppers arrive by a plan that has an end."""

    @property
    def rate_changes(self) -> Sequence[RateChange]:
        """The other rates that were offered, in order."""

    def end(self, reason: str, *, interrupted: bool = False) -> None:
        """End the run."""

    def refuse(self, refusal: Refusal) -> None:
        """End the run because it led to a host that nobody allowed."""

    def set_rate(self, rate_per_s: float) -> None:
        """Offer another rate; UsageProblem when this run cannot."""

    def lost_workers(self) -> list[str]:
        """Workers without a sign of life."""

    def refusals(self) -> list[Refusal]:
        """Connections that the gate stopped."""


class Watch:
    """Looks after one run from its first second to its last; one look every 0.2 s, most things once a second."""

    def __init__(self, lead: Lead, run: Run, *, distributed: bool) -> None:
        self._lead = lead
        self._run = run
        self._control = ControlReader(run.directory.control)
        self._sampler = Sampler()
        self._own_meter = CpuMeter(os.getpid()) if distributed else None  # a lone process samples itself as a worker
        self._phases = _phases(run)
        self._arrivals_ended = False
        self._broken: set[str] = set()
        self._lost: dict[str, int] = {}  # worker -> the second up to which it handed in
        self._looked_s = -1
        self._ended_early = False
        self._greenlets: list[gevent.Greenlet] = []

    def start(self) -> None:
        """Note the start and look after the run from now on."""
        run, scenario = self._run, self._run.prepared.scenario
        run.event("run_started", scenario=scenario.name, target=run.manifest.target, seed=scenario.load.seed)
        for worker in run.manifest.workers:
            run.event("worker_joined", worker=worker.name, pid=worker.pid, clock_offset_s=worker.clock_offset_s)
        self._greenlets = [gevent.spawn(self._look_after)]
        if stack := run.prepared.stack:
            self._greenlets += [gevent.spawn(self._break, plan, stack) for plan in scenario.faults]
            self._greenlets.append(gevent.spawn(self._look_at_queues, stack, QueueSampler()))

    def end_arrivals(self) -> None:
        """Note, once, that nobody arrives any more."""
        if not self._arrivals_ended:
            self._arrivals_ended = True
            self._run.event("arrivals_ended")

    def finish(self) -> bool:
        """Look no longer; False when no worker was left to hand in."""
        me = gevent.getcurrent()
        for greenlet in self._greenlets:
            if greenlet is not me:
                greenlet.kill()
        self._look_for_refusals()  # those of the last second
        self._look_for_workers()
        self._count_lost_arrivals()
        return bool(self._run.merger.workers)

    @property
    def lost_worker(self) -> bool:
        """Whether a worker was lost on the way, and did not come back."""
        return bool(self._lost)

    def welcome_back(self, worker: str) -> None:
        """A worker that was silent for a while hands in again, what it counted meanwhile too."""
        if self._lost.pop(worker, None) is not None:
            self._run.merger.expect([worker])
            self._run.event("worker_returned", worker=worker)

    def _look_after(self) -> None:
        while True:
            gevent.sleep(POLL_S)
            try:
                self._look()
            except Exception as error:
                logger.exception("The run goes on, but one look at it failed")
                self._run.event("warning", message=f"watching the run failed: {type(error).__name__}: {error}")

    def _look(self) -> None:
        for line in self._control.poll():
            self._obey(line)
        self._look_for_refusals()
        elapsed_s = self._run.clock.elapsed_s
        while self._phases and elapsed_s >= self._phases[0][0]:
            self._run.event("phase", name=self._phases.pop(0)[1])
        if elapsed_s < 0 or int(elapsed_s) == self._looked_s:
            return
        self._looked_s = int(elapsed_s)
        self._run.merger.samples([*self._own_sample(), *self._sampler.sample(self._looked_s, self._processes())])
        self._run.merger.write_due()
        self._look_for_workers()
        if self._looked_s % DECIDE_EVERY_S == 0:
            self._decide()
        self._hold_objectives(elapsed_s)
        if self._lead.ours:
            self._look_for_end(elapsed_s)

    def _hold_objectives(self, elapsed_s: float) -> None:
        """Tell of budgets that burn, and end a run that a stop rule gives up."""
        run = self._run
        for kind, detail in run.live.advance(run.merger.settled_s):
            run.event(kind, **detail)
        if self._ended_early or elapsed_s >= run.prepared.scenario.load.duration_s:
            return
        if stop := run.live.stop(run.merger.tally, steered=bool(self._lead.rate_changes)):
            self._ended_early = True
            run.event("stop_rule_met", **stop.as_json())
            self._lead.end(STOP_RULE)

    def _look_at_queues(self, stack: Stack, sampler: QueueSampler) -> None:
        """Apart from the other looks: a shop in trouble may take a second to answer."""
        run = self._run
        while True:
            if run.clock.elapsed_s >= 0:
                try:
                    run.merger.queues(list(sampler.sample(run.clock.second, read_stack(stack.path))))
                except UsageProblem:  # being taken down
                    pass
                except Exception as error:
                    logger.exception("The run goes on without its queues")
                    run.event("warning", message=f"looking at the queues failed: {type(error).__name__}: {error}")
                    return
            gevent.sleep(EVERY_S)

    def _look_for_refusals(self) -> None:
        for refusal in self._lead.refusals():
            self._run.event("target_refused", host=refusal.host, reason=refusal.reason)
            self._lead.refuse(refusal)

    def _obey(self, line: ControlLine) -> None:
        if line.problem:
            self._run.event("warning", message=line.problem)
        elif line.set_rate_per_s is not None:
            self._set_rate(line.set_rate_per_s)
        elif line.phase is not None:
            self._run.event("control", phase=line.phase)
            self._run.event("phase", name=line.phase)
        elif line.stop:
            self._run.event("control", stop=True)
            self._lead.end("control")

    def _set_rate(self, rate_per_s: float) -> None:
        try:
            self._lead.set_rate(rate_per_s)
        except UsageProblem as problem:
            self._run.event("warning", message=f"set_rate was refused: {problem}")
        else:
            self._run.event("control", set_rate=rate_per_s)

    def _own_sample(self) -> list[Sample]:
        cpu_ratio = self._own_meter.ratio() if self._own_meter else None
        if cpu_ratio is None:
            return []
        pid = os.getpid()
        return [Sample(self._looked_s, GENERATOR, "master", pid, cpu_ratio, memory_bytes(pid))]

    def _processes(self) -> tuple[StackProcess, ...]:
        stack = self._run.prepared.stack
        if stack is None:
            return ()
        try:
            return read_stack(stack.path).processes
        except UsageProblem:
            return ()  # being taken down

    def _look_for_workers(self) -> None:
        for worker in self._lead.lost_workers():
            self._lost[worker] = self._run.merger.lose(worker)
            self._run.event("worker_lost", worker=worker, handed_in_s=self._lost[worker])

    def _decide(self) -> None:
        load = self._run.prepared.scenario.load
        if not load.warmup_s < self._run.clock.elapsed_s < load.duration_s:
            return
        for decision in self._run.decisions():
            name = str(decision.objective)
            if decision.outcome == "fail" and name not in self._broken:
                self._broken.add(name)
                self._run.event("objective_broken", objective=name, value=decision.value)
            elif decision.outcome == "pass" and name in self._broken:
                self._broken.remove(name)
                self._run.event("objective_met", objective=name, value=decision.value)

    def _look_for_end(self, elapsed_s: float) -> None:
        load, merger = self._run.prepared.scenario.load, self._run.merger
        if elapsed_s < load.duration_s:
            return
        self.end_arrivals()
        everybody_left = merger.complete_s > load.duration_s and merger.sessions_in_progress == 0
        if everybody_left or elapsed_s >= load.duration_s + load.drain_s:
            self._lead.end("planned end")

    def _break(self, plan: FaultPlan, stack: Stack) -> None:
        gevent.sleep(max(0.0, plan.at_s - self._run.clock.elapsed_s))
        try:
            make_fault(plan, stack, self._tell)
        except Exception as error:  # a fault that cannot be made must not end the run
            reason = f"{type(error).__name__}: {error}"
            self._run.event("fault_skipped", fault=plan.kind, **plan.parameters, reason=reason)

    def _tell(self, kind: str, detail: dict[str, Json]) -> None:
        self._run.event(kind, **detail)

    def _count_lost_arrivals(self) -> None:
        """Sessions that a lost worker was to begin were never sent: they are dropped, not forgotten."""
        scenario, names = self._run.prepared.scenario, [worker.name for worker in self._run.manifest.workers]
        until_s = min(self._run.clock.elapsed_s, scenario.load.duration_s)
        for worker, from_s in self._lost.items() if self._lead.ours else ():
            for arrival in self._due(Share(names.index(worker), len(names)), from_s, until_s):
                second = Second(int(arrival.due_s))
                second.funnel[second.elapsed_s, draw_segment(scenario, arrival.number)]["dropped_count"] = 1
                second.counters[SESSION]["dropped_count"] = 1
                self._run.merger.add([second])

    def _due(self, share: Share, from_s: float, until_s: float) -> Iterator[Arrival]:
        """A share's arrivals between two instants, as they stood in the end."""
        schedule = Schedule(self._run.prepared.scenario.load, share)
        for change in self._lead.rate_changes:
            schedule.set_rate(change.rate_per_s, change.from_s)
        while (arrival := schedule.next) is not None and arrival.due_s < until_s:
            if arrival.due_s >= from_s:
                yield arrival
            schedule.advance()


def _phases(run: Run) -> list[tuple[float, str]]:
    load = run.prepared.scenario.load
    phases = [(0.0, "warm-up"), (load.warmup_s, "steady"), (load.duration_s, "drain")]
    return phases if load.warmup_s > 0 else phases[1:]
