"""One run from scenario to answer: directory, generator, figures, documents. Commands and studies stand on it."""

import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from loadgen.config import Scenario, to_toml
from loadgen.cpus import split
from loadgen.exitcodes import ExitCode
from loadgen.gate import Gate
from loadgen.rundir import RunDirectory
from loadgen.target import without_credentials
from lonjak import generator
from lonjak.documents import Answer, draw
from lonjak.preflight import check_target
from lonjak.progress import Progress
from lonjak.watch import RunWatch


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What one run is made of, besides its scenario. `users` and `spawn_rate_per_s` are for a foreign locustfile.

    `targets` are all points of presence, `target` the first; left out, there is no other. `shoppers` is a locustfile
    whose ArrivalSource plays the sessions, in place of the scenario's storefront.
    """

    target: str
    out: Path = Path("runs")
    generators: int = 1
    allow_hosts: tuple[str, ...] = ()
    faults: bool = True
    stack: Path | None = None
    locustfile: Path | None = None
    users: int = 10
    spawn_rate_per_s: float = 10.0
    targets: tuple[str, ...] = ()
    shoppers: Path | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """All points of presence, each once, the first one first."""
        return tuple(dict.fromkeys((self.target, *self.targets)))


def run_scenario(scenario: Scenario, options: RunOptions, progress: Progress) -> Answer:
    """Drive the load, judge and report it.

    Raises LonjakError when the run could not begin; an interrupted run is judged as far as it went.
    """
    check_targets(options)
    run = RunDirectory.create(options.out, scenario.name, datetime.now(UTC))
    interrupted = record(scenario, options, run, progress)
    progress.start("analysis and report")
    answer = draw(run)
    return Answer(answer.sentence, answer.report, ExitCode.INTERRUPTED) if interrupted else answer


def check_targets(options: RunOptions) -> None:
    """TargetRefused when the gate keeps a host out; TargetUnreachable when one of them does not answer."""
    gate = Gate(options.allow_hosts)
    for target in options.addresses:
        check_target(target, gate)


def record(scenario: Scenario, options: RunOptions, run: RunDirectory, progress: Progress, title: str = "") -> bool:
    """Drive the load into an empty run directory, without judging it; whether it was interrupted.

    Raises LonjakError, or KeyboardInterrupt, when the run could not begin: its directory is gone then.
    """
    shown = without_credentials(options.target)
    watch = RunWatch(run, scenario.load, progress, title or f"{scenario.name} against {shown}")
    return drive(scenario, options, run, watch.look)


def drive(scenario: Scenario, options: RunOptions, run: RunDirectory, on_tick: Callable[[], None]) -> bool:
    """As `record`, for somebody who looks after the run by themselves: `on_tick` is called five times a second."""
    shown = without_credentials(options.target)
    run.scenario.write_text(to_toml(replace(scenario, target=shown)), encoding="utf-8")
    code, interrupted = generator.follow(_command(scenario, options, run), run, split().generator, on_tick)
    if not run.manifest.exists():
        early_end = KeyboardInterrupt() if interrupted else generator.explain_early_end(run, code)
        shutil.rmtree(run.path)  # nothing was recorded
        raise early_end
    if code == ExitCode.ENVIRONMENT:
        raise generator.explain_early_end(run, code)  # it could not record any more
    return interrupted


def _command(scenario: Scenario, options: RunOptions, run: RunDirectory) -> list[str]:
    foreign = options.locustfile
    files = [generator.recorder_plugin(), foreign] if foreign else [options.shoppers or generator.door()]
    arguments = ["--headless", "--only-summary", "--host", options.target]
    arguments += generator.processes(options.generators)
    arguments += ["--run-dir", str(run.path.resolve()), "--scenario", str(run.scenario.resolve())]
    arguments += ["--command", shlex.join(["lonjak", *sys.argv[1:]])]
    if foreign:
        arguments += ["-u", str(options.users), "-r", str(options.spawn_rate_per_s)]
        arguments += ["-t", f"{scenario.load.duration_s:g}s"]
    for url in options.addresses[1:]:
        arguments += ["--more-host", url]
    for host in options.allow_hosts:
        arguments += ["--allow-host", host]
    arguments += [] if options.faults else ["--no-faults"]
    arguments += ["--stack", str(options.stack.resolve())] if options.stack else []
    return generator.locust_command(files, arguments)
