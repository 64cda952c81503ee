"""Shoppers for tests that keep their generator busier than it can be: each needs 0.1 s of its processor."""

import time

import loadgen.plugin  # noqa: F401
from loadgen.arrivals import ArrivalSource
from loadgen.session import Session


class BurningShoppers(ArrivalSource):
    def visit(self, session: Session) -> None:
        for _ in range(2):
            session.client.get("/home", name="home")
            until = time.process_time() + 0.05
            while time.process_time() < until:
                pass
