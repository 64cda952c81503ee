"""The flash sales that are open or to come, as this worker knows them: read often, and asked for every page."""

import asyncio
import logging
from datetime import UTC, datetime

from reference_shop.domain.errors import Unavailable
from reference_shop.domain.sales import FlashSale
from reference_shop.repository import sales
from reference_shop.repository.database import Database

_PERIOD_S = 0.25

_log = logging.getLogger(__name__)


class CurrentSales:
    """A view that is at most a quarter of a second old; who sells anything looks into the database himself."""

    def __init__(self, database: Database) -> None:
        """Know of no sale before the first `refresh`."""
        self._database = database
        self._sales: dict[int, FlashSale] = {}

    def of(self, product_id: int) -> FlashSale | None:
        """Return the product's sale, if it is not over."""
        sale = self._sales.get(product_id)
        return sale if sale and datetime.now(UTC) < sale.ends_at else None

    async def refresh(self) -> None:
        """Read all sales; raises Unavailable."""
        async with self._database.connection() as connection:
            self._sales = {sale.product_id: sale for sale in await sales.current(connection)}

    async def keep_current(self) -> None:
        """Refresh for ever; while the database does not answer, what was known stays."""
        while True:
            await asyncio.sleep(_PERIOD_S)
            try:
                await self.refresh()
            except Unavailable:
                _log.warning("the database does not answer; flash sales are as they were")
            except Exception:
                _log.exception("the flash sales were not read; the next try follows")
