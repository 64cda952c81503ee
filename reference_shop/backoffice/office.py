"""Carries decisions out, one transaction each, at a steady pace."""

import asyncio
import logging
import random

from reference_shop.backoffice.changes import Change, Kind, draw_change, rounded_price
from reference_shop.domain.errors import Unavailable
from reference_shop.domain.orders import Line
from reference_shop.domain.stock import Movement
from reference_shop.repository import locks, products, sales, stock
from reference_shop.repository.database import Connection, Database

_log = logging.getLogger(__name__)


async def keep_changing(database: Database, rng: random.Random, changes_per_s: float) -> None:
    """Change something `changes_per_s` times a second, for ever; what the database does not take is passed over."""
    async with database.connection() as connection:
        product_count = await products.count(connection)
    while True:
        await asyncio.sleep(1 / changes_per_s)
        try:
            await carry_out(database, draw_change(rng, product_count))
        except Unavailable:
            _log.warning("the database does not answer; nothing is changed")


async def carry_out(database: Database, change: Change) -> bool:
    """Make one change; False, and nothing changed, for a product in a flash sale or units that are not there."""
    async with database.transaction() as connection:
        if await sales.of_product(connection, change.product_id) is not None:
            return False
        if change.kind is Kind.STOCK:
            return await _change_stock(connection, change.product_id, change.units)
        list_price_idr = await products.list_price(connection, change.product_id)
        price_idr = rounded_price(list_price_idr * change.factor)
        lasting = change.kind is Kind.PRICE
        await products.set_price(connection, change.product_id, price_idr, price_idr if lasting else None)
        return True


async def _change_stock(connection: Connection, product_id: int, units: int) -> bool:
    on_hand = await locks.lock_stock(connection, [product_id])
    if on_hand[product_id] + units < 0:
        return False
    movement = Movement.DELIVER if units > 0 else Movement.WITHDRAW
    await stock.move(connection, [Line(product_id, "", abs(units), 0)], movement)
    return True
