"""A TCP proxy that makes a tier slow, whatever it speaks: what clients send is held back on its way to the server.

    client ══ _End ── held for the delay ──► _End ══ server
                ◄──────── at once ─────────

Bytes keep their order within a connection; connections do not wait for each other. Each direction ends by itself, as
in TCP. A proxy that is cut resets every connection.
"""

import asyncio
import contextlib
import ipaddress
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

_BACKLOG = 4096
_MOST_HELD_BYTES = 1 << 20
_PARTING_S = 2.0
_IP_BIND_ADDRESS_NO_PORT = 24  # ip(7): the port is chosen on connecting, so that one address serves many connections
_END_OF_STREAM = b""
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER, on and 0 s (socket(7))


@dataclass(frozen=True, slots=True)
class Target:
    """The server behind a proxy.

    keep_client_address: a client on loopback is told to the server as it is, its address that is, not its port.
    """

    host: str
    port: int
    keep_client_address: bool = False


class Proxy:
    """Leads connections to `target`, and holds each burst that a client sends back for `delay_s`.

    Another `delay_s` counts for what is sent from then on, over connections that are there already too.
    """

    def __init__(self, target: Target, delay_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.delay_s = delay_s
        self._target = target
        self._clock = clock
        self._is_cut = False
        self._ends: set[_End] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()

    async def serve(self, listener: socket.socket, stop: asyncio.Event, announce: Callable[[], None]) -> None:
        """Serve until `stop` is set; then let connections end by themselves for up to 2 s."""
        server = await asyncio.get_running_loop().create_server(self._accept, sock=listener, backlog=_BACKLOG)
        announce()
        await stop.wait()
        server.close()
        if self._ends:
            self._empty.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), _PARTING_S)

    def cut(self) -> None:
        """Reset all connections, and each new one at once, until `mend` is called."""
        self._is_cut = True
        for end in tuple(self._ends):
            end.reset()

    def mend(self) -> None:
        """Lead connections on again."""
        self._is_cut = False

    def _accept(self) -> "_End":
        return _End(lambda: self.delay_s, self._clock, self._arrived, self._left)

    def _arrived(self, client: "_End") -> None:
        if self._is_cut:
            client.reset()
            return
        self._ends.add(client)
        task = asyncio.create_task(self._connect(client))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    def _left(self, end: "_End") -> None:
        self._ends.discard(end)
        if not self._ends:
            self._empty.set()

    async def _connect(self, client: "_End") -> None:
        """Give a client its server; a server that cannot be had ends the client's connection."""
        server = _End(lambda: 0.0, self._clock, self._ends.add, self._left)
        try:
            await self._open(server, client.address)
        except OSError:
            client.close()
        else:
            client.join(server)

    async def _open(self, server: "_End", client_address: str) -> None:
        loop, target = asyncio.get_running_loop(), self._target
        if not target.keep_client_address or not ipaddress.ip_address(client_address).is_loopback:
            await loop.create_connection(lambda: server, target.host, target.port)
            return
        towards_server = _bound_to(client_address)
        try:
            await loop.sock_connect(towards_server, (target.host, target.port))
        except BaseException:
            towards_server.close()
            raise
        await loop.create_connection(lambda: server, sock=towards_server)


class _End(asyncio.Protocol):
    """One end of a connection through the proxy: what it receives is sent at the other end, `delay_s()` later."""

    def __init__(
        self,
        delay_s: Callable[[], float],
        clock: Callable[[], float],
        made: Callable[["_End"], None],
        lost: Callable[["_End"], None],
    ) -> None:
        self._delay_s = delay_s
        self._clock = clock
        self._made = made
        self._lost = lost
        self._other: _End | None = None
        self._transport: asyncio.Transport | None = None
        self._held: deque[tuple[float, bytes]] = deque()
        self._held_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._has_ended = False
        self._is_full = False
        self._was_told_the_end = False

    @property
    def address(self) -> str:
        """The address at the far side of this end."""
        peer = self._transport.get_extra_info("peername") if self._transport else None
        return str(peer[0]) if peer else "0.0.0.0"  # noqa: S104  (nobody listens there: the client is gone already)

    def join(self, other: "_End") -> None:
        """Let both ends hear each other from now on."""
        self._other, other._other = other, self
        for end in (self, other):
            end._release()
        if self._transport is None:
            other.close()
        if other._transport is None:
            self.close()

    def close(self) -> None:
        """End the connection at this end, once what was sent is out."""
        if self._transport:
            self._transport.close()

    def reset(self) -> None:
        """Break the connection off at this end (RST), and let the other one end by that."""
        if self._transport:
            wire = self._transport.get_extra_info("socket")
            with contextlib.suppress(OSError):  # the far side was faster
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection; what arrives before the other end is there is held."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        self._made(self)

    def data_received(self, data: bytes) -> None:
        """Hold a burst back."""
        self._hold(data)

    def eof_received(self) -> bool:
        """Hold the end of the stream back like a burst; the way back stays open."""
        if not self._has_ended:
            self._has_ended = True
            self._hold(_END_OF_STREAM)
        return True

    def pause_writing(self) -> None:
        """Let the other end read no more than this one can send."""
        self._is_full = True
        if self._other:
            self._other._read_if_there_is_room()

    def resume_writing(self) -> None:
        """Let the other end read on."""
        self._is_full = False
        if self._other:
            self._other._read_if_there_is_room()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's)
        """End the other end too; what was held back for it is nobody's any more."""
        if self._timer:
            self._timer.cancel()
        self._held.clear()
        self._transport = None
        if self._other:
            self._other.close()
        self._lost(self)

    def _hold(self, data: bytes) -> None:
        self._held.append((self._clock() + self._delay_s(), data))
        self._held_bytes += len(data)
        if self._timer is None:
            self._release()

    def _release(self) -> None:
        """Pass on what has been held long enough; the event loop's own clock is too coarse to say so."""
        self._timer = None
        while self._other and self._held:
            if (wait_s := self._held[0][0] - self._clock()) > 0:
                self._timer = asyncio.get_running_loop().call_later(wait_s, self._release)
                break
            data = self._held.popleft()[1]
            self._held_bytes -= len(data)
            self._other._send(data)
        self._read_if_there_is_room()

    def _send(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if data:
            self._transport.write(data)
            return
        self._was_told_the_end = True
        self._transport.write_eof()
        if self._other and self._other._was_told_the_end:
            self._other.close()
            self.close()

    def _read_if_there_is_room(self) -> None:
        if self._transport is None or self._has_ended:
            return
        if self._held_bytes >= _MOST_HELD_BYTES or (self._other and self._other._is_full):
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()


def _bound_to(address: str) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setblocking(False)
    bound.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    bound.bind((address, 0))
    return bound
