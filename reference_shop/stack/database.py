"""The stack's database: a PostgreSQL of its own, or a schema of its own in somebody else's."""

import hashlib
import os
import secrets
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped,unused-ignore]  # published without types

from reference_shop.stack.child import ProcessSpec
from reference_shop.stack.folder import StackFolder
from reference_shop.stack.ports import HOST
from reference_shop.stack.problems import StackProblem

USER = "lonjak"
_CONNECT_S = 5.0
_DROP_S = 3.0
_MARK = "made by lonjak"  # the beginning of the comment that the seed puts on its schema

# Each worker holds a pool of connections; the rest is for seed, truth and a person with psql.
_CONNECTIONS_PER_WORKER = 20
_OTHER_CONNECTIONS = 20


@dataclass(frozen=True, slots=True)
class EmbeddedDatabase:
    """A PostgreSQL that lives in the stack's folder, on loopback, with a password that exists only in memory."""

    programs: Path
    folder: StackFolder
    port: int
    password: str
    cpu_set: tuple[int, ...]
    workers: int

    @property
    def url(self) -> str:
        """Where sessions are opened."""
        return f"postgresql://{USER}:{self.password}@{HOST}:{self.port}/postgres"

    def creation(self) -> ProcessSpec:
        """initdb; the caller removes `password_file` afterwards."""
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(self.password, encoding="ascii")
        self.folder.hand_over(self.password_file)
        return ProcessSpec(
            role="initdb",
            tier="database",
            command=(
                *(str(self.programs / "bin" / "initdb"), "-D", str(self._data), "-U", USER),
                f"--pwfile={self.password_file}",
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
                "--builtin-locale=C.UTF-8",
                # A machine that crashes takes this temporary folder along: the new files need not be on the disk yet.
                "--no-sync",
            ),
            folder=self.folder.path,
            log=self.folder.log("initdb"),
            cpu_set=self.cpu_set,
            become=self.folder.run_as,
            restart="never",
        )

    def server(self) -> ProcessSpec:
        """The server itself; SIGINT is its fast, orderly stop."""
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",  # paths of sockets are limited to 107 bytes, temporary folders are not
            "max_connections": str(self.workers * _CONNECTIONS_PER_WORKER + _OTHER_CONNECTIONS),
            "shared_buffers": "256MB",  # holds the whole catalogue
            "fsync": "on",  # an acknowledged order is durable: that is the promise under test
            "synchronous_commit": "on",
            "wal_level": "minimal",  # no replica reads along
            "max_wal_senders": "0",
            "max_wal_size": "1GB",  # no checkpoint storm within a run
            "io_method": "sync",  # the data is in memory: helpers for reading ahead would only take processor time
            "max_parallel_workers_per_gather": "0",  # short queries; and /dev/shm may be tiny in a container
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        options = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        return ProcessSpec(
            role="database",
            tier="database",
            command=(str(self.programs / "bin" / "postgres"), "-D", str(self._data), *options),
            folder=self.folder.path,
            log=self.folder.log("database"),
            port=self.port,
            cpu_set=self.cpu_set,
            become=self.folder.run_as,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
            stop_s=5.0,
        )

    @property
    def password_file(self) -> Path:
        """Where initdb reads the password, for as long as it runs."""
        return self.folder.open_to_processes("database") / "password"

    @property
    def _data(self) -> Path:
        return self.folder.path / "database" / "data"


def new_password() -> str:
    """A password that needs no quoting in a URL."""
    return secrets.token_urlsafe(24)


def schema_for(port: int) -> str:
    """The name of our schema in somebody else's database: no other stack, user or machine takes the same."""
    whose = hashlib.blake2s(f"{socket.gethostname()} {os.getuid()}".encode(), digest_size=4).hexdigest()
    return f"lonjak_{port}_{whose}"


async def check_usable(url: str) -> None:
    """Raise StackProblem, in one sentence without the password, when no session can be opened."""
    async with _session(url):
        pass


async def drop_schema(url: str, schema: str) -> None:
    """Drop the schema that our seed made; the mark that it set must still be there."""
    async with _session(url) as session:
        made_by = await session.fetchval(
            "select obj_description(oid, 'pg_namespace') from pg_namespace where nspname = $1", schema
        )
        if str(made_by).startswith(_MARK):
            await session.execute(f'drop schema "{schema}" cascade', timeout=_DROP_S)


def describe(url: str) -> str:
    """A database URL without user and password."""
    parts = urlsplit(url)
    return f"the database at {parts.hostname or HOST}:{parts.port or 5432}{parts.path}"


@asynccontextmanager
async def _session(url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    try:
        session = await asyncpg.connect(url, timeout=_CONNECT_S)
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StackProblem(f"{describe(url)} cannot be used: {str(error) or 'no answer'}") from None
    try:
        yield session
    except asyncpg.PostgresError as error:
        raise StackProblem(f"{describe(url)} refused: {error}") from None
    finally:
        await session.close(timeout=_CONNECT_S)
