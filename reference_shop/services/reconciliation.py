"""Settles orders that a crash, a timeout or an unreachable provider left pending or returning.

The provider is asked to *void* the key rather than whether it knows it: a worker that was frozen before its charge
could still send it after a mere question had been answered with "never heard of it".
"""

import logging

from reference_shop import metrics
from reference_shop.domain.errors import Unavailable
from reference_shop.domain.orders import Order, OrderState
from reference_shop.domain.payments import ChargeState, PaymentProvider
from reference_shop.repository import locks
from reference_shop.repository.database import Database
from reference_shop.services.returns import finish_return
from reference_shop.services.settlement import settle

_ORDERS_PER_ROUND = 20
_LEASE_S = 10.0

_log = logging.getLogger(__name__)


async def resolve_open(database: Database, provider: PaymentProvider) -> int:
    """Settle the open orders that are due; return how many. What the provider cannot answer is asked again later."""
    async with database.transaction() as connection:
        claimed = await locks.claim_open_orders(connection, _ORDERS_PER_ROUND, _LEASE_S)
    settled_count = 0
    for order in claimed:
        try:
            settled = await _resolve(database, provider, order)
        except Unavailable:
            raise
        except Exception:  # whatever is wrong with one order, the others are not to wait for it
            _log.exception("order %d was not settled; it is tried again", order.order_id)
            continue
        if settled.state is not order.state:
            settled_count += 1
            metrics.orders_reconciled.add(settled.state.value)
            _log.info("order %d was %s and is now %s", settled.order_id, order.state, settled.state)
    return settled_count


async def _resolve(database: Database, provider: PaymentProvider, order: Order) -> Order:
    if order.state is OrderState.RETURNING:
        return await finish_return(database, provider, order)
    outcome = await provider.void(order.key) if order.charge_idr else ChargeState.CAPTURED
    return await settle(database, order, outcome)
