"""A shop to visit: the one that runs, or one of the bench's own for as long as it is needed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from loadgen.cpus import split
from loadgen.errors import EnvironmentProblem
from lonjak.progress import Progress
from reference_shop.stack import client, document
from reference_shop.stack.progress import Progress as Step
from reference_shop.stack.settings import StackSettings, default_run_as


@contextmanager
def open_shop(progress: Progress) -> Iterator[str]:
    """The address of a running shop behind nginx; one that was started here is stopped at the end of the block."""
    running = next((stack for stack in client.stacks() if stack.state == "ready" and stack.edge == "nginx"), None)
    if running is not None:
        yield running.url.rstrip("/")
        return
    cpus = split()

    def show(step: Step) -> None:
        progress.start(f"session: {step.step}", step.total)
        progress.advance(step.done or 0)

    settings = StackSettings(
        port=0,
        edge="nginx",
        stack_cpus=cpus.stack,
        generator_cpus=cpus.generator,
        run_as=default_run_as(),
    )
    folder = client.start(settings, show, owner_pid=os.getpid()).parent
    try:
        stack = document.read(folder)
        if stack is None:
            raise EnvironmentProblem("the shop was stopped as soon as it was ready: start the bench again")
        yield stack.url.rstrip("/")
    finally:
        client.stop(int(folder.name.rpartition("-")[2]))
