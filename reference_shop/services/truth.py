"""The shop's own account of its orders, money and stock, as of one instant, for an audit from outside.

The provider's books and the catalogue are asked after the snapshot: what they add carries instants of its own.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import asdict

from reference_shop.domain.payments import PaymentProvider
from reference_shop.repository import truth
from reference_shop.repository.database import Database
from reference_shop.repository.truth import Fact
from reference_shop.services.catalogue import Catalogue

_MOST_SHOWN = 200


class Books:
    """Whom to ask for what."""

    def __init__(
        self, database: Database, provider: PaymentProvider, catalogue: Catalogue, clock: Callable[[], float]
    ) -> None:
        """`catalogue` is the one that shoppers see, its memory included; `clock` gives epoch seconds."""
        self._database = database
        self._provider = provider
        self._catalogue = catalogue
        self._clock = clock

    async def tell(self, since: float) -> AsyncIterator[Fact]:
        """Yield every fact since an instant, then the end: how many there were, and how many orders are still open.

        `charges_known` is false at the end when the provider did not answer.
        """
        line_count, moved = 0, list[Fact]()
        async with self._database.snapshot() as connection:
            at = self._clock()
            open_count = await truth.open_order_count(connection)
            async for fact in truth.facts(connection, since):
                line_count += 1
                if fact["type"] == "stock" and len(moved) < _MOST_SHOWN:
                    moved.append(fact)
                yield fact
        async for fact in self._shown(moved):
            line_count += 1
            yield fact
        charges = await self._provider.charges_since(since)
        for charge in charges or ():
            line_count += 1
            key = {"idempotency_key": str(charge.key), "state": charge.state.value}
            yield {"type": "charge", **{name: value for name, value in asdict(charge).items() if name != "key"}, **key}
        end = {"lines": line_count, "at": at, "pending_count": open_count, "charges_known": charges is not None}
        yield {"type": "end", **end}

    async def _shown(self, moved: list[Fact]) -> AsyncIterator[Fact]:
        """What the catalogue shows of products that moved; those that moved again meanwhile are passed over."""
        shown = {}
        for fact in moved:
            page = await self._catalogue.product_page(str(fact["product_id"]))
            shown[page.product.card.product_id] = (page.product.card.on_hand, self._clock())
        async with self._database.connection() as connection:
            now_on_hand = await truth.on_hand(connection, list(shown))
        for fact in moved:
            product_id = int(str(fact["product_id"]))
            stock, shown_at = shown[product_id]
            if now_on_hand.get(product_id) == fact["on_hand"]:
                kept = {name: fact[name] for name in ("product_id", "on_hand", "moved_at")}
                yield {"type": "shown", **kept, "shown": stock, "shown_at": shown_at}
