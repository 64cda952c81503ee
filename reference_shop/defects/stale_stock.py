"""stale-stock: what was once read from the catalogue is never read again.

A cache without expiry and without anybody who empties it: the first asker's answer is everybody's, until the worker is
restarted. Shoppers put into the cart what has long been sold out, and pass by what was delivered meanwhile; two
workers show different things, so that the page changes with every reload.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from reference_shop.defects._planting import replace
from reference_shop.repository import products
from reference_shop.repository.database import Connection

Answer = TypeVar("Answer")


def _for_ever(read: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    answers: dict[tuple[Hashable, ...], Answer] = {}

    async def remembered(connection: Connection, *asked: Hashable) -> Answer:
        if asked not in answers:
            answers[asked] = await read(connection, *asked)
        return answers[asked]

    return remembered


def plant() -> None:
    """Replace every reading of shelves and products."""
    for read in (products.home, products.category_page, products.search_page, products.product_page):
        replace(products, read.__name__, _for_ever(read))
