"""Runs an ASGI application on an inherited socket, one process, until SIGTERM: the shop and the payment provider."""

import asyncio
import encodings.idna  # noqa: F401  (looked up at the first connection, when the interpreter may be out of reach)
import os
import signal
import socket
import sys
from typing import Any, cast

import uvicorn
import uvicorn.lifespan.on
import uvicorn.loops.uvloop
import uvicorn.protocols.http.httptools_impl
from starlette.types import ASGIApp

from reference_shop.acceptor import Acceptor
from reference_shop.logs import log_as_json
from reference_shop.preloading import import_lazy_packages
from reference_shop.protections.graceful_drain import GRACE_S, AbruptServer, DrainingServer

# Longer than an edge keeps an idle connection, so that the edge and not the shop closes it.
_KEEP_ALIVE_S = 75
_BACKLOG = 2048


def prepare() -> None:
    """Log to standard error, which the supervisor keeps in a file, and import all that serving will need.

    To be called while this process may still read its files: before it drops its privileges.
    """
    import_lazy_packages()
    log_as_json(sys.stderr)


def serve(app: ASGIApp, listener: socket.socket, ready_fd: int | None = None, *, drain: bool = True) -> None:
    """Serve until SIGTERM or SIGINT, finish what is in flight (at most 3 s), and return; else end at once.

    A byte is written to `ready_fd` once this process accepts requests: its siblings share the socket, so the
    supervisor could not tell whose answer it got.
    """
    # Before uvicorn handles signals they end the process, and at its end it raises again the one that stopped it:
    # either way a stop that was asked for is exit status 0.
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Draining(config, ready_fd) if drain else _Abrupt(config, ready_fd)
    server.run(sockets=[listener])


class _AnnouncingServer(uvicorn.Server):
    """Says on a pipe that it has started."""

    def __init__(self, config: uvicorn.Config, ready_fd: int | None) -> None:
        super().__init__(config)
        self._ready_fd = ready_fd

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, but for accepting connections, and announce it."""
        await super().startup(sockets=[])
        for listener in sockets or []:
            listener.listen(_BACKLOG)
            self.servers.append(cast("asyncio.Server", Acceptor(listener, self._new_protocol)))
        if self.started and self._ready_fd is not None:
            os.write(self._ready_fd, b"1")
            os.close(self._ready_fd)

    def _new_protocol(self) -> asyncio.Protocol:
        """Make what uvicorn's own startup would make for a connection."""
        protocol: type[Any] = self.config.http_protocol_class
        made: asyncio.Protocol = protocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made


class _Draining(_AnnouncingServer, DrainingServer):
    pass


class _Abrupt(_AnnouncingServer, AbruptServer):
    pass


def _stop(_number: int, _frame: object) -> None:
    sys.exit(0)
