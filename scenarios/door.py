"""What Locust loads: the engine, and the one source of shoppers; what they do stands in `scenarios.shop_visits`."""

from collections.abc import Generator

from locust.env import Environment

import loadgen.plugin  # noqa: F401  (registers the engine with Locust)
from loadgen.arrivals import ArrivalSource
from loadgen.config import Scenario
from loadgen.session import Session
from scenarios import shop_visits
from scenarios.safety.visitor_secret import VisitorSecrets


class Shoppers(ArrivalSource):
    """Sends every arriving session through the scenario's mix."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._visits = shop_visits.ShopVisits(self.scenario, inspecting=VisitorSecrets)

    def visit(self, session: Session) -> Generator[float, None, None]:
        """One shopper, from the first page to leaving."""
        return self._visits.visit(session)

    def companion(self, session: Session) -> Generator[float, None, None]:
        """What looks for leaks beside the shoppers."""
        return self._visits.companion(session)

    @classmethod
    def recognise(cls, scenario: Scenario, target: str) -> None:
        """Raises TargetUnrecognised when the target is not the scenario's shop, ConfigProblem for an unknown mix."""
        shop_visits.recognise(scenario, target)
