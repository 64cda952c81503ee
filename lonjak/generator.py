"""Locust as a subprocess: the command that starts it, and following it until its run has ended.

It runs in a session of its own, so that a Ctrl-C in the terminal reaches this process only, and is passed on as a
wish to end the run in order. It dies with this process (`--stop-with`).
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from loadgen.config import OVERRIDES, variable_of
from loadgen.errors import EnvironmentProblem, LonjakError, UsageProblem
from loadgen.exitcodes import ExitCode
from loadgen.rundir import RunDirectory
from reference_shop.stack.ports import number_of, reserve

_FLUSH_S = 40.0  # the engine's own limits for its last requests and its final flush lie below this
_POLL_S = 0.2
LOG_NAME = "generator.log"


def door() -> Path:
    """The locustfile that plays our shoppers; found without importing it, which would patch this process."""
    return _file_of("scenarios", "door.py")


def recorder_plugin() -> Path:
    """The locustfile that only records; it stands before a locustfile of the user's own."""
    return _file_of("loadgen", "plugin.py")


def locust_command(locustfiles: Sequence[Path], options: Sequence[str]) -> list[str]:
    """The command that starts Locust with these locustfiles."""
    return [sys.executable, "-m", "locust", "-f", ",".join(str(path) for path in locustfiles), *options]


def processes(count: int) -> list[str]:
    """The options for `count` load processes and a master, which speak over a free port of loopback."""
    with contextlib.closing(reserve()) as bound:
        port = str(number_of(bound))
    bus = ["--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port]
    return ["--processes", str(count), *bus]


def follow(
    command: Sequence[str], run: RunDirectory, cpus: Sequence[int], on_tick: Callable[[], None]
) -> tuple[int, bool]:
    """Run the generator to its end; (its exit code, whether it was interrupted). Its words go to generator.log.

    An interruption of this process (SIGINT, SIGTERM) asks it to end its run in order, and waits for that.
    """
    with (run.path / LOG_NAME).open("w", encoding="utf-8") as log:
        process = _start(command, cpus, log, _without_overrides())
    return _wait(process, on_tick)


def serve(command: Sequence[str], cpus: Sequence[int], on_tick: Callable[[], None]) -> tuple[int, bool]:
    """As `follow`, for a generator that somebody steers from its web UI; its words go to this terminal."""
    return _wait(_start(command, cpus, None, dict(os.environ)), on_tick)


def explain_early_end(run: RunDirectory, code: int) -> LonjakError:
    """Why the generator ended before its time, in its own sentence, with exit code 2 or 4."""
    lines = (run.path / LOG_NAME).read_text(encoding="utf-8", errors="replace").splitlines()
    said = [line.partition("lonjak: ")[2] for line in lines if line.startswith("lonjak: ")]
    last_words = " ".join(lines[-5:]) or "it left no word; is the disk full?"
    sentence = " ".join(said) or f"the load generator ended with {code} before its time: {last_words}"
    return UsageProblem(sentence) if code == ExitCode.USAGE else EnvironmentProblem(sentence)


def _start(
    command: Sequence[str], cpus: Sequence[int], log: IO[str] | None, environment: dict[str, str]
) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [*command, "--stop-with", str(os.getpid())],
        stdin=subprocess.DEVNULL,
        stdout=log or sys.stderr,
        stderr=subprocess.STDOUT if log else None,
        start_new_session=True,
        env=environment | {"PYTHONUNBUFFERED": "1"},
    )
    os.sched_setaffinity(process.pid, cpus)  # inherited by the workers that it forks
    return process


def _without_overrides() -> dict[str, str]:
    """The environment less what is settled in the scenario that the generator gets."""
    settled = {variable_of(name) for name in OVERRIDES}
    return {name: value for name, value in os.environ.items() if name not in settled}


def _wait(process: "subprocess.Popen[bytes]", on_tick: Callable[[], None]) -> tuple[int, bool]:
    interrupted = False
    try:
        while process.poll() is None:
            on_tick()
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        interrupted = True
        _end(process)
    finally:
        _end_group(process)
    return process.returncode, interrupted


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + _FLUSH_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(KeyboardInterrupt):  # asked once is enough; the flush is bounded
            time.sleep(_POLL_S)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End what is left of the generator's own process group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _file_of(package: str, name: str) -> Path:
    spec = find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise EnvironmentProblem(f"the package {package} is not installed: install Lonjak again")
    return Path(folders[0]) / name
