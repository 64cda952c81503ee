"""A stack that lives as long as a block of code: for commands that start a shop for their own use."""

import contextlib
import os
from collections.abc import Iterator

from loadgen.stack import Stack, read_stack
from lonjak.progress import Progress
from reference_shop.stack import client
from reference_shop.stack.progress import Progress as Step
from reference_shop.stack.settings import StackSettings


@contextlib.contextmanager
def running_stack(settings: StackSettings, progress: Progress) -> Iterator[Stack]:
    """A stack that lives as long as the block, and no longer than this process."""

    def show(step: Step) -> None:
        progress.start(step.step, step.total)
        progress.advance(step.done or 0)

    stack = read_stack(client.start(settings, show, owner_pid=os.getpid()))
    try:
        yield stack
    finally:
        progress.start("stopping the shop")
        client.stop(int(stack.url.rpartition(":")[2]))
