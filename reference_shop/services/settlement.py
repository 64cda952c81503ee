"""The one place where an order leaves `pending`; called by the checkout that waits and by reconciliation."""

from dataclasses import replace

from reference_shop.domain.orders import Order, OrderState
from reference_shop.domain.payments import ChargeState
from reference_shop.repository import carts, locks, orders
from reference_shop.repository.database import Connection, Database


async def settle(database: Database, pending: Order, outcome: ChargeState) -> Order:
    """Bring the order to the state that the charge's outcome demands; durable on return.

    An order that somebody else settled meanwhile is returned as it stands, and an unknown outcome changes nothing.
    """
    async with database.transaction() as connection:
        await locks.lock_checkout(connection, pending.cart_id)
        order = await locks.lock_order(connection, pending.order_id)
        if order.state is not OrderState.PENDING or outcome is ChargeState.UNKNOWN:
            return order
        if outcome is ChargeState.CAPTURED:
            return await _pay(connection, order)
        return await _cancel(connection, order, outcome)


async def _pay(connection: Connection, order: Order) -> Order:
    lines = await orders.lines_of(connection, order.order_id)
    await orders.insert_payment(connection, order, ChargeState.CAPTURED)
    await orders.set_state(connection, order.order_id, OrderState.PAID)
    await carts.take_out(connection, order, lines)
    return replace(order, state=OrderState.PAID)


async def _cancel(connection: Connection, order: Order, outcome: ChargeState) -> Order:
    lines = await orders.lines_of(connection, order.order_id)
    if outcome is ChargeState.DECLINED:
        await orders.insert_payment(connection, order, outcome)
    await orders.set_state(connection, order.order_id, OrderState.CANCELLED)
    await locks.lock_stock(connection, [line.product_id for line in lines])
    await orders.move_stock(connection, lines, +1)
    return replace(order, state=OrderState.CANCELLED)
