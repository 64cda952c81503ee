"""A program that the bench starts, watches from outside and surely ends: who is measured, and who answers."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psutil

from loadgen.config import OVERRIDES, variable_of
from loadgen.errors import EnvironmentProblem
from lonjak.bench.bound import command as bound_command
from reference_shop.privileges import PARENT_VARIABLE

END_S = 40.0  # for a run that is asked to end: the engine's own limits for its last requests and flush lie below this
_POLL_S = 0.05
_LAST_LINES = 3


@dataclass(frozen=True, slots=True)
class Started:
    """A running program; its words go to `log`."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def cpu_s(self) -> float:
        """User and system time so far, of its children as well; to a hundredth of a second."""
        process = self._look()
        times = [each.cpu_times() for each in (process, *process.children())]
        return sum(each.user + each.system for each in times)

    @property
    def resident_bytes(self) -> int:
        """Its memory that is in use now."""
        return int(self._look().memory_info().rss)

    def check_alive(self) -> None:
        """Raise EnvironmentProblem with its last words when it has ended."""
        if (code := self.process.poll()) is not None:
            self.give_up(f"ended with {code} before it was measured")

    def give_up(self, what: str) -> NoReturn:
        """Raise EnvironmentProblem: what the program did or did not, and its last words."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = " / ".join([line.strip() for line in lines if line.strip()][-_LAST_LINES:]) or "it said nothing"
        raise EnvironmentProblem(f"{self.name} {what}: {said}")

    def interrupt(self, within_s: float) -> None:
        """Ask it to end in order, and wait for that; EnvironmentProblem when it does not."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.give_up(f"did not end within {within_s:g} s of being asked to")

    def _look(self) -> psutil.Process:
        self.check_alive()
        return psutil.Process(self.process.pid)


@contextmanager
def started(
    name: str,
    program: tuple[str, ...],
    *,
    cpus: tuple[int, ...],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    orphan_signal: signal.Signals = signal.SIGKILL,
) -> Iterator[Started]:
    """Run a program in a process group of its own, in `folder`; afterwards nothing of it is left."""
    log = folder / f"{name}.log"
    with log.open("wb") as words:
        process = subprocess.Popen(
            bound_command(cpus, orphan_signal, program),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_surroundings() | dict(environment or {}),
        )
    try:
        yield Started(name, process, log)
    finally:
        end_group(process)


def _surroundings() -> dict[str, str]:
    """The environment less what would change the bench's own scenarios."""
    settled = {variable_of(name) for name in OVERRIDES}
    kept = {name: value for name, value in os.environ.items() if name not in settled}
    return kept | {"PYTHONUNBUFFERED": "1", PARENT_VARIABLE: str(os.getpid())}


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process and its group, and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def pause(seconds: float, *watched: Started, on_tick: Callable[[float], None] = lambda _: None) -> None:
    """Sleep; EnvironmentProblem as soon as one of those watched has ended. `on_tick` hears how many seconds went by."""
    ends_at = time.monotonic() + seconds
    while (left_s := ends_at - time.monotonic()) > 0:
        for program in watched:
            program.check_alive()
        on_tick(seconds - left_s)
        time.sleep(min(left_s, _POLL_S))
