"""A locustfile for measuring the generator itself: every session asks for one page over a connection of its own.

In the closed model a user pauses before the next session follows, as users in a loop do to make a given load.
"""

import loadgen.plugin  # noqa: F401
from loadgen.arrivals import ArrivalSource
from loadgen.attendance import Steps
from loadgen.session import Session

PAUSE_S = 0.02


class OneRequest(ArrivalSource):
    """Comes, asks once, goes."""

    def visit(self, session: Session) -> Steps:
        """Send the one request."""
        session.client.get("/", name="page")
        if self.scenario.load.model == "closed":
            yield PAUSE_S
