"""Section `crowd`: tens of thousands of shoppers in the shop at once, thinking, and what all of them take together."""

import contextlib
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from loadgen.rundir import RunDirectory
from lonjak import generator
from lonjak.bench.contenders import Aim, lonjak_command
from lonjak.bench.processes import END_S, Started, pause, started
from lonjak.bench.recorded import recorded_count
from lonjak.bench.section import Section, Settings
from lonjak.bench.server import small_page
from lonjak.progress import Progress

SHOPPERS = 50_000
_WORKERS = 4
_SERVERS = 4
_PER_S = 1000.0
_HELD_S = 60.0
_READY_S = 180.0
_HEADINGS = ("shoppers", "held for", "load processes", "memory of all", "bytes a shopper", "requests recorded")


@dataclass(frozen=True, slots=True)
class Crowd:
    """Shoppers who were there at the beginning and at the end of `held_s`.

    proportional_bytes: memory of the master and all workers, pages that they share counted once.
    """

    shopper_count: int
    held_s: float
    worker_count: int
    proportional_bytes: int
    recorded_count: int

    @property
    def bytes_per_shopper(self) -> float:
        """Everything, programs included, divided by the shoppers."""
        return self.proportional_bytes / self.shopper_count


def crowd(settings: Settings, progress: Progress) -> Section:
    """Let them come, hold them for a minute, and weigh the processes that carry them."""
    with tempfile.TemporaryDirectory(prefix="lonjak-bench-") as text:
        found = _hold(Path(text), settings, progress)
    line = (
        f"{found.shopper_count:,}",
        f"{found.held_s:.0f} s",
        f"{found.worker_count} and a master",
        f"{found.proportional_bytes / (1 << 20):,.0f} MiB",
        f"{found.bytes_per_shopper:,.0f}",
        f"{found.recorded_count:,}",
    )
    sentence = "Each came, asked once, and thinks with a connection open; memory at the end of it, programs included."
    return Section("crowd", sentence, _HEADINGS, (line,), (found,))


def _hold(folder: Path, settings: Settings, progress: Progress) -> Crowd:
    cpus = (settings.server_cpu,)
    with small_page(folder, cpus, SHOPPERS // _SERVERS * 2, workers=_SERVERS) as server:
        aim = Aim(server.url, SHOPPERS, 0, folder)
        load: dict[str, object] = {
            "arrivals": "constant",
            "rate_per_s": _PER_S,
            "duration": SHOPPERS / _PER_S,
            "drain": "1h",
            "session_cap": SHOPPERS,
        }
        command = (*lonjak_command(aim, "Waiting", load), *generator.processes(_WORKERS))
        with started("Lonjak", command, cpus=(settings.contender_cpu,), folder=folder) as running:
            progress.start(f"crowd: {SHOPPERS:,} shoppers arrive", SHOPPERS / _PER_S, " s")
            server.wait_for(SHOPPERS, _READY_S, running)
            progress.start("crowd: they think", _HELD_S, " s")
            began = time.monotonic()
            pause(_HELD_S, server.program, running, on_tick=progress.advance)
            held_s, proportional_bytes = time.monotonic() - began, _proportional_bytes(running)
            there = server.read().connection_count
            progress.start("crowd: they leave")
            running.interrupt(END_S)
        return Crowd(there, held_s, _WORKERS, proportional_bytes, recorded_count(RunDirectory(aim.run)))


def _proportional_bytes(running: Started) -> int:
    first = psutil.Process(running.process.pid)
    total = 0
    for process in (first, *first.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss
    return total
