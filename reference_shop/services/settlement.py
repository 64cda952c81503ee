"""The one place where an order leaves `pending`; called by the checkout that waits and by reconciliation."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from reference_shop import metrics
from reference_shop.domain.orders import Line, Order, OrderState
from reference_shop.domain.payments import ChargeState
from reference_shop.domain.sales import Reservation
from reference_shop.domain.stock import Movement
from reference_shop.repository import carts, locks, orders, sales, stock, vouchers
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
        lines = await orders.lines_of(connection, order.order_id)
        if outcome is ChargeState.CAPTURED:
            settled = await _pay(connection, order, lines)
        else:
            settled = await _cancel(connection, order, lines, outcome)
    metrics.orders.add(settled.state.value)
    if settled.state is OrderState.PAID:
        metrics.revenue_idr.add(amount=settled.total_idr)
        metrics.units_sold.add(amount=sum(line.quantity for line in lines))
    return settled


async def _pay(connection: Connection, order: Order, lines: tuple[Line, ...]) -> Order:
    if order.charge_idr:
        await orders.insert_payment(connection, order, ChargeState.CAPTURED)
    await orders.set_state(connection, order, OrderState.PAID)
    await sales.conclude(connection, await sales.of_order(connection, order.order_id), order.order_id)
    await stock.move(connection, lines, Movement.SELL, order.order_id)
    await carts.take_out(connection, order, lines)
    return replace(order, state=OrderState.PAID)


async def _cancel(connection: Connection, order: Order, lines: tuple[Line, ...], outcome: ChargeState) -> Order:
    if outcome is ChargeState.DECLINED:
        await orders.insert_payment(connection, order, outcome)
    await orders.set_state(connection, order, OrderState.CANCELLED)
    await locks.lock_vouchers(connection, order.coupon_id, order.gift_card_id)
    await vouchers.give_back(connection, order)
    kept = await sales.of_order(connection, order.order_id)
    await sales.detach(connection, kept)
    await stock.move(connection, _without(lines, kept), Movement.RELEASE, order.order_id)
    return replace(order, state=OrderState.CANCELLED)


def _without(lines: Sequence[Line], kept: Sequence[Reservation]) -> list[Line]:
    """The lines' units that no reservation keeps for the cart."""
    units = Counter[int]()
    for reservation in kept:
        units[reservation.product_id] += reservation.quantity
    return [replace(line, quantity=line.quantity - units[line.product_id]) for line in lines]
