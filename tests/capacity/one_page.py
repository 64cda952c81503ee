"""Sessions of one request each: what arrives at the server is then as Poisson as the sessions are."""

import loadgen.plugin  # noqa: F401  (registers the engine with Locust)
from loadgen.arrivals import ArrivalSource
from loadgen.session import Session


class OnePage(ArrivalSource):
    """Asks for one page and leaves."""

    def visit(self, session: Session) -> None:
        """One shopper's whole visit."""
        session.client.get("/", name="page")
