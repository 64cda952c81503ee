"""lost-order: an order is placed, charged and settled in one transaction, and acknowledged before that is committed.

The commit then fails for every third order (a connection lost, a constraint checked late): money taken, shopper told,
and nothing of the order is left, not even a row that could be searched for. To hold one transaction across the call of
another system is the usual way there; the order numbers that are missing in the sequence are the only trace.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from copy import copy
from typing import cast
from uuid import UUID

from reference_shop.defects._planting import replace
from reference_shop.domain.errors import PaymentDeclined, PaymentUnresolved, ShopError, VoucherRefused
from reference_shop.domain.orders import Buyer, Order
from reference_shop.repository.database import Connection, Database
from reference_shop.services.checkout import CheckoutDesk

_LOST_ONE_IN = 3
_DECIDED = (PaymentDeclined, PaymentUnresolved, VoucherRefused)

_sound_pay = CheckoutDesk.pay
_commits: set[asyncio.Task[None]] = set()


class _CommitFailed(Exception):
    """What the database answers too late to be told to anybody."""


class _OneTransaction:
    """Looks like the database to whoever settles one order: all that it asks for is part of the same transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection, None]:
        yield self._connection

    connection = transaction


async def _pay(self: CheckoutDesk, buyer: Buyer, key: UUID, card_token: str, agreed_idr: int | None = None) -> Order:
    refusal: ShopError
    async with AsyncExitStack() as transaction:
        desk = copy(self)
        connection = await transaction.enter_async_context(self._database.transaction())
        desk._database = cast(Database, _OneTransaction(connection))
        try:
            order = await _sound_pay(desk, buyer, key, card_token, agreed_idr)
        except _DECIDED as decided:  # what was written stands, and is committed here
            refusal = decided
        else:
            commit = asyncio.create_task(_commit(transaction.pop_all(), order))
            _commits.add(commit)
            commit.add_done_callback(_commits.discard)
            return order
    raise refusal


async def _commit(transaction: AsyncExitStack, order: Order) -> None:
    with suppress(_CommitFailed):
        async with transaction:
            if order.order_id % _LOST_ONE_IN == 0:
                raise _CommitFailed


def plant() -> None:
    """Replace the checkout's payment."""
    replace(CheckoutDesk, "pay", _pay)
