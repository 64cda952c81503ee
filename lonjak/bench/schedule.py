"""Section `schedule`: how punctually sessions begin when the generator is half busy.

First as many sessions of one request as one processor can make; then half as many a second, by a Poisson schedule, and
how long after its instant each began.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from loadgen.histogram import Histogram
from loadgen.hlog import read_hlog
from loadgen.rundir import RunDirectory
from lonjak import generator
from lonjak.bench.contenders import Aim, lonjak_command
from lonjak.bench.processes import END_S, pause, started
from lonjak.bench.section import Section, Settings
from lonjak.bench.server import SmallPage, small_page
from lonjak.progress import Progress

_USERS = 400  # in a loop, with pauses of 20 ms: more than one processor can serve
_WARMUP_S = 3.0
_START_S = 30.0
_HEADINGS = ("sessions/s", "of", "begun", "schedule lag p50", "p99", "p99.9")


@dataclass(frozen=True, slots=True)
class Punctuality:
    """Lags in microseconds, of sessions that were to begin at half of `capacity_per_s`."""

    capacity_per_s: float
    rate_per_s: float
    session_count: int
    lag_p50_us: int
    lag_p99_us: int
    lag_p999_us: int


def schedule(settings: Settings, progress: Progress) -> Section:
    """Schedule lag at half of the generator's capacity."""
    with tempfile.TemporaryDirectory(prefix="lonjak-bench-") as text:
        folder = Path(text)
        with small_page(folder, (settings.server_cpu,), 10_000) as server:
            progress.start("schedule: what one processor can make", settings.duration_s, " s")
            capacity_per_s = _capacity(server, folder / "most", settings, progress)
            progress.start("schedule: half of that", settings.duration_s, " s")
            lags = _lags(server, folder / "half", capacity_per_s / 2, settings, progress)
    p50, p99, p999 = lags.percentiles_us((50.0, 99.0, 99.9))
    found = Punctuality(capacity_per_s, capacity_per_s / 2, lags.count, p50, p99, p999)
    line = (
        f"{found.rate_per_s:,.0f}",
        f"{capacity_per_s:,.0f}",
        f"{lags.count:,}",
        *(f"{lag_us / 1000:.2f} ms" for lag_us in (p50, p99, p999)),
    )
    sentence = "Sessions of one request over a connection of their own; one load process and its master, one processor."
    return Section("schedule", sentence, _HEADINGS, (line,), (found,))


def _capacity(server: SmallPage, folder: Path, settings: Settings, progress: Progress) -> float:
    folder.mkdir()
    aim = Aim(server.url, _USERS, 0, folder)
    load: dict[str, object] = {"model": "closed", "users": _USERS, "duration": "1h", "drain": "0s"}
    before = server.read()
    with started("Lonjak", _command(aim, load), cpus=(settings.contender_cpu,), folder=folder) as running:
        server.wait_for(before.request_count + _USERS, _START_S, running)
        pause(_WARMUP_S, server.program, running)
        first = server.read()
        pause(settings.duration_s, server.program, running, on_tick=progress.advance)
        last = server.read()
        running.interrupt(END_S)
    return (last.request_count - first.request_count) / (last.at - first.at)


def _lags(server: SmallPage, folder: Path, rate_per_s: float, settings: Settings, progress: Progress) -> Histogram:
    folder.mkdir()
    aim = Aim(server.url, 0, 0, folder)
    load: dict[str, object] = {
        "rate_per_s": rate_per_s,
        "warmup": _WARMUP_S,
        "duration": _WARMUP_S + settings.duration_s,
        "session_cap": 100_000,
    }
    with started("Lonjak", _command(aim, load), cpus=(settings.contender_cpu,), folder=folder) as running:
        progress.advance(0)
        running.process.wait(_START_S + settings.duration_s + END_S)
    lags = Histogram()
    for line in read_hlog(RunDirectory(aim.run).hlog):
        if line.tag.measure == "schedule_lag" and line.elapsed_s >= _WARMUP_S:
            lags.merge(line.histogram)
    return lags


def _command(aim: Aim, load: dict[str, object]) -> tuple[str, ...]:
    return (*lonjak_command(aim, "OneRequest", load, file="one_request.py"), *generator.processes(1))
