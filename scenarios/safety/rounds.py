"""What goes round beside the shoppers of the bundled shop: all probes, again and again, for as long as there is load.

It happens while scaling and in trouble that caches give away what they should not, so it is looked for then. A round is
about 20 requests; each probe tries a part of what it knows, and everything within a few rounds. Where no cache shows
itself there is little to find, and rounds are rare. Points of presence have their caches each for itself: they are
visited in turn, a whole round at one of them. At one that is down a round comes to no conclusion. Nothing is bought:
one product lies in one cart at each point for the whole run, none of a flash sale, where that would take it from a
shopper.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from itertools import cycle

from loadgen.session import Session
from scenarios.safety import method_override, oversized_header, poisoning
from scenarios.safety.aftermath import Aftermath
from scenarios.safety.asking import Probe
from scenarios.safety.deception import Deception
from scenarios.safety.wire import WireAsker

FIRST_S = 0.5
OFTEN_S = 2.0
SELDOM_S = 10.0
_LEAST_PAUSE_S = 0.5  # however long a round took
_PRODUCTS = 20  # the most wanted ones; what is asked of one that a small catalogue lacks comes to no conclusion


class SafetyRounds:
    """The probes of one run. `sale_product_id` is left alone; `clock`: seconds of any one clock."""

    def __init__(
        self, session: Session, sale_product_id: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._random = session.random
        self._products = [number for number in range(1, _PRODUCTS + 1) if number != sale_product_id]
        self._askers = tuple(WireAsker(session, point) for point in _points_of(session))
        # Each point has probes of its own: what was tried at one has not been tried at the other, and cookies are a
        # host's.
        self._probes = tuple(self._probes_at(asker, session) for asker in self._askers)

    def steps(self) -> Generator[float, None, None]:
        """Round after round, without end; yields the seconds to wait."""
        yield FIRST_S
        for probes in cycle(self._probes):
            began = self._clock()
            for probe in probes:
                yield from probe.round()
            every_s = OFTEN_S if any(asker.sees_cache for asker in self._askers) else SELDOM_S
            yield max(_LEAST_PAUSE_S, every_s - (self._clock() - began))

    def _probes_at(self, asker: WireAsker, session: Session) -> tuple[Probe, ...]:
        return (
            Deception(asker, session, self._draw_product),
            *(
                Aftermath(check, oddities, asker=asker, witness=session, draw_page=self._draw_page)
                for check, oddities in (
                    (poisoning.CHECK, poisoning.ODDITIES),
                    (method_override.CHECK, method_override.ODDITIES),
                    (oversized_header.CHECK, oversized_header.ODDITIES),
                )
            ),
        )

    def _draw_page(self) -> str:
        return f"/product/{self._draw_product()}"

    def _draw_product(self) -> int:
        return self._random.choice(self._products)


def _points_of(session: Session) -> tuple[str, ...]:
    """All points of presence of the run, in their order; of a session that belongs to none, its own target."""
    points = session.points_of_presence
    return points if session.target in points else (session.target,)
