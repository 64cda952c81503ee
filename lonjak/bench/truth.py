"""Whether this generator's response times are right: a server that freezes, measured, beside queueing theory.

Each case starts freezing_server.py, lets sessions of one request arrive on schedule, and compares the percentiles in
the run directory with those of Lindley's recursion over the very same schedule. Beside them stands what users in a loop
see of the same freeze. Generator and server keep to different processors.
"""

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from loadgen.config import Scenario, resolve, to_toml
from loadgen.cpus import split
from loadgen.errors import EnvironmentProblem
from loadgen.histogram import Histogram, value_at
from loadgen.hlog import read_hlog
from loadgen.manifest import Manifest
from loadgen.rundir import RunDirectory
from loadgen.schedule import Share, arrivals
from lonjak import generator
from lonjak.bench.freezing_server import Report, starved_s
from lonjak.bench.queueing import Freeze, percentile, response_times_s
from lonjak.progress import Progress
from lonjak.watch import RunWatch

PERCENTS = (50.0, 90.0, 99.0, 99.9)
TOLERANCE_RATIO, TOLERANCE_MS = 0.02, 1.0  # whichever is more
TRIES = 3
_FREEZE_AT_RATIO = 0.3
_USERS_PER_RATE = 0.02  # a user asks 50 times a second, as one_request.py pauses 20 ms in between
_DRAIN_S = 5.0
_LATE_LIMIT_MS = 0.5  # half the tolerance of the lower percentiles
_LATE_ANSWERS_RATIO = 0.01
_STARVED_RATIO = 0.02  # a fifth of the tenth that p90 leaves out
_SCALES = (0.7, 1.5)  # beyond them p90 or p99 would come near the edge of the share that a freeze meets
_RESOLUTION_US = 20.0  # of a mean, in histograms of three digits of which a fortieth counts up to two seconds
_UNCHARGED = "response times leave out how late the generator itself was"
Model = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class Case:
    """One freeze. Its run is so long that it meets 2.5 or 5 % of the sessions: p99 and p99.9 lie inside, p90 out."""

    freeze_s: float
    rate_per_s: float
    service_s: float
    duration_s: float


