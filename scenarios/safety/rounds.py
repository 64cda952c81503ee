"""What goes round beside the shoppers of the bundled shop: all probes, again and again, for as long as there is load.

It happens while scaling and in trouble that caches give away what they should not, so it is looked for then. A round is
about 20 requests; each probe tries a part of what it knows, and everything within a few rounds. Where no cache shows
itself there is little to find, and rounds are rare. Nothing is bought: one product lies in one cart for the whole run,
none of a flash sale, where that would take it from a shopper.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

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
        self._asker = WireAsker(session)
        self._probes: tuple[Probe, ...] = (
            Deception(self._asker, session, self._draw_product),
            *(
                Aftermath(check, oddities, asker=self._asker, witness=session, draw_page=self._draw_page)
                for check, oddities in (
                    (poisoning.CHECK, poisoning.ODDITIES),
                    (method_override.CHECK, method_override.ODDITIES),
                    (oversized_header.CHECK, oversized_header.ODDITIES),
                )
            ),
        )

    def steps(self) -> Generator[float, None, None]:
        """Round after round, without end; yields the seconds to wait."""
        yield FIRST_S
        while True:
            began = self._clock()
            for probe in self._probes:
                yield from probe.round()
            every_s = OFTEN_S if self._asker.sees_cache else SELDOM_S
            yield max(_LEAST_PAUSE_S, every_s - (self._clock() - began))

    def _draw_page(self) -> str:
        return f"/product/{self._draw_product()}"

    def _draw_product(self) -> int:
        return self._random.choice(self._products)
