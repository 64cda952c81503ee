"""The pool of connections to PostgreSQL. Only this module knows asyncpg; the others see `Connection`."""

import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import monotonic
from typing import Any, Protocol, Self, cast

import asyncpg  # type: ignore[import-untyped,unused-ignore]  # published without types

from reference_shop import metrics
from reference_shop.domain.errors import Unavailable

Row = Mapping[str, Any]

_SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_ACQUIRE_TIMEOUT_S = 5.0
MAX_CONNECTIONS = 10
_LOST = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)


class Connection(Protocol):
    """What the repositories use of a connection; every statement is prepared once per connection and kept."""

    async def fetch(self, query: str, *args: object) -> Sequence[Row]:
        """Return all rows."""

    async def fetchrow(self, query: str, *args: object) -> Row | None:
        """Return the first row."""

    async def fetchval(self, query: str, *args: object) -> Any:
        """Return the first column of the first row."""

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement; return its tag, `UPDATE 3` say."""

    def cursor(self, query: str, *args: object, prefetch: int) -> AsyncIterable[Row]:
        """Stream rows inside a transaction."""

    def transaction(self, *, isolation: str, readonly: bool) -> AbstractAsyncContextManager[None]:
        """Open a transaction."""

    async def copy_records_to_table(
        self, table: str, *, records: Iterable[Sequence[object]], columns: Sequence[str]
    ) -> str:
        """Load rows by COPY."""


class Database:
    """A pool of connections whose search path is the shop's own schema. Use as an async context manager."""

    def __init__(
        self,
        url: str,
        schema: str,
        *,
        name: str,
        query_timeout_s: float = 30.0,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        """Check the schema's name (ValueError); connect on entry. `name` is shown in `pg_stat_activity`."""
        if not _SCHEMA_NAME.fullmatch(schema):
            raise ValueError(f"schema {schema!r} is no lower-case SQL name of at most 63 characters")
        self._url = url
        self._settings = {"search_path": schema, "application_name": f"lonjak {name}", "jit": "off"}
        self._query_timeout_s = query_timeout_s
        self._max_connections = max_connections
        self._waiting: dict[object, float] = {}  # since when, in the order of arrival

    async def __aenter__(self) -> Self:
        """Open the pool."""
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=self._max_connections,
            server_settings=self._settings,
            command_timeout=self._query_timeout_s,
            reset=_keep_session,
        )
        metrics.connections.follow(self._pool.get_max_size)
        metrics.connections_in_use.follow(lambda: self._pool.get_size() - self._pool.get_idle_size())
        metrics.connections_waiting.follow(lambda: self._waiting_for_long)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the pool, waiting for connections in use."""
        await self._pool.close()

    @property
    def longest_wait_s(self) -> float:
        """How long the first of those who wait for a connection has waited; 0 when nobody waits."""
        return monotonic() - next(iter(self._waiting.values())) if self._waiting else 0.0

    @property
    def _waiting_for_long(self) -> int:
        """How many wait for a connection; who has only just asked is given one in the same turn of the loop."""
        return 0 if self._pool.get_idle_size() else len(self._waiting)

    async def _acquire(self) -> Any:
        waiter = object()
        self._waiting[waiter] = monotonic()
        try:
            with metrics.connection_waits.time():
                return await self._pool.acquire(timeout=_ACQUIRE_TIMEOUT_S)
        finally:
            del self._waiting[waiter]

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection, None]:
        """Lend a connection, each statement its own transaction; raises Unavailable when the database is gone."""
        try:
            connection = await self._acquire()
            try:
                yield cast("Connection", connection)
            finally:
                await self._pool.release(connection)
        except _LOST as error:
            if isinstance(error, ValueError):  # asyncpg's complaint about an argument: our mistake, not the database's
                raise
            raise Unavailable from error

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection, None]:
        """Lend a connection inside one transaction: committed, and durable, when the block ends without an error."""
        async with self.connection() as connection, connection.transaction(isolation="read_committed", readonly=False):
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[Connection, None]:
        """Lend a connection that sees the database as it was at one instant, read only."""
        async with self.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            yield connection


async def _keep_session(_connection: object) -> None:
    """Skip asyncpg's reset query, a round trip per request: the shop changes no session state that it could undo."""
