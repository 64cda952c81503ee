"""Shoppers for tests: one product page, a short thought, the cart."""

import loadgen.plugin  # noqa: F401
from loadgen.arrivals import ArrivalSource
from loadgen.session import Session


class Shoppers(ArrivalSource):
    def visit(self, session: Session) -> None:
        with session.client.get("/product/1", name="product", catch_response=True) as page:
            if "hello" not in page.text:
                page.failure("this is another page")
        session.reached("product")
        session.think(session.random.uniform(0.05, 0.3))
        session.client.get("/cart", name="cart")
        session.reached("cart")
