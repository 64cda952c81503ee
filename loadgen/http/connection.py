"""One connection of one shopper: a raw non-blocking socket, waited for before it is read.

gevent's own sockets try to read, fail, and only then wait; here a request is a send, a wait and a receive. Nothing is
ever sent twice. Whoever waits has a deadline, which the process's one Watchdog looks after.
"""

import _socket
import os
import socket
import time
from ssl import SSLContext, SSLSession

import gevent
from gevent import getcurrent
from gevent.hub import Hub

from loadgen.http.answer import AnswerReader, BadAnswer
from loadgen.http.tls import TlsStream

_RECEIVE_BYTES = 65536
_READABLE, _WRITABLE = 1, 2  # libev's EV_READ and EV_WRITE
_TICK_S = 0.02
_IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h: choose the port at connect, so that it need be unique per target only
_AT_ONCE_S = 0.00005
_NEVER = float("inf")


class RequestTimedOut(TimeoutError):
    """The request, or a part of it, took longer than its limit."""


class Watchdog:
    """Ends waits that have lasted too long, to the next 20 ms; one for all costs less than a timer for each."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.waiting: set[Connection] = set()
        self._timer = hub.loop.timer(_TICK_S, repeat=_TICK_S, ref=False)
        self._timer.start(self._look)

    def _look(self) -> None:
        now = time.monotonic()
        for connection in [waiting for waiting in self.waiting if waiting.deadline <= now]:
            if connection in self.waiting:  # else an earlier one's greenlet has run, and ended this wait
                connection.expire()


def watchdog() -> Watchdog:
    """The one of this process; a fork has a hub of its own, and so gets another."""
    hub = gevent.get_hub()
    found: Watchdog | None = getattr(hub, "lonjak_watchdog", None)
    if found is None or found.hub is not hub:
        found = hub.lonjak_watchdog = Watchdog(hub)
    return found


class Connection:
    """One socket. `deadline` is the instant of `time.monotonic` at which the current wait becomes RequestTimedOut.

    connect_us, tls_us: how long both took, in microseconds, until the connection has been used. One greenlet at a time
    uses it.
    """

    __slots__ = (
        "_greenlet",
        "_idle_since",
        "_io",
        "_more_may_wait",
        "_socket",
        "_tls",
        "_watchdog",
        "connect_us",
        "deadline",
        "tls_us",
    )

    def __init__(self, family: int, source_address: str | None = None) -> None:
        self._watchdog = watchdog()
        self._greenlet: gevent.Greenlet | None = None
        self._tls: TlsStream | None = None
        self._idle_since = 0.0
        self._more_may_wait = False
        self.deadline = _NEVER
        self.connect_us = 0
        self.tls_us = 0
        self._socket = _open_socket(family, source_address)
        self._io = self._watchdog.hub.loop.io(self._socket.fileno(), _READABLE)

    def connect(self, address: tuple[object, ...]) -> None:
        """Connect to a resolved address; OSError when nobody answers there, RequestTimedOut at the deadline."""
        began = time.monotonic()
        try:
            self._socket.connect(address)
        except BlockingIOError:
            self._wait_writable()
            problem = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                raise OSError(problem, os.strerror(problem)) from None
        self.connect_us = max(1, round((time.monotonic() - began) * 1_000_000))

    def start_tls(self, context: SSLContext, host: str, session: SSLSession | None) -> None:
        """Shake hands, resuming `session` if the server agrees; ssl.SSLError when it fails."""
        began = time.monotonic()
        tls = self._tls = TlsStream(context, host, session)
        while not tls.shake_hands():
            self._send_all(tls.outbound())
            self._wait_readable()
            tls.feed(self._receive_raw())
        self._send_all(tls.outbound())
        self.tls_us = round((time.monotonic() - began) * 1_000_000)

    @property
    def tls_session(self) -> SSLSession | None:
        """What lets the next connection resume; with TLS 1.3 there is none before the first answer."""
        return self._tls.session if self._tls else None

    def exchange(self, request: bytes, reader: AnswerReader, read_s: float, ends_at: float) -> float:
        """Send a request and read its answer; the instant of its first byte, on the clock of `time.monotonic`.

        `read_s` seconds may pass without a byte, and nothing goes on after `ends_at`. Raises OSError (RequestTimedOut
        among them), BadAnswer, ssl.SSLError.
        """
        if self._tls is not None:
            request = self._tls.encrypt(request)
        self.deadline = ends_at
        try:
            sent = self._socket.send(request)
        except BlockingIOError:
            sent = 0
        if sent < len(request):
            self._send_all(request[sent:])
        self.deadline = min(time.monotonic() + read_s, ends_at)
        data = self._receive()
        first_byte_at = time.monotonic()
        while True:
            if data:
                reader.feed(data)
            else:
                reader.end()
            if reader.complete:
                return first_byte_at
            self.deadline = min(time.monotonic() + read_s, ends_at)
            data = self._receive()

    @property
    def is_new(self) -> bool:
        """Whether no request has gone over it before this one."""
        return self.connect_us > 0

    def rest(self, now: float) -> None:
        """Note that the connection is idle from now on."""
        self.deadline = _NEVER
        self._idle_since = now
        self.connect_us = self.tls_us = 0

    def usable(self, now: float) -> bool:
        """Whether an idle connection is still open, and nothing has come that nobody asked for.

        A look costs 2 us, and can see nothing new when the next request follows the last answer at once.
        """
        if self._tls is not None:
            return self._tls_usable(self._tls)
        if now - self._idle_since < _AT_ONCE_S and not self._more_may_wait:
            return True
        try:
            self._socket.recv(1)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _tls_usable(self, tls: TlsStream) -> bool:
        """The same, but TLS may have something to say that is no answer, such as a session ticket."""
        try:
            if tls.read() is not None:
                return False
            tls.feed(self._socket.recv(_RECEIVE_BYTES))
            return tls.read() is None
        except BlockingIOError:
            return True
        except (OSError, BadAnswer):  # ssl.SSLError among them
            return False

    def expire(self) -> None:
        """End the current wait in RequestTimedOut; called in the hub."""
        if self._greenlet is not None:
            self._greenlet.throw(RequestTimedOut("nothing came in time"))

    def close(self) -> None:
        """Close the socket."""
        self._io.stop()
        self._io.close()
        self._socket.close()

    def _receive(self) -> bytes:
        """The next bytes, decrypted, at least one; none at the end of the stream."""
        if self._tls is not None:
            return self._receive_tls(self._tls)
        self._wait_readable()
        data = self._receive_raw()
        self._more_may_wait = len(data) == _RECEIVE_BYTES
        return data

    def _receive_tls(self, tls: TlsStream) -> bytes:
        while (data := tls.read()) is None:
            self._wait_readable()
            tls.feed(self._receive_raw())
            if out := tls.outbound():
                self._send_all(out)
        return data

    def _receive_raw(self) -> bytes:
        while True:
            try:
                return self._socket.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                self._wait_readable()

    def _send_all(self, data: bytes) -> None:
        while data:
            try:
                data = data[self._socket.send(data) :]
            except BlockingIOError:
                self._wait_writable()

    def _wait_readable(self) -> None:
        greenlet = self._greenlet = getcurrent()
        io, watchdog = self._io, self._watchdog
        watchdog.waiting.add(self)
        io.start(greenlet.switch)
        try:
            watchdog.hub.switch()
        finally:
            io.stop()
            watchdog.waiting.discard(self)
            self._greenlet = None

    def _wait_writable(self) -> None:
        readable, self._io = self._io, self._watchdog.hub.loop.io(self._socket.fileno(), _WRITABLE)
        try:
            self._wait_readable()
        finally:
            self._io.close()
            self._io = readable


def _open_socket(family: int, source_address: str | None) -> _socket.socket:
    opened = _socket.socket(family, _socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source_address is not None:
            opened.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            opened.bind((source_address, 0))
    except BaseException:
        opened.close()
        raise
    return opened
