"""A shop of the bench's own, with its processes where the bench wants them: one worker alone on its processor."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from loadgen.errors import EnvironmentProblem
from lonjak.bench.section import Settings
from lonjak.progress import Progress
from reference_shop.stack import client, document
from reference_shop.stack.document import StackDocument
from reference_shop.stack.progress import Progress as Step
from reference_shop.stack.settings import StackSettings, default_run_as


@dataclass(frozen=True, slots=True)
class PinnedShop:
    """A running shop: its port, without an edge, and the pids of its one worker and of its database."""

    port: int
    worker_pid: int
    database_pid: int


def worker_alone(settings: StackSettings) -> StackSettings:
    """These settings, with one worker that is asked without an edge in between, on a free port."""
    return replace(settings, port=0, edge="direct", workers=1, run_as=default_run_as())


@contextmanager
def running_stack(settings: StackSettings, progress: Progress, title: str) -> Iterator[StackDocument]:
    """Start a stack, tell of its steps under `title`, and stop it at the end of the block."""

    def show(step: Step) -> None:
        progress.start(f"{title}: {step.step}", step.total)
        progress.advance(step.done or 0)

    folder = client.start(settings, show, owner_pid=os.getpid()).parent
    try:
        stack = document.read(folder)
        if stack is None:
            raise EnvironmentProblem("the shop was stopped as soon as it was ready: start the bench again")
        yield stack
    finally:
        client.stop(port_of(folder))


def port_of(folder: Path) -> int:
    """The port of the stack that lives in `folder`."""
    return int(folder.name.rpartition("-")[2])


@contextmanager
def pinned_shop(wanted: StackSettings, settings: Settings, progress: Progress, title: str) -> Iterator[PinnedShop]:
    """Start a shop whose worker has the contender's processor for itself; everything else shares the server's.

    While it is being filled it may use both.
    """
    both = tuple(sorted({settings.server_cpu, settings.contender_cpu}))
    with running_stack(replace(worker_alone(wanted), stack_cpus=both), progress, title) as stack:
        pids = {process.tier: process.pid for process in stack.processes}
        pin(stack.supervisor.pid, settings.server_cpu)
        pin(pids["shop"], settings.contender_cpu)
        yield PinnedShop(stack.port, pids["shop"], pids["database"])


def pin(pid: int, cpu: int) -> None:
    """Tie a process, its descendants and all their threads to a processor; whoever they start is tied as well."""
    first = psutil.Process(pid)
    for process in (first, *first.children(recursive=True)):
        for thread in process.threads():
            os.sched_setaffinity(thread.id, {cpu})


def cpu_s(pid: int) -> float:
    """User and system time so far of a process and its descendants, those that have ended and were waited for too."""
    first = psutil.Process(pid)
    times = [process.cpu_times() for process in (first, *first.children(recursive=True))]
    ended = times[0].children_user + times[0].children_system
    return ended + sum(each.user + each.system for each in times)
