"""Settles orders that a crash, a timeout or an unreachable provider left pending. Runs in every worker.

The provider is asked to *void* the key rather than whether it knows it: a worker that was frozen before its charge
could still send it after a mere question had been answered with "never heard of it".
"""

import asyncio
import logging

from reference_shop.domain.errors import Unavailable
from reference_shop.domain.orders import OrderState
from reference_shop.domain.payments import PaymentProvider
from reference_shop.repository import locks
from reference_shop.repository.database import Database
from reference_shop.services.settlement import settle

_PERIOD_S = 1.0
_ORDERS_PER_ROUND = 20
_LEASE_S = 10.0

_log = logging.getLogger(__name__)


async def resolve_pending(database: Database, provider: PaymentProvider) -> int:
    """Settle the pending orders that are due; return how many. What the provider cannot answer is asked again later."""
    async with database.transaction() as connection:
        claimed = await locks.claim_pending_orders(connection, _ORDERS_PER_ROUND, _LEASE_S)
    settled_count = 0
    for order in claimed:
        settled = await settle(database, order, await provider.void(order.key))
        if settled.state is not OrderState.PENDING:
            settled_count += 1
            _log.info("order %d was pending and is now %s", settled.order_id, settled.state)
    return settled_count


async def keep_resolving(database: Database, provider: PaymentProvider) -> None:
    """Call `resolve_pending` for ever; nothing that happens to one round keeps the next from being tried."""
    while True:
        await asyncio.sleep(_PERIOD_S)
        try:
            await resolve_pending(database, provider)
        except Unavailable:
            _log.warning("the database does not answer; pending orders wait")
        except Exception:
            _log.exception("a round of reconciliation failed; pending orders wait")
