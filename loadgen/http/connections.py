"""The connections of one shopper, as a browser has them: a few per host, kept open, used by one request at a time."""

import time
from collections import deque
from ssl import SSLContext, SSLError, SSLSession
from typing import ClassVar

from gevent.event import AsyncResult

from loadgen.errors import TargetRefused
from loadgen.http.connection import Connection, RequestTimedOut
from loadgen.http.hosts import Host
from loadgen.http.tls import client_context


class Connections:
    """At most `most_per_host` to each host; who finds them all taken waits for one.

    Without a `context` of their own they trust the machine's authorities and `authority`, a PEM file.
    """

    authority: ClassVar[str | None] = None  # of this process's run: who signed the certificate of a shop of ours

    __slots__ = (
        "_closed",
        "_context",
        "_idle",
        "_most",
        "_open_counts",
        "_sessions",
        "_source_address",
        "_waiting",
    )

    def __init__(self, *, most_per_host: int, source_address: str | None, context: SSLContext | None) -> None:
        self._closed = False
        self._most = most_per_host
        self._source_address = source_address
        self._context = context
        self._idle: dict[Host, list[Connection]] = {}
        self._open_counts: dict[Host, int] = {}
        self._sessions: dict[Host, SSLSession] | None = None
        self._waiting: dict[Host, deque[AsyncResult]] = {}

    def take(self, host: Host, now: float, connect_s: float, ends_at: float) -> Connection:
        """An idle connection, or a new one. Raises OSError (RequestTimedOut among them) and ssl.SSLError."""
        idle = self._idle.get(host)
        while idle:
            connection = idle.pop()
            if connection.usable(now):
                return connection
            self.drop(host, connection)
        if self._open_counts.get(host, 0) < self._most:
            self._open_counts[host] = self._open_counts.get(host, 0) + 1
            return self._open(host, connect_s, ends_at)
        handed = self._wait(host, ends_at)
        if handed is not None and handed.usable(time.monotonic()):
            return handed
        if handed is not None:
            handed.close()
        return self._open(host, connect_s, ends_at)

    def give_back(self, host: Host, connection: Connection, now: float, *, stays_open: bool) -> None:
        """Take back a connection after a whole answer, and keep it for the next request if it stays open."""
        if host.secure and connection.is_new:
            self._remember(host, connection)
        if self._closed or not stays_open:
            self.drop(host, connection)
            return
        connection.rest(now)
        if self._waiting and self._hand_over(host, connection):
            return
        idle = self._idle.get(host)
        if idle is None:
            idle = self._idle[host] = []
        idle.append(connection)

    def drop(self, host: Host, connection: Connection) -> None:
        """Close a connection that cannot be used any more."""
        connection.close()
        self._forget(host)

    def close(self) -> None:
        """Close all that are idle, and those in use when they are given back."""
        self._closed = True
        for host, idle in self._idle.items():
            while idle:
                self.drop(host, idle.pop())

    def _open(self, host: Host, connect_s: float, ends_at: float) -> Connection:
        """A new connection in a place that is reserved for it."""
        try:
            return self._connect(host, min(time.monotonic() + connect_s, ends_at))
        except BaseException:
            self._forget(host)
            raise

    def _connect(self, host: Host, ends_at: float) -> Connection:
        """Try a host's addresses in turn; the last one's error, if there is no connection to any."""
        problem: OSError = OSError(f"{host.name} has no address to which {self._source_address} could connect")
        for family, address in host.addresses(only_ipv4=self._source_address is not None):
            try:
                return self._connect_to(host, family, address, ends_at)
            except (RequestTimedOut, SSLError, TargetRefused):
                raise
            except OSError as error:
                problem = error
        raise problem

    def _connect_to(self, host: Host, family: int, address: tuple[object, ...], ends_at: float) -> Connection:
        connection = Connection(family, self._source_address)
        connection.deadline = ends_at
        try:
            connection.connect(address)
            if host.secure:
                session = self._sessions.get(host) if self._sessions else None
                connection.start_tls(self._context or client_context(authority=self.authority), host.name, session)
        except BaseException:
            connection.close()
            raise
        return connection

    def _remember(self, host: Host, connection: Connection) -> None:
        """Keep what lets the next connection resume: once each, as it takes as long as a request to get at."""
        if (session := connection.tls_session) is not None:
            self._sessions = self._sessions or {}
            self._sessions[host] = session

    def _forget(self, host: Host) -> None:
        """One connection less; its place goes to whoever has waited longest."""
        if not self._hand_over(host, None):
            self._open_counts[host] -= 1

    def _wait(self, host: Host, ends_at: float) -> Connection | None:
        """What somebody hands over, first come first served: a connection, or None for the place of one."""
        waiting = self._waiting.setdefault(host, deque())
        handed = AsyncResult()
        waiting.append(handed)
        taken = False
        try:
            taken = handed.wait(max(0.0, ends_at - time.monotonic())) is not None or handed.ready()
        finally:
            if not taken:
                self._pass_on(host, handed)
        if not taken:
            raise RequestTimedOut(f"all {self._most} connections stayed taken")
        connection: Connection | None = handed.value
        return connection

    def _pass_on(self, host: Host, handed: AsyncResult) -> None:
        """Give up waiting; what was handed over in the meantime is the next one's."""
        if not handed.ready():
            self._waiting[host].remove(handed)
        elif handed.value is None:
            self._forget(host)
        else:
            self.give_back(host, handed.value, 0.0, stays_open=True)

    def _hand_over(self, host: Host, connection: Connection | None) -> bool:
        waiting = self._waiting.get(host)
        if not waiting:
            return False
        waiting.popleft().set(connection)
        return True
