"""Sessions for measuring the generator: they ask for one page, on and on, or once and wait with an open connection.

Whole sessions of a whole run, which is recorded like any other; vanilla.py does the same as users of plain Locust.
"""

import loadgen.plugin  # noqa: F401
from loadgen.arrivals import ArrivalSource
from loadgen.attendance import Steps
from loadgen.session import Session

_CUT_EVERY = 100  # requests, between two looks whether the run is over
WAIT_S = 3600.0


class Looping(ArrivalSource):
    """Asks again as soon as it has the answer, until the run ends."""

    def visit(self, session: Session) -> None:
        """Ask until cut."""
        while True:
            for _ in range(_CUT_EVERY):
                session.client.get("/")
            session.think(0.0)


class Waiting(ArrivalSource):
    """Asks once and thinks for an hour."""

    def visit(self, session: Session) -> Steps:
        """Ask, and think."""
        session.client.get("/")
        yield WAIT_S
