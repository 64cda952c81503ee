"""Section `big-run`: what an hour at 5,000 requests a second takes on the disk, and to be understood and reported.

The run is recorded through the recorder, the wire's form and the merger by a clock that is moved by hand
(`loadgen.bench.big_run`); then `lonjak report` draws it, as anybody would.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loadgen.errors import EnvironmentProblem
from loadgen.exitcodes import ExitCode
from loadgen.rundir import RunDirectory
from lonjak.bench.recorded import recorded_count
from lonjak.bench.section import Section, Settings
from lonjak.progress import Progress

SECONDS = 3600
RATE_PER_S = 5000.0
_SHORTEST_S = 60  # with fewer there is no steady phase after the warm-up
_HEADINGS = ("requests", "recorded in", "run directory", "reported in", "memory", "report.html")
_VERDICTS = (ExitCode.PASS, ExitCode.FAIL, ExitCode.UNKNOWN)


@dataclass(frozen=True, slots=True)
class BigRun:
    """`run_bytes`: what was recorded, without the documents; `report_peak_bytes`: the most that `lonjak report` held
    in memory, by the kernel; `report_s`: from its start to its end, the program's own start included."""

    request_count: int
    seconds: int
    record_s: float
    run_bytes: int
    report_s: float
    report_peak_bytes: int
    report_html_bytes: int


def big_run(settings: Settings, progress: Progress) -> Section:
    """Record one big run, and report it."""
    seconds = max(_SHORTEST_S, settings.share_of(SECONDS))
    with tempfile.TemporaryDirectory(prefix="lonjak-bench-") as text:
        found = _measured(Path(text) / "run", seconds, progress)
    line = (
        f"{found.request_count:,}",
        f"{found.record_s:.0f} s",
        f"{found.run_bytes / 1e6:,.1f} MB",
        f"{found.report_s:.1f} s",
        f"{found.report_peak_bytes / (1 << 20):,.0f} MiB",
        f"{found.report_html_bytes / 1e6:.1f} MB",
    )
    sentence = (
        f"{seconds:,} seconds at {RATE_PER_S:,.0f} requests a second, recorded as any run by a clock that is moved by "
        "hand, and drawn by `lonjak report`, whose memory is the most that it ever held."
    )
    return Section("big-run", sentence, _HEADINGS, (line,), (found,))


def _measured(folder: Path, seconds: int, progress: Progress) -> BigRun:
    progress.start("big-run: recording", seconds, " s")
    program = (sys.executable, "-m", "loadgen.bench.big_run", str(folder))
    began = time.monotonic()
    recorded = _run((*program, "--seconds", str(seconds), "--rate", f"{RATE_PER_S:g}"), progress.advance)
    record_s = time.monotonic() - began
    if recorded.code != ExitCode.PASS:
        raise EnvironmentProblem(f"the big run could not be recorded in {folder.parent}: is there room for 200 MB?")
    run = RunDirectory(folder)
    run_bytes = sum(path.stat().st_size for path in folder.iterdir())
    progress.start("big-run: analysis and report")
    began = time.monotonic()
    reported = _run((sys.executable, "-m", "lonjak", "report", str(folder)), lambda _: None)
    report_s = time.monotonic() - began
    if reported.code not in _VERDICTS:
        raise EnvironmentProblem(f"lonjak report ended with {reported.code}")
    return BigRun(
        recorded_count(run),
        seconds,
        record_s,
        run_bytes,
        report_s,
        reported.peak_bytes,
        run.report.stat().st_size,
    )


@dataclass(frozen=True, slots=True)
class _Ended:
    code: int
    peak_bytes: int


def _run(command: tuple[str, ...], on_number: Callable[[float], None]) -> _Ended:
    """Run a program to its end; its lines that are numbers say how far it is."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        try:
            for line in process.stdout or ():
                if line.strip().isdecimal():
                    on_number(float(line))
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
    return _Ended(process.returncode, usage.ru_maxrss * 1024)
