"""The connections of one shopper, as a browser has them: a few per host, kept open, used by one request at a time."""

import time
from ssl import SSLContext, SSLSession

from gevent.event import Event as Flag

from loadgen.connection import Connection, RequestTimedOut
from loadgen.hosts import Host
from loadgen.tls import client_context


class Connections:
    """At most `most_per_host` to each host; who finds them all taken waits for one."""

    __slots__ = (
        "_closed",
        "_connect_s",
        "_context",
        "_idle",
        "_most",
        "_open_counts",
        "_sessions",
        "_source_address",
        "_waiting",
    )

    def __init__(
        self, *, most_per_host: int, connect_s: float, source_address: str | None, context: SSLContext | None
    ) -> None:
        self._closed = False
        self._most = most_per_host
        self._connect_s = connect_s
        self._source_address = source_address
        self._context = context
        self._idle: dict[Host, list[Connection]] = {}
        self._open_counts: dict[Host, int] = {}
        self._sessions: dict[Host, SSLSession] | None = None
        self._waiting: list[Flag] = []

    def take(self, host: Host, ends_at: float) -> Connection:
        """An idle connection, or a new one. Raises OSError (RequestTimedOut among them) and ssl.SSLError."""
        while True:
            idle = self._idle.get(host)
            while idle:
                connection = idle.pop()
                if connection.usable:
                    return connection
                self.drop(host, connection)
            if self._open_counts.get(host, 0) < self._most:
                return self._open(host, ends_at)
            self._wait(ends_at)

    def give_back(self, host: Host, connection: Connection) -> None:
        """Keep a connection for the next request."""
        if self._closed:
            self.drop(host, connection)
            return
        connection.rest()
        idle = self._idle.get(host)
        if idle is None:
            idle = self._idle[host] = []
        idle.append(connection)
        if host.secure and (session := connection.tls_session) is not None:
            self._sessions = self._sessions or {}
            self._sessions[host] = session
        self._wake()

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

    def _open(self, host: Host, ends_at: float) -> Connection:
        self._open_counts[host] = self._open_counts.get(host, 0) + 1
        try:
            connection = self._connect(host, ends_at)
        except BaseException:
            self._forget(host)
            raise
        return connection

    def _connect(self, host: Host, ends_at: float) -> Connection:
        problem: OSError = OSError(f"{host.name} has no address to which {self._source_address} could connect")
        for family, address in host.addresses(only_ipv4=self._source_address is not None):
            connection = Connection(family, self._source_address)
            connection.deadline = min(time.monotonic() + self._connect_s, ends_at)
            try:
                connection.connect(address)
                if host.secure:
                    session = self._sessions.get(host) if self._sessions else None
                    connection.start_tls(self._context or client_context(), host.name, session)
            except BaseException as error:
                connection.close()
                if not isinstance(error, ConnectionError):
                    raise
                problem = error
            else:
                return connection
        raise problem

    def _forget(self, host: Host) -> None:
        self._open_counts[host] -= 1
        self._wake()

    def _wait(self, ends_at: float) -> None:
        flag = Flag()
        self._waiting.append(flag)
        if not flag.wait(max(0.0, ends_at - time.monotonic())):
            self._waiting.remove(flag)
            raise RequestTimedOut(f"all {self._most} connections stayed taken")

    def _wake(self) -> None:
        while self._waiting:
            self._waiting.pop().set()
