"""lock-order: the checkout locks the stock of its products from the last to the first, one by one.

Whoever settles an order locks from the first to the last. Two transactions that want the same two products then wait
for each other; the database notices after a second and throws one of them out. It takes baskets that overlap, and a
crowd: on a quiet day everything is well.
"""

from collections.abc import Collection

from reference_shop import metrics
from reference_shop.defects._planting import replace
from reference_shop.repository import locks
from reference_shop.repository.database import Connection

_LOCK = "SELECT on_hand FROM stock WHERE product_id = $1 FOR UPDATE"


async def _lock_downwards(connection: Connection, product_ids: Collection[int]) -> dict[int, int]:
    units = {}
    for product_id in sorted(product_ids, reverse=True):
        with metrics.lock_wait("stock"):
            row = await connection.fetchrow(_LOCK, product_id)
        if row is not None:
            units[product_id] = row["on_hand"]
    return units


def plant() -> None:
    """Replace the lock of the stock."""
    replace(locks, "lock_stock", _lock_downwards)
