"""Puts a worker's bounded places, and the protections of its requests, around its pages.

    load-shedding ──► checkout-bulkhead ──► Admission ──► added service time ──► pages

From the outside in: who is refused by one has cost nothing of what stands further inside.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from random import Random
from time import monotonic

from starlette.types import ASGIApp, Receive, Scope, Send

from reference_shop.admission import Admission, queue_length_for
from reference_shop.protections.checkout_bulkhead import CheckoutBulkhead
from reference_shop.protections.load_shedding import BOT_SHARE, DelayLimit, LoadShedding
from reference_shop.protections.overloaded_answer import OverloadedAnswer, Refuse
from reference_shop.throttles.service_time import ServiceTime

_CHECKOUT_PART = 5  # one place in so many: 20 of 100
_LEAST_PART = 5  # the lowest limit that shedding sets is one place in so many


@dataclass(frozen=True, slots=True)
class GuardedApp:
    """The outermost of the layers as an ASGI application; and the layers, for those who count. None: left out."""

    outermost: ASGIApp
    admission: Admission
    bulkhead: CheckoutBulkhead | None
    shedding: LoadShedding | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self.outermost(scope, receive, send)


def guard_app(
    app: ASGIApp,
    names: Collection[str],
    *,
    concurrency: int,
    delay_ms: float,
    refuse: Refuse,
    kind_of: Callable[[str], str],
    rng: Random,
    waits_s: Sequence[Callable[[], float]] = (),
    clock: Callable[[], float] = monotonic,
) -> GuardedApp:
    """Return the pages with `concurrency` places, and with the protections that `names` holds; others are ignored.

    `kind_of` names the page kind of a path, `refuse` draws a refusal's page, `rng` spreads when to come again, and each
    of `waits_s` says how long the first waits in a line further inside, in seconds: that for database connections.
    """
    answer = OverloadedAnswer(refuse, rng)
    admission = Admission(ServiceTime(app, delay_ms) if delay_ms else app, answer, concurrency=concurrency, clock=clock)
    bulkhead = shedding = None
    if "checkout-bulkhead" in names:
        bulkhead = CheckoutBulkhead(admission, answer, places=max(1, concurrency // _CHECKOUT_PART))
    if "load-shedding" in names:
        shedding = LoadShedding(
            bulkhead or admission,
            answer,
            _limit_for(concurrency),
            kind_of=kind_of,
            waits_s=(lambda: admission.longest_wait_s, *waits_s),
            clock=clock,
        )
    return GuardedApp(shedding or bulkhead or admission, admission, bulkhead, shedding)


def _limit_for(concurrency: int) -> DelayLimit:
    """At its most it refuses nobody whom `Admission` would take in, robots included."""
    most = (concurrency + queue_length_for(concurrency) + 1) / BOT_SHARE
    return DelayLimit(least=max(2, concurrency // _LEAST_PART), most=most)
