"""Sets and asks what no page would let a test set or ask."""

import asyncio
from typing import Any

import asyncpg  # type: ignore[import-untyped,unused-ignore]

from tests.shop.processes import SCHEMA


def ask(url: str, query: str, *args: object, schema: str = SCHEMA) -> Any:
    """Run one statement in the shop's schema; return the first column of its first row."""

    async def run() -> Any:
        connection = await asyncpg.connect(url, server_settings={"search_path": schema})
        try:
            return await connection.fetchval(query, *args)
        finally:
            await connection.close()

    return asyncio.run(run())


def put_on_shelf(url: str, product_id: int, units: int, schema: str = SCHEMA) -> None:
    """Begin a product's story anew: this many units, none sold."""
    query = "UPDATE stock SET initial = $2, on_hand = $2, reserved = 0, sold = 0, returned = 0 WHERE product_id = $1"
    ask(url, query, product_id, units, schema=schema)


def on_hand(url: str, product_id: int, schema: str = SCHEMA) -> int:
    """Return the units left."""
    units = ask(url, "SELECT on_hand FROM stock WHERE product_id = $1", product_id, schema=schema)
    assert isinstance(units, int)
    return units
