"""Takes connections out of the kernel's queue as fast as they come.

uvloop accepts one connection in each turn of its loop (libuv has done so since version 1.45). A busy worker serves many
requests in a turn, so connections would come faster than they are accepted, and wait, seconds perhaps, where no
bounded queue counts them and no protection sees them. Workers that share a socket should share what comes, too: so
a few are accepted in a turn at first, and twice as many in the next as long as that was not enough.
"""

import asyncio
import logging
import socket
from collections.abc import Callable

_FEWEST, _MOST = 8, 256
_PAUSE_S = 1.0
_log = logging.getLogger(__name__)


class Acceptor:
    """Accepts from a listening socket, in the running event loop, until closed; stands in for asyncio's Server."""

    def __init__(self, listener: socket.socket, protocol_factory: Callable[[], asyncio.Protocol]) -> None:
        """Begin; each connection gets a protocol of its own."""
        self._listener = listener
        self._protocol_factory = protocol_factory
        self._loop = asyncio.get_running_loop()
        self._batch = _FEWEST
        self._beginning: set[asyncio.Task[object]] = set()
        self._pause: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._loop.add_reader(listener, self._accept)

    def close(self) -> None:
        """Accept no more; the socket stays open, for it may be others' too."""
        self._loop.remove_reader(self._listener)
        if self._pause is not None:
            self._pause.cancel()

    async def wait_closed(self) -> None:
        """Return when those that were accepted last have their protocols."""
        if self._beginning:
            await asyncio.wait(self._beginning)

    def _accept(self) -> None:
        for _ in range(self._batch):
            try:
                connection, _address = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                self._batch = _FEWEST
                return
            except OSError as error:
                self._rest(error)
                return
            connection.setblocking(False)
            task = self._loop.create_task(self._begin(connection))
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)
        self._batch = min(2 * self._batch, _MOST)

    async def _begin(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol_factory, connection)
        except OSError:  # its client is gone already
            connection.close()

    def _rest(self, error: OSError) -> None:
        """Too many files are open, say: wait until some may be closed, rather than ask again at once and for ever."""
        _log.warning("no connection can be accepted for a moment: %s", error)
        self._loop.remove_reader(self._listener)
        self._pause = self._loop.call_later(_PAUSE_S, self._loop.add_reader, self._listener, self._accept)
