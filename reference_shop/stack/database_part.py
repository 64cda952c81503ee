"""The part of a stack that keeps orders: a PostgreSQL of its own or a schema in somebody else's, with its throttle."""

import logging
import socket
from dataclasses import dataclass

from reference_shop.stack import binaries, ports
from reference_shop.stack.database import EmbeddedDatabase, check_usable, drop_schema, new_password, schema_for
from reference_shop.stack.premises import Premises
from reference_shop.stack.problems import StackProblem
from reference_shop.stack.proxies import Way, by_way_of, server_of, throttle
from reference_shop.stack.readiness import accepts_sessions, announced

_EMBEDDED_SCHEMA = "shop"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Database:
    """Where sessions are opened: by those who fill it, and by the shop, for which it may be slow."""

    url: str
    shop_url: str
    schema: str


class DatabasePart:
    """Starts the database; `throttle_door` is where its throttle listens, if there is one.

    `public_port` names the schema in somebody else's database.
    """

    def __init__(self, premises: Premises, throttle_door: socket.socket | None, public_port: int) -> None:
        self._premises = premises
        self._throttle_door = throttle_door
        self._public_port = public_port
        self._reservation: socket.socket | None = None
        self._own_schema: str | None = None

    async def start(self) -> Database:
        """Return a database that accepts sessions. Raises StackProblem or OSError."""
        url, schema = await (self._use_given() if self._premises.settings.database_url else self._start_own())
        return Database(url, await self._slowed(url), schema)

    async def drop_own_schema(self) -> None:
        """In a database of somebody else's; when that fails, the next stack on this port empties the schema."""
        url = self._premises.settings.database_url
        if self._own_schema and url:
            try:
                await drop_schema(url, self._own_schema)
            except StackProblem as problem:
                _log.warning("the schema %s stays: %s", self._own_schema, problem)

    async def _use_given(self) -> tuple[str, str]:
        self._premises.say("look at the given database")
        url = self._premises.settings.database_url or ""
        await check_usable(url)
        self._own_schema = schema_for(self._public_port)
        return url, self._own_schema

    async def _start_own(self) -> tuple[str, str]:
        settings, folder = self._premises.settings, self._premises.folder
        self._premises.say("start PostgreSQL")
        self._reservation = ports.reserve()
        database = EmbeddedDatabase(
            programs=binaries.reachable(binaries.installed(), folder.path.parent, settings.run_as),
            folder=folder,
            port=ports.number_of(self._reservation),
            password=new_password(),
            cpu_set=settings.stack_cpus,
            workers=settings.workers,
        )
        try:
            await self._premises.services.run(database.creation())
        finally:
            database.password_file.unlink(missing_ok=True)
        await self._premises.services.serve(database.server(), accepts_sessions(database.url))
        return database.url, _EMBEDDED_SCHEMA

    async def _slowed(self, url: str) -> str:
        """Where the shop finds its database."""
        if self._throttle_door is None:
            return url
        self._premises.say("start the throttle of the database")
        way = Way(self._throttle_door, server_of(url), keep_client_address=False)
        spec = throttle("database-throttle", "database", self._premises.settings, self._premises.folder, way)
        # Outside the tier's control group, as it only plays a slow tier.
        await self._premises.services.serve_unthrottled(spec, announced)
        return by_way_of(url, self._throttle_door)
