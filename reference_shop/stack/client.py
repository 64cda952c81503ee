"""Starts and stops supervisors: what the command line calls."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from reference_shop.edges import programs
from reference_shop.stack import control_groups, document, folder, leftovers, ports
from reference_shop.stack.document import Kind, StackDocument
from reference_shop.stack.doors import delayed
from reference_shop.stack.identity import ProcessIdentity, myself
from reference_shop.stack.problems import ProgramAbsent, StackProblem, StartFailed
from reference_shop.stack.progress import Failed, Message, Progress, Ready, Started, parse
from reference_shop.stack.settings import StackSettings

# A supervisor needs at most 20 s for its stop.
_STOP_S = 25.0
_LOCK_S = 3.0
_POLL_S = 0.05


def start(settings: StackSettings, on_progress: Callable[[Progress], None], owner_pid: int | None = None) -> Path:
    """Start a stack and return its stack.json once it is ready.

    The stack ends with the process `owner_pid`, if one is given. Raises SettingsProblem, or StackProblem (StartFailed
    when a process did not come up); nothing is left running then, nor when this call is interrupted.
    """
    settings.check()
    _check_surroundings(settings)
    owner = None
    if owner_pid is not None and (owner := ProcessIdentity.of(owner_pid)) is None:
        raise StackProblem(f"the owner of the stack, pid {owner_pid}, is gone")
    with tempfile.TemporaryFile() as errors:
        messages = _launch(replace(settings, starter=myself(), owner=owner), errors)
        with messages:
            document_path = _follow(messages, on_progress)
        if document_path is None:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").splitlines()
            raise StartFailed("the supervisor ended at its start", lines[-10:])
    return document_path


def stop(port: int | None = None, kind: Kind | None = None) -> list[str]:
    """Stop the stack on `port`, or all of this user's, running or left behind; returns a sentence for each.

    With a `kind` only those of that kind. A folder that does not tell its own is what a shop has left.
    """
    return [_stop_one(path) for path in folder.stack_folders(port) if kind is None or _kind_of(path) == kind]


def stacks(port: int | None = None, kind: Kind | None = None) -> list[StackDocument]:
    """What the stack.json files of this user say, of those stacks whose supervisor lives; with a `kind`, only those."""
    documents = (document.read(path) for path in folder.stack_folders(port))
    running = [stack for stack in documents if stack and stack.supervisor.alive]
    return [stack for stack in running if kind is None or stack.kind == kind]


def check_programs(settings: StackSettings) -> None:
    """Raise ProgramAbsent, with the command that installs them, when programs of the edge are missing."""
    if missing := programs.missing(settings.edge_programs):
        raise ProgramAbsent(_absent(missing))


def _check_surroundings(settings: StackSettings) -> None:
    """What can be said before anything is started."""
    # Only an edge binds the port itself; others inherit it from the supervisor, who may still be root.
    edge_binds = settings.has_edge and not delayed(settings, "edge")
    if edge_binds and settings.run_as is not None and 0 < settings.port < ports.lowest_for_all():
        raise StackProblem(
            f"port {settings.port} is reserved for root, and the edge does not run as root: "
            f"choose one above {ports.lowest_for_all() - 1} with --port"
        )
    ports.check_free(settings.port)
    if settings.cpu_shares:
        control_groups.find_parent()
    check_programs(settings)


def _absent(missing: Sequence[str]) -> str:
    names = f"{', '.join(missing[:-1])} and {missing[-1]} are" if len(missing) > 1 else f"{missing[0]} is"
    return f"{names} not installed: {programs.install_command(missing)}"


def _kind_of(path: Path) -> Kind:
    stack = document.read(path)
    return stack.kind if stack else "shop"


def _launch(settings: StackSettings, errors: IO[bytes]) -> IO[bytes]:
    """Start a supervisor in a session of its own; its messages can be read from the result."""
    with subprocess.Popen(
        (sys.executable, "-P", "-m", "reference_shop.stack"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        cwd="/",
        start_new_session=True,
    ) as process:
        assert process.stdin is not None  # noqa: S101  (asked for above)
        assert process.stdout is not None  # noqa: S101
        messages = os.fdopen(os.dup(process.stdout.fileno()), "rb")
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(settings.as_json().encode())
            process.stdin.close()
    return messages


def _follow(messages: IO[bytes], on_progress: Callable[[Progress], None]) -> Path | None:
    """Read messages until the stack is ready; None when they end before."""
    supervisor: ProcessIdentity | None = None
    try:
        for line in messages:
            match _parsed(line):
                case Started(identity):
                    supervisor = identity
                case Progress() as progress:
                    on_progress(progress)
                case Ready(path):
                    return path
                case Failed(sentence, log_tail):
                    raise StartFailed(sentence, log_tail)  # noqa: TRY301  (ends the supervisor like any other error)
    except BaseException:
        if supervisor := supervisor or _first_supervisor(messages):
            _end(supervisor)
        raise
    return None


def _first_supervisor(messages: IO[bytes]) -> ProcessIdentity | None:
    """Who was just starting when the reader was interrupted; soon known, as that is what a supervisor says first."""
    return next((message.supervisor for line in messages if isinstance(message := _parsed(line), Started)), None)


def _parsed(line: bytes) -> Message | None:
    try:
        return parse(line)
    except (ValueError, KeyError, TypeError):
        return None


def _stop_one(path: Path) -> str:
    name = f"the {'edge' if _kind_of(path) == 'edge' else 'stack'} on port {path.name.rpartition('-')[2]}"
    stack = document.read(path)
    was_running = stack is not None and stack.supervisor.alive
    if stack and was_running:
        _end(stack.supervisor)
    descriptor = _lock_soon(path)
    if descriptor is None:
        return f"{name} is stopped" if not path.exists() else f"{name} is just being started: try again"
    ended = leftovers.clear(path)
    folder.StackFolder(path, descriptor, None).remove()
    if was_running:
        return f"{name} is stopped"
    return f"{name} had lost its supervisor: {ended} of its processes ended, its folder removed"


def _lock_soon(path: Path) -> int | None:
    deadline = time.monotonic() + _LOCK_S
    while (descriptor := folder.lock(path)) is None and path.exists() and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return descriptor


def _end(supervisor: ProcessIdentity) -> None:
    """Have a supervisor stop its stack; kill it when it does not within 25 s (its children then end by themselves)."""
    for number, within_s in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, 1.0)):
        if supervisor.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(supervisor.pid, number)
            if leftovers.wait_until_gone([supervisor], within_s):
                return
