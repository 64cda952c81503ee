"""The record of one run on the master, or in a lone process: directory and manifest from first moment to last."""

import importlib.metadata
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import gevent

from loadgen.config import Scenario, to_toml
from loadgen.errors import EnvironmentProblem, LonjakError, RunDirectoryProblem
from loadgen.live_objectives import LiveObjectives
from loadgen.manifest import Manifest, Plan, WorkerEntry
from loadgen.merger import Merger
from loadgen.objectives import Decision, decide
from loadgen.plans import UNPLANNED_S, Prepared
from loadgen.records import Event, Json
from loadgen.runclock import RunClock
from loadgen.rundir import RunDirectory
from loadgen.stack import Stack
from loadgen.target import without_credentials
from loadgen.truth import SETTLE_S, fetch_truth, log_sizes, write_origin

_LOG_FLUSH_S = 1.2  # edges write their logs once a second
_PACKAGES = ("lonjak", "locust", "gevent", "httptools", "hdrhistogram")


class Run:
    """The record of one run. Its second 0 lies `lead_s` after its creation, so that all workers can be told before.

    Or it was settled already: `started_at`, in seconds since the epoch.

    `on_failure` hears, once, that nothing more can be recorded; nothing but the constructor raises that.
    """

    def __init__(
        self,
        directory: RunDirectory,
        prepared: Prepared,
        *,
        lead_s: float,
        workers: tuple[WorkerEntry, ...],
        command: str | None,
        foreign_locustfile: str | None,
        on_failure: Callable[[EnvironmentProblem], None],
        started_at: float | None = None,
    ) -> None:
        scenario, commit = prepared.scenario, _commit()
        self._log_sizes = log_sizes(prepared.stack) if prepared.stack else {}
        started_at = time.time() + lead_s if started_at is None else started_at
        self.directory = directory
        self.prepared = prepared
        self.clock = RunClock(started_at)
        self.manifest = Manifest(
            scenario=scenario.name,
            seed=scenario.load.seed,
            target=without_credentials(prepared.target),
            targets=tuple(map(without_credentials, prepared.targets)),
            edge=prepared.stack.edge if prepared.stack else None,
            edge_options=asdict(prepared.stack.edge_options) if prepared.stack else {},
            caches=prepared.stack.caches if prepared.stack else (),
            products=(prepared.stack.products or None) if prepared.stack else None,
            plan=_plan(scenario, scenario.load.duration_s),
            started_at=started_at,
            command=without_credentials(command or shlex.join(sys.argv)),
            versions={"python": platform.python_version(), **_versions()},
            host=_host(),
            cpu_sets=dict(prepared.stack.cpu_sets) if prepared.stack else {},
            commit=commit,
            workers=workers,
            foreign_locustfile=foreign_locustfile,
        )
        self.live = LiveObjectives(scenario, planned=self.planned)
        steady_s = (int(scenario.load.warmup_s), scenario.load.duration_s)
        try:
            self._write(scenario)
            self.merger = Merger(
                directory,
                self.clock,
                steady_s,
                on_failure=lambda error: on_failure(self._problem(error)),
                pause=lambda: gevent.sleep(0),
                held=self.live.tallies,
            )
        except OSError as error:
            raise self._problem(error) from None
        self.merger.expect(worker.name for worker in workers)

    @property
    def failed(self) -> bool:
        """Whether something could not be recorded."""
        return self.merger.failure is not None

    @property
    def planned(self) -> bool:
        """Whether anybody said when the run should end."""
        return self.prepared.scenario.load.duration_s < UNPLANNED_S

    def event(self, kind: str, **detail: Json) -> None:
        """Something for the run's history, now."""
        if kind == "phase":
            self.live.begin_phase(str(detail["name"]), self.clock.elapsed_s)
        self.merger.event(Event(time.time(), kind, detail))

    def decisions(self) -> tuple[Decision, ...]:
        """What became of the objectives so far, over the steady phase or as their scopes say."""
        load = self.prepared.scenario.load
        steady_s = min(self.clock.elapsed_s, load.duration_s) - load.warmup_s
        objectives = self.prepared.scenario.objectives
        figures = self.merger.tally.figures(max(steady_s, 1e-9), [objective.path for objective in objectives])
        return tuple(self.live.decision(objective) or decide(objective, figures) for objective in objectives)

    def close(self, *, complete: bool, interrupted: bool) -> None:
        """Fetch what the target says, write the last lines, and mark the run as ended, unless its record failed."""
        ended_at = time.time()
        try:
            if self.prepared.stack and not self.failed:
                settle_s = 0.0 if interrupted else SETTLE_S
                for message in self._fetch(self.prepared.stack, ended_at, settle_s):
                    self.event("warning", message=message)
        except OSError as error:
            self.merger.fail(error)
        self.event("run_ended", complete=complete and not self.failed, interrupted=interrupted)
        self.merger.close()
        if self.failed:
            return
        scenario, plan = self.prepared.scenario, self.manifest.plan
        if not self.planned:
            elapsed_s = max(1.0, round(ended_at - self.clock.started_at, 3))
            plan = _plan(scenario, elapsed_s)
            scenario = replace(scenario, load=replace(scenario.load, duration_s=elapsed_s))
        self.manifest = replace(self.manifest, plan=plan, ended_at=ended_at, complete=complete, interrupted=interrupted)
        try:
            self._write(scenario)
        except OSError as error:
            self.merger.fail(error)

    def _fetch(self, stack: Stack, ended_at: float, settle_s: float) -> list[str]:
        if stack.access_logs:
            gevent.sleep(_LOG_FLUSH_S)
        problems = write_origin(self.directory, stack, self._log_sizes, self.clock.started_at, ended_at)
        try:
            if stack.ops_url:
                fetch_truth(self.directory, stack, self.clock.started_at, settle_s=settle_s, pause=gevent.sleep)
        except LonjakError as error:
            problems.append(str(error))
        return problems

    def _write(self, scenario: Scenario) -> None:
        """Write scenario and manifest, each in one step; what stood there stays when that fails (OSError)."""
        scenario = replace(scenario, target=scenario.target and without_credentials(scenario.target))
        for path, write in (
            (self.directory.scenario, lambda path: _replace(path, to_toml(scenario))),
            (self.directory.manifest, self.manifest.write),
        ):
            try:
                write(path)
            except OSError:
                with suppress(OSError):
                    path.with_name(path.name + ".new").unlink()
                raise

    def _problem(self, error: OSError) -> EnvironmentProblem:
        why = error.strerror or str(error)
        return EnvironmentProblem(f"cannot record into {self.directory.path}: {why}; free some space or give --out DIR")


def directory_for(run_dir: Path | None, out: Path, scenario: Scenario) -> RunDirectory:
    """The directory that was prepared, or a new one below `out`; a run that is already there is left alone."""
    if run_dir is None:
        return RunDirectory.create(out, scenario.name, datetime.now(UTC))
    directory = RunDirectory(run_dir)
    if not run_dir.is_dir():
        raise RunDirectoryProblem(f"--run-dir {run_dir} is not a directory: create it, or give --out DIR")
    if directory.manifest.exists():
        raise RunDirectoryProblem(f"--run-dir {run_dir} holds a run already: nothing is overwritten; give another")
    return directory


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _plan(scenario: Scenario, duration_s: float) -> Plan:
    load = scenario.load
    return Plan(
        load.model, load.rate_per_s, duration_s, load.warmup_s, load.drain_s, arrivals=load.arrivals, users=load.users
    )


def _versions() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _host() -> Mapping[str, str | int | float]:
    return {
        "name": platform.node(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu_count": os.cpu_count() or 1,
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    }


def _commit() -> str | None:
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None if found.returncode == 0 else None
