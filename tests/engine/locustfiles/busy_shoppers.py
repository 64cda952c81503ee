"""Shoppers for tests: seven requests close behind each other, one of which takes a while to be answered."""

import loadgen.plugin  # noqa: F401
from loadgen.arrivals import ArrivalSource
from loadgen.session import Session

PAGES = ("home", "category", "product", "product", "cart", "checkout")


class BusyShoppers(ArrivalSource):
    def visit(self, session: Session) -> None:
        for page in PAGES:
            session.client.get(f"/{page}", name=page)
            session.think(session.random.uniform(0.0, 0.02))
        session.client.get("/slow/0.3", name="payment")
