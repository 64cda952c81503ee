"""Sending a paid order back: the order is *returning* until the provider has given the money back, then *returned*.

The first step is durable before the provider is asked, and the second repeats without harm: a crash between them leaves
a returning order, which `reconciliation` brings to its end.
"""

from dataclasses import replace

from reference_shop import metrics
from reference_shop.domain.errors import NotFound, NotReturnable
from reference_shop.domain.orders import Order, OrderState
from reference_shop.domain.payments import ChargeState, PaymentProvider
from reference_shop.domain.stock import Movement
from reference_shop.repository import locks, orders, stock, vouchers
from reference_shop.repository.database import Connection, Database
from reference_shop.services.checkout import PENDING_AFTER_S


class Returns:
    """Use cases of sending back."""

    def __init__(self, database: Database, provider: PaymentProvider, pending_after_s: float = PENDING_AFTER_S) -> None:
        """Work on this database and provider; an order still returning after `pending_after_s` is reconciled."""
        self._database = database
        self._provider = provider
        self._pending_after_s = pending_after_s

    async def send_back(self, order_id: int, cart_id: int | None, account_id: int | None) -> Order:
        """Take a paid order back; it is still returning if the provider did not answer.

        Raises NotFound, for a foreign order as for none, and NotReturnable. One that is on its way back is returned as
        it stands.
        """
        async with self._database.transaction() as connection:
            order = await _own(connection, order_id, cart_id, account_id)
            begins = order.state is OrderState.PAID
            if begins:
                await orders.set_state(connection, order, OrderState.RETURNING, self._pending_after_s)
                order = replace(order, state=OrderState.RETURNING)
        if begins:
            metrics.orders.add(OrderState.RETURNING.value)
        if order.state not in {OrderState.RETURNING, OrderState.RETURNED}:
            raise NotReturnable
        return await finish_return(self._database, self._provider, order)


async def finish_return(database: Database, provider: PaymentProvider, returning: Order) -> Order:
    """Have the money given back and put the goods on the shelf; durable on return, and safe to repeat."""
    if returning.charge_idr and await provider.refund(returning.key) is not ChargeState.REFUNDED:
        return returning
    async with database.transaction() as connection:
        order = await locks.lock_order(connection, returning.order_id)
        if order.state is not OrderState.RETURNING:
            return order
        await orders.refund_payment(connection, order)
        await orders.set_state(connection, order, OrderState.RETURNED)
        await locks.lock_vouchers(connection, None, order.gift_card_id)
        await vouchers.give_gift_back(connection, order)
        await stock.move(connection, await orders.lines_of(connection, order.order_id), Movement.RETURN, order.order_id)
    metrics.orders.add(OrderState.RETURNED.value)
    return replace(order, state=OrderState.RETURNED)


async def _own(connection: Connection, order_id: int, cart_id: int | None, account_id: int | None) -> Order:
    try:
        order = await locks.lock_order(connection, order_id)
    except LookupError:
        order = None
    if order is None or not order.belongs_to(cart_id, account_id):
        raise NotFound("Pesanan ini tidak ada.")
    return order
