"""A stack that a command starts, and stays with until it is interrupted, unless it is to leave it running."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import click

from loadgen.errors import EnvironmentProblem
from loadgen.exitcodes import ExitCode
from lonjak.progress import Progress
from reference_shop.stack import client, document
from reference_shop.stack.document import StackDocument
from reference_shop.stack.progress import Progress as Step
from reference_shop.stack.settings import StackSettings

_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Running:
    """A stack that is ready: the folder that it lives in, its points of presence, and whether it is a shop."""

    folder: Path
    urls: tuple[str, ...]
    kind: document.Kind


def run(settings: StackSettings, *, detach: bool) -> ExitCode:
    """Start a stack and print its addresses, one a line; unless detached, stay until it ends, or end it on Ctrl-C."""
    stack = _start(settings, detach=detach)
    if not detach:
        return _stay(stack)
    _print(stack)
    return ExitCode.PASS


def _start(settings: StackSettings, *, detach: bool) -> Running:
    """Start the stack under a progress display."""
    with Progress() as progress:

        def show(step: Step) -> None:
            progress.start(step.step, step.total)
            progress.advance(step.done or 0)

        path = client.start(settings, show, owner_pid=None if detach else os.getpid())
    stack = document.read(path.parent)
    if stack is None:
        kind = "shop" if settings.origin is None else "edge"
        raise EnvironmentProblem(f"the {kind} was stopped as soon as it was ready")
    return Running(path.parent, stack.urls, stack.kind)


def _print(stack: Running) -> None:
    for url in stack.urls:
        click.echo(url)


def _stay(running: Running) -> ExitCode:
    """Print the addresses, wait until somebody stops the stack or this command is interrupted, and then stop it."""
    try:
        _print(running)
        while (stack := document.read(running.folder)) and stack.supervisor.alive:
            if stack.state == "failed":
                raise EnvironmentProblem(_failure(stack))
            time.sleep(_LOOK_EVERY_S)
    except KeyboardInterrupt:
        click.echo(f"stopping the {running.kind}", err=True)
        return ExitCode.INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the stop is under way, and takes 20 s at most
        client.stop(int(running.folder.name.rpartition("-")[2]))
    return ExitCode.PASS


def _failure(stack: StackDocument) -> str:
    tails = [
        f"{process.role} ended again and again; its log ends with:\n"
        + "\n".join(Path(process.log).read_text(encoding="utf-8", errors="replace").splitlines()[-10:])
        for process in stack.processes
        if not process.ready
    ]
    return f"the {stack.kind} was stopped: " + "\n".join(tails)
