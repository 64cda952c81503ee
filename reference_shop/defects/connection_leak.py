"""connection-leak: a connection is given back when all went well, and only then.

`acquire` and `release` without a `finally` between them. Each refusal inside a transaction (out of stock, price
changed, voucher refused, checkout expired) costs the pool one connection; after ten the worker waits 5 s for every page
and answers 503. It comes on the evening on which everything sells out.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

from reference_shop.defects._planting import replace
from reference_shop.domain.errors import Unavailable
from reference_shop.repository import database
from reference_shop.repository.database import Connection, Database


@asynccontextmanager
async def _connection(self: Database) -> AsyncGenerator[Connection, None]:
    try:
        lent = await self._acquire()
    except database._LOST as error:
        raise Unavailable from error
    yield cast(Connection, lent)
    await self._pool.release(lent)


def plant() -> None:
    """Replace the lending of connections."""
    replace(Database, "connection", _connection)
