"""`python -m reference_shop.throttles`: a delaying proxy.

Reads its settings from standard input and serves the inherited socket until SIGTERM.
"""

import asyncio
import contextlib
import encodings.idna  # noqa: F401  (looked up with the first host name, when the interpreter may be out of reach)
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import uvloop

from reference_shop.privileges import drop
from reference_shop.throttles.control import Control, follow
from reference_shop.throttles.proxy import Proxy, Target


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What the proxy is told; the names are those of the JSON document. `control` is its control file."""

    listen_fd: int
    host: str
    port: int
    delay_ms: float
    keep_client_address: bool = False
    control: str | None = None
    ready_fd: int | None = None
    run_as: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a delay that is none."""
        if self.delay_ms < 0:
            raise ValueError(f"delay_ms is {self.delay_ms}, it must be at least 0")


def main() -> int:
    """Return 0 after a stop, 2 for settings that make no sense."""
    try:
        settings = ProxySettings(**json.loads(sys.stdin.read()))
    except (ValueError, TypeError) as error:
        print(f"throttles: the settings on standard input are wrong: {error}", file=sys.stderr)  # noqa: T201
        return 2
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    drop(settings.run_as)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))
    return 0


async def _serve(settings: ProxySettings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def announce() -> None:
        if settings.ready_fd is not None:
            os.write(settings.ready_fd, b"1")
            os.close(settings.ready_fd)

    target = Target(settings.host, settings.port, settings.keep_client_address)
    proxy = Proxy(target, settings.delay_ms / 1000)
    listener = socket.socket(fileno=settings.listen_fd)
    async with _controlled(proxy, settings):
        await proxy.serve(listener, stop, announce)


@contextlib.asynccontextmanager
async def _controlled(proxy: Proxy, settings: ProxySettings) -> AsyncIterator[None]:
    """Have the proxy follow its control file, if it has one, meanwhile."""
    if settings.control is None:
        yield
        return
    following = asyncio.create_task(follow(Control(Path(settings.control)), proxy, settings.delay_ms / 1000))
    try:
        yield
    finally:
        following.cancel()


if __name__ == "__main__":
    sys.exit(main())
