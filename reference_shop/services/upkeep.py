"""What every worker does besides serving: once a second, settle what was left open and release what has expired."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from reference_shop.domain.errors import Unavailable
from reference_shop.domain.payments import PaymentProvider
from reference_shop.repository.database import Database
from reference_shop.services.reconciliation import resolve_open
from reference_shop.services.reservations import release_expired

_PERIOD_S = 1.0

_log = logging.getLogger(__name__)


async def keep_up(database: Database, provider: PaymentProvider) -> None:
    """Do both for ever; nothing that happens to one round keeps the next from being tried."""
    await asyncio.gather(
        _repeat("reconciliation", lambda: resolve_open(database, provider)),
        _repeat("the release of reservations", lambda: release_expired(database)),
    )


async def _repeat(what: str, once: Callable[[], Awaitable[int]]) -> None:
    while True:
        await asyncio.sleep(_PERIOD_S)
        try:
            await once()
        except Unavailable:
            _log.warning("the database does not answer; %s waits", what)
        except Exception:
            _log.exception("a round of %s failed; the next is tried", what)
