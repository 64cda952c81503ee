"""What Locust loads for the bench: the marketplace's sessions as they always are, but metered, and so many of them."""

from collections.abc import Generator

from gevent.event import Event as Flag
from locust.env import Environment

import loadgen.plugin  # noqa: F401  (registers the engine with Locust)
from loadgen.arrivals import ArrivalSource
from loadgen.bench.meter import Meter, own_target, tape_length
from loadgen.schedule import Arrival
from loadgen.session import Session
from scenarios.safety.visitor_secret import VisitorSecrets
from scenarios.shop_visits import ShopVisits

_LONG_S = 3600.0


class MeteredShoppers(ArrivalSource):
    """Sends as many sessions through the shop as were ordered; who comes later waits outside.

    Each session knows nothing of the others, so that number n always asks for the same pages, whoever came before.
    """

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        total = environment.stats.total
        self._meter = Meter.from_environment(lambda: (total.num_requests, total.num_failures))
        self._begun_count = 0

    def visit(self, session: Session) -> Generator[float, None, None]:
        """One shopper, from the first page to leaving."""
        self._begun_count += 1
        if self._begun_count > self._meter.session_count:
            yield _LONG_S
            return
        self._meter.begin()
        yield from ShopVisits(self.scenario, inspecting=VisitorSecrets).visit(session)
        self._meter.end()

    def _open_session(self, arrival: Arrival, cut: Flag) -> Session:
        number = arrival.number % tape_length()
        return Session(
            number,
            arrival.due_s,
            scenario=self.scenario,
            target=own_target(self.target, number),
            recorder=self._assigned.recorder,
            cut=cut,
            request_event=self.environment.events.request,
        )
