"""A shop to visit: the one that runs, or one of the bench's own for as long as it is needed."""

import contextlib
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from loadgen.bench.meter import session_address
from loadgen.cpus import split
from loadgen.errors import EnvironmentProblem
from lonjak.bench.processes import Started, pause, started
from lonjak.bench.section import Settings
from lonjak.progress import Progress
from reference_shop.stack import client, document, ports
from reference_shop.stack.progress import Progress as Step
from reference_shop.stack.settings import StackSettings, default_run_as

_START_S = 10.0
_REWIND_S = 0.5


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


@contextmanager
def taped_shop(sessions: int, record: Callable[[str], None], settings: Settings, progress: Progress) -> Iterator[str]:
    """The address of a shop on tape: `record` plays so many sessions against it once, and from then on it repeats."""
    with tempfile.TemporaryDirectory(prefix="lonjak-bench-") as folder, contextlib.ExitStack() as stack:
        with contextlib.closing(ports.reserve()) as bound:
            port = ports.number_of(bound)
        url = f"http://{session_address(0)}:{port}"
        with open_shop(progress) as shop_url:
            amounts = (str(port), str(sessions), str(urlsplit(shop_url).port))
            program = (sys.executable, "-m", "lonjak.bench.tape", *amounts)
            cpus = (settings.server_cpu,)
            tape = stack.enter_context(started("tape", program, cpus=cpus, folder=Path(folder)))
            _wait_until(tape, session_address(sessions - 1), port)
            record(url)
        tape.process.send_signal(signal.SIGUSR1)
        pause(_REWIND_S, tape)
        yield url


def _wait_until(tape: Started, address: str, port: int) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        tape.check_alive()
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                tape.give_up(f"did not listen on {address}:{port} within {_START_S:g} s")
            time.sleep(0.05)
        else:
            return
