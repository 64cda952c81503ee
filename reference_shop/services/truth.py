"""The shop's own account of its orders, payments and stock, as of one instant, for an audit from outside."""

from collections.abc import AsyncIterator

from reference_shop.repository.database import Database
from reference_shop.repository.truth import Fact, facts


async def tell(database: Database, since: float, now: float) -> AsyncIterator[Fact]:
    """Yield every fact of one snapshot, then `{"type": "end", "lines": facts before it, "at": now}`."""
    line_count = 0
    async with database.snapshot() as connection:
        async for fact in facts(connection, since):
            line_count += 1
            yield fact
    yield {"type": "end", "lines": line_count, "at": now}