CASES = (
    Case(0.2, 200.0, 0.001, 10.0),
    Case(0.2, 1000.0, 0.0002, 10.0),
    Case(2.0, 200.0, 0.001, 50.0),
    Case(2.0, 1000.0, 0.0002, 50.0),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One percentile of one case; `analytic_ms` is what arriving sessions must see, whatever the model measured.

    within: whether both agree; None is unknown, and `doubt` says why.
    """

    freeze_s: float
    rate_per_s: float
    model: Model
    percent: float
    analytic_ms: float
    measured_ms: float
    within: bool | None
    doubt: str = ""

    @property
    def difference_ms(self) -> float:
        """How much more was measured."""
        return self.measured_ms - self.analytic_ms


@dataclass(frozen=True, slots=True)
class _Measured:
    """What one run left: histograms by measure, its second 0 since the epoch, and what all three say of themselves.

    starved_ratio: the share of the time for which generator or server waited for their processors; unfit: why the run's
    own analysis would give no verdict, empty when it would.
    """

    histograms: Mapping[str, Histogram]
    started_at: float
    server: Report
    overflow_count: int
    starved_ratio: float
    unfit: str


def measure(duration_scale: float, progress: Progress) -> Sequence[Row]:
    """All cases, open and closed; `duration_scale` (held within 0.7 .. 1.5) shortens or stretches their runs."""
    scale = min(max(duration_scale, _SCALES[0]), _SCALES[1])
    cases = [replace(case, duration_s=case.duration_s * scale) for case in CASES]
    return [row for case in cases for rows in (measure_open, measure_closed) for row in rows(case, progress)]


def measure_open(case: Case, progress: Progress) -> Sequence[Row]:
    """This generator against theory: repeated while it differs and the generator itself says that it was late."""
    rows: Sequence[Row] = ()
    for _ in range(TRIES):
        due_s = _due_s(case)
        measured = _run(case, "open", progress)
        rows = _rows(case, "open", due_s, measured)
        if not charged(measured.histograms):
            return [replace(row, within=False, doubt=_UNCHARGED) for row in rows]
        doubt = doubts(measured, len(due_s))
        answered = measured.histograms["response_time"].count == len(due_s)
        if not doubt or (answered and all(row.within for row in rows)):
            return rows
        rows = [replace(row, within=None, doubt=doubt) for row in rows]
    return rows


def measure_closed(case: Case, progress: Progress) -> Sequence[Row]:
    """Users in a loop, as many as make the same load, beside the same theory: what they leave out is not there."""
    return _rows(case, "closed", _due_s(case), _run(case, "closed", progress))


@contextmanager
def freezing_server(case: Case) -> Iterator[tuple[int, Callable[[], Report]]]:
    """A freezing server on the shop's processors: its port, and how to end it and hear its report."""
    timing = {"service": case.service_s, "freeze-at": case.duration_s * _FREEZE_AT_RATIO, "freeze": case.freeze_s}
    command = [sys.executable, "-m", "lonjak.bench.freezing_server"]
    for name, seconds in timing.items():
        command += [f"--{name}-s", str(seconds)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        os.sched_setaffinity(process.pid, split().stack)
        first = process.stdout.readline() if process.stdout else ""
        if not first.strip().isdecimal():
            raise EnvironmentProblem("the freezing server did not start: run python -m lonjak.bench.freezing_server")
        yield int(first), lambda: Report.parse(process.communicate(timeout=10)[0].splitlines()[-1])
    finally:
        process.kill()
        process.communicate()


def charged(histograms: Mapping[str, Histogram]) -> bool:
    """Whether response times hold what the generator was late, on average: too little of it to show in percentiles."""
    response_us, service_us, lag_us = (
        _mean_us(histograms[measure]) for measure in ("response_time", "service_time", "schedule_lag")
    )
    return response_us - service_us >= lag_us * (1 - TOLERANCE_RATIO) - _RESOLUTION_US


def doubts(measured: _Measured, planned_count: int) -> str:
    """Why these figures may be the machine's own and not the server's; empty when nothing speaks for that."""
    answered = measured.histograms["response_time"].count
    lag_ms = measured.histograms["schedule_lag"].percentile_us(90.0) / 1000
    late_ratio = measured.server.late_count / max(1, measured.server.answered_count)
    found = {
        f"{answered} of {planned_count} sessions got an answer": answered != planned_count,
        f"the kernel turned away {measured.overflow_count} connections": measured.overflow_count > 0,
        f"one session in ten began {lag_ms:.1f} ms or more after its instant": lag_ms > _LATE_LIMIT_MS,
        f"the server was late with {late_ratio:.1%} of its answers": late_ratio > _LATE_ANSWERS_RATIO,
        f"something else had the processors for {measured.starved_ratio:.1%} of the time": (
            measured.starved_ratio > _STARVED_RATIO
        ),
        measured.unfit: bool(measured.unfit),
    }
    said = "; ".join(sentence for sentence, holds in found.items() if holds)
    return f"unknown: the generator was the bottleneck in each of {TRIES} tries: {said}" if said else ""


def _rows(case: Case, model: Model, due_s: Sequence[float], measured: _Measured) -> list[Row]:
    freeze = Freeze(measured.server.frozen_from_at - measured.started_at, case.freeze_s)
    expected_s = sorted(response_times_s(due_s, case.service_s, freeze))
    found_us = measured.histograms["response_time"].percentiles_us(PERCENTS)
    return [
        _row(case, model, percent, percentile(expected_s, percent) * 1000, found / 1000)
        for percent, found in zip(PERCENTS, found_us, strict=True)
    ]


def _row(case: Case, model: Model, percent: float, analytic_ms: float, measured_ms: float) -> Row:
    allowed_ms = max(TOLERANCE_MS, TOLERANCE_RATIO * analytic_ms)
    within = abs(measured_ms - analytic_ms) <= allowed_ms
    return Row(case.freeze_s, case.rate_per_s, model, percent, analytic_ms, measured_ms, within)


def _due_s(case: Case) -> list[float]:
    return [arrival.due_s for arrival in arrivals(_scenario(case, "open").load, Share())]


def _scenario(case: Case, model: Model) -> Scenario:
    load: dict[str, object] = {
        "duration": f"{case.duration_s:g}s",
        "drain": f"{_DRAIN_S:g}s",
        "session_cap": 20_000,
    }
    if model == "closed":
        load |= {"model": "closed", "users": max(1, round(case.rate_per_s * _USERS_PER_RATE))}
    else:
        load |= {"arrivals": "constant", "rate_per_s": case.rate_per_s}
    return resolve({"load": load}, "truth", {})


def _run(case: Case, model: Model, progress: Progress) -> _Measured:
    """One run against a server of its own."""
    title = f"a freeze of {case.freeze_s:g} s at {case.rate_per_s:g}/s, {model} model"
    with tempfile.TemporaryDirectory(prefix="lonjak-truth-") as folder, freezing_server(case) as (port, end):
        run, scenario = RunDirectory(Path(folder) / "run"), _scenario(case, model)
        run.path.mkdir()
        run.scenario.write_text(to_toml(scenario), encoding="utf-8")
        watch = RunWatch(run, scenario.load, progress, title)
        starved, before = _Starved(run), _overflow_count()
        command = _command(run, f"http://127.0.0.1:{port}")

        def both() -> None:
            watch.look()
            starved.look()

        code, interrupted = generator.follow(command, run, split().generator, both)
        if interrupted:
            raise KeyboardInterrupt
        if not run.manifest.exists():
            raise generator.explain_early_end(run, code)
        server = end()
        return _Measured(
            histograms=_histograms(run),
            started_at=Manifest.read(run.manifest).started_at,
            server=server,
            overflow_count=_overflow_count() - before,
            starved_ratio=max(starved.seconds, server.starved_s) / case.duration_s,
            unfit=_unfit(run),
        )


def _command(run: RunDirectory, url: str) -> list[str]:
    locustfile = generator.recorder_plugin().parent / "bench" / "one_request.py"
    arguments = ["--headless", "--only-summary", "--host", url]
    arguments += ["--run-dir", str(run.path), "--scenario", str(run.scenario)]
    # A master of its own: a worker that also wrote the files would be late once a second, and at the start.
    return generator.locust_command([locustfile], [*arguments, *generator.processes(1)])


class _Starved:
    """How long a run's workers were ready but had no processor, looked at while they are there."""

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._first_s: dict[int, float] = {}
        self._last_s: dict[int, float] = {}

    def look(self) -> None:
        """Read what the kernel counted so far."""
        if not self._first_s and self._run.manifest.exists():
            workers = Manifest.read(self._run.manifest).workers
            self._first_s = {worker.pid: starved_s(worker.pid) for worker in workers}
        for pid in self._first_s:
            self._last_s[pid] = max(starved_s(pid), self._last_s.get(pid, 0.0))

    @property
    def seconds(self) -> float:
        """The longest of them."""
        return max((last_s - self._first_s[pid] for pid, last_s in self._last_s.items()), default=0.0)


def _histograms(run: RunDirectory) -> Mapping[str, Histogram]:
    found: defaultdict[str, Histogram] = defaultdict(Histogram)
    for line in read_hlog(run.hlog):
        if line.tag.result == "ok":
            found[line.tag.measure].merge(line.histogram)
    return found


def _mean_us(histogram: Histogram) -> float:
    return sum(value_at(index) * count for index, count in histogram.counts.items()) / max(1, histogram.count)


def _unfit(run: RunDirectory) -> str:
    import analysis.run  # noqa: PLC0415 - pandas takes a second to load

    health = analysis.run.analyse(run).health
    return "" if health.sufficient else health.sentence


def _overflow_count() -> int:
    """Connections that this machine's kernel dropped as a listener's queue was full, since it started."""
    lines = Path("/proc/net/netstat").read_text(encoding="ascii").splitlines()
    names, values = (line.split() for line in lines[:2])
    return int(values[names.index("ListenOverflows")])
