"""lost-order: an order is placed, charged and settled in one transaction, and acknowledged whether or not that commits.

The answer is made as soon as the money is captured; that the commit after it fails, for every third order, is logged
and passed over. Money taken, shopper told, and nothing of the order is left, not even a row that could be searched for.
To hold one transaction across the call of another system is the usual way there; the numbers that are missing in the
sequence of orders are the only trace.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from copy import copy
from typing import cast
from uuid import UUID

from reference_shop.defects._planting import replace
from reference_shop.domain.errors import PaymentDeclined, PaymentUnresolved, ShopError, VoucherRefused
from reference_shop.domain.orders import Buyer, Order
from reference_shop.repository.database import Connection, Database
from reference_shop.services.checkout import CheckoutDesk

_LOST_ONE_IN = 3
_DECIDED = (PaymentDeclined, PaymentUnresolved, VoucherRefused)  # what was written by then stands

_sound_pay = CheckoutDesk.pay


class _CommitFailed(Exception):
    """What the database answers when nobody listens any more."""


class _OneTransaction:
    """Looks like the database to whoever settles one order: all that it asks for is part of the same transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection, None]:
        yield self._connection

    connection = transaction


async def _pay(self: CheckoutDesk, buyer: Buyer, key: UUID, card_token: str, agreed_idr: int | None = None) -> Order:
    answer: Order | ShopError
    with suppress(_CommitFailed):
        async with self._database.transaction() as connection:
            desk = copy(self)
            desk._database = cast(Database, _OneTransaction(connection))
            try:
                answer = await _sound_pay(desk, buyer, key, card_token, agreed_idr)
            except _DECIDED as refusal:
                answer = refusal
            if isinstance(answer, Order) and answer.order_id % _LOST_ONE_IN == 0:
                raise _CommitFailed
    if isinstance(answer, ShopError):
        raise answer
    return answer


def plant() -> None:
    """Replace the checkout's payment."""
    replace(CheckoutDesk, "pay", _pay)
