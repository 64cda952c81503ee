"""Sections `plain` and `tls`: how many small pages a second each contender asks for, on one processor."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from loadgen.errors import EnvironmentProblem
from loadgen.rundir import RunDirectory
from lonjak.bench.contenders import LONJAK, Aim, Contender, absent, contenders
from lonjak.bench.figures import Standing, Window, standings
from lonjak.bench.processes import END_S, Started, pause, started
from lonjak.bench.recorded import recorded_count
from lonjak.bench.section import Section, Settings
from lonjak.bench.server import SmallPage, small_page
from lonjak.progress import Progress
from reference_shop.edges.certificates import CertificateProblem, ServerCertificate, make_certificate

CONNECTIONS = 50
_WARMUP_S = 1.0
_START_S = 30.0
_QUIET_RATIO = 0.05
_HEADINGS = ("", "requests/s", "min–max", "per CPU s", "min–max", "CPU", "nginx CPU", "Lonjak ÷", "per CPU s")


@dataclass(frozen=True, slots=True)
class Recording:
    """What one run of ours wrote down, beside what the server counted from its first request to its last."""

    recorded_count: int
    served_count: int


def plain(settings: Settings, progress: Progress) -> Section:
    """Over plain TCP."""
    return _section("plain", settings, progress, tls=False)


def tls(settings: Settings, progress: Progress) -> Section:
    """Over TLS, with connections that stay open."""
    if shutil.which("openssl") is None:
        return Section("tls", skipped="the program openssl, which makes the certificate, is not installed")
    return _section("tls", settings, progress, tls=True)


def _section(title: str, settings: Settings, progress: Progress, *, tls: bool) -> Section:
    windows: dict[str, list[Window]] = {}
    recordings: list[Recording] = []
    with _server(settings, tls=tls) as server:
        for number in range(1, settings.rounds + 1):
            for contender in contenders(tls=tls):
                task = f"{title}, round {number} of {settings.rounds}: {contender.name}"
                progress.start(task, settings.duration_s, " s")
                with tempfile.TemporaryDirectory(prefix="lonjak-bench-") as folder:
                    window, recording = _measure(contender, server, settings, Path(folder), progress)
                windows.setdefault(contender.name, []).append(window)
                recordings += [recording] if recording else []
    found = standings(windows, LONJAK)
    sentence = _sentence(recordings, tls=tls) + (_noise(windows) if settings.disjoint else "")
    return Section(title, sentence, _HEADINGS, tuple(map(_line, found)), found, tuple(recordings))


@contextmanager
def _server(settings: Settings, *, tls: bool) -> Iterator[SmallPage]:
    with tempfile.TemporaryDirectory(prefix="lonjak-bench-") as name:
        folder = Path(name)
        made = _certificate(folder) if tls else None
        with small_page(folder, (settings.server_cpu,), CONNECTIONS, made) as server:
            yield server


def _certificate(folder: Path) -> ServerCertificate:
    try:
        return make_certificate(folder)
    except CertificateProblem as problem:
        raise EnvironmentProblem(str(problem)) from None


def _measure(
    contender: Contender, server: SmallPage, settings: Settings, folder: Path, progress: Progress
) -> tuple[Window, Recording | None]:
    before = server.read()
    aim = Aim(server.url, CONNECTIONS, round(settings.duration_s + _START_S + 10), folder)
    command = contender.command(aim)
    environment = {"SSL_CERT_FILE": str(server.authority)} if server.authority else {}
    with started(
        contender.name, command, cpus=(settings.contender_cpu,), folder=folder, environment=environment
    ) as running:
        server.wait_for(before.request_count + CONNECTIONS, _START_S, running)
        window = _watch(server, running, settings, progress)
        if contender.name != LONJAK:
            return window, None
        running.interrupt(END_S)
    recorded = recorded_count(RunDirectory(aim.run))
    return window, Recording(recorded, server.read().request_count - before.request_count)


def _watch(server: SmallPage, running: Started, settings: Settings, progress: Progress) -> Window:
    seconds, cpu = settings.duration_s, settings.contender_cpu
    pause(_WARMUP_S, server.program, running)
    first, used_first = server.read(), _used(server, running, cpu)
    pause(seconds, server.program, running, on_tick=progress.advance)
    last, used_last = server.read(), _used(server, running, cpu)
    cpu_s, server_cpu_s, busy_s = (after - before for before, after in zip(used_first, used_last, strict=True))
    return Window(
        last.at - first.at,
        last.request_count - first.request_count,
        cpu_s,
        server_cpu_s,
        max(0.0, busy_s - cpu_s),
    )


def _used(server: SmallPage, running: Started, cpu: int) -> tuple[float, float, float]:
    """Seconds so far: of the contender, of the server, and of everything on the contender's processor."""
    times = psutil.cpu_times(percpu=True)[cpu]
    return running.cpu_s, server.program.cpu_s, times.user + times.nice + times.system


def _line(standing: Standing) -> tuple[str, ...]:
    per_s, per_cpu_s = standing.per_s, standing.per_cpu_s
    return (
        standing.contender,
        f"{per_s.median:,.0f}",
        f"{per_s.low:,.0f}–{per_s.high:,.0f}",
        f"{per_cpu_s.median:,.0f}",
        f"{per_cpu_s.low:,.0f}–{per_cpu_s.high:,.0f}",
        f"{standing.cpu_ratio:.0%}",
        f"{standing.server_cpu_ratio:.0%}",
        f"{standing.lonjak_per_s_ratio:.2f}",
        f"{standing.lonjak_per_cpu_s_ratio:.2f}",
    )


def _noise(windows: dict[str, list[Window]]) -> str:
    """A warning where something else was at work on the contenders' processor; empty where nothing was."""
    ratio = median(window.others_cpu_s / window.seconds for measured in windows.values() for window in measured)
    if ratio < _QUIET_RATIO:
        return ""
    return f" Something else had {ratio:.0%} of the contenders' processor: measure again on a quiet machine."


def _sentence(recordings: list[Recording], *, tls: bool) -> str:
    how = "keep-alive over TLS" if tls else "keep-alive"
    lost = sum(recording.served_count - recording.recorded_count for recording in recordings)
    total = sum(recording.served_count for recording in recordings)
    kept = (
        f"Lonjak's run files hold all {total:,} of its requests"
        if not lost
        else (f"Lonjak's run files hold {total - lost:,} of the {total:,} requests that it made")
    )
    without = f"; not on PATH: {', '.join(absent())}" if absent() else ""
    return f"GET of a small page, {how}, {CONNECTIONS} connections, as nginx counted; {kept}{without}."
