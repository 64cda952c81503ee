"""What Locust loads for the bench: the marketplace's sessions as they always are, but metered, and so many of them."""

from collections.abc import Generator

from locust.env import Environment

from loadgen.bench.meter import Meter
from loadgen.session import Session
from scenarios import door

_LONG_S = 3600.0


class MeteredShoppers(door.Shoppers):
    """Sends as many sessions through the shop as were ordered; who comes later waits outside."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._meter = Meter.from_environment(lambda: int(environment.stats.total.num_requests))

    def visit(self, session: Session) -> Generator[float, None, None]:
        """One shopper, from the first page to leaving."""
        if session.number >= self._meter.session_count:
            yield _LONG_S
            return
        self._meter.begin()
        yield from super().visit(session)
        self._meter.end()
