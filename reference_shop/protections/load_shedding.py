"""load-shedding: more requests than can be served in time are refused at once, checkout last.

*The signal is queueing delay*, not the time that a request takes. A login hashes for 50 ms and a payment waits for its
provider, in an idle shop as in a full one; but nothing waits in line unless more comes than can be served. WeChat
sheds by the same signal (Zhou et al., Overload Control for Scaling WeChat Microservices, SoCC 2018). The delay is that
of all lines in which a request stands: for the processor (how much work the event loop does in the turns that a request
needs), for a place and for a database connection (how long the first in line has waited). The first is counted in
processor time: what other programs take of the processor is no line of ours, and refusing shoppers gives none back.

*Only a standing queue counts.* A burst fills a queue, but a server that keeps up empties it; so the least delay of an
interval decides, not the mean (Nichols and Jacobson, Controlling Queue Delay, ACM Queue 10(5), 2012; used for requests:
Maurer, Fail at Scale, ACM Queue 13(8), 2015). The target is longer than theirs, which are 5 ms: a page takes
milliseconds of a processor, so a few shoppers at once stand in line so long, and none of them notices.

*What is limited is the number of requests in the shop*, not their rate: it bounds the queue whatever arrives. In a
saturated shop delay is proportional to that number (Little's law), so the limit is lowered in proportion to the excess
and raised by a tenth while all is well, until it is out of sight. Each class of pages may use a share of the limit:
what is left free by catalogue pages is the carts', and what these leave, checkout's.
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from time import monotonic, thread_time
from types import MappingProxyType

from starlette.types import ASGIApp, Receive, Scope, Send

from reference_shop.admission import needs_place
from reference_shop.protections.checkout_bulkhead import waits_for_provider

TARGET_S = 0.05
INTERVAL_S = 0.25
# Fewer may all belong to one stall.
_FEWEST_SAMPLES = 2
_FEWEST_ARRIVED = 10
# What comes while others are served is read in the next turn of the loop, counted in the one after that, and begun in
# the third. So four turns are certain to hold one round of serving whatever they begin with, and hold two at most.
_TURNS, _ROUNDS = 4, 2
_GROWTH = 1.1
# More than halving the limit in one step would act on delays that were measured before the step before.
_SHARPEST_CUT = 0.5
_MOST_INTERVALS = 100

BOT_SHARE = 0.5
BROWSING_SHARE = 0.7
CART_SHARE = 0.85
CHECKOUT_SHARE = 1.0
# By page kind; any other is browsing.
SHARES: Mapping[str, float] = MappingProxyType(
    dict.fromkeys(("cart", "login", "account", "orders", "waiting_room"), CART_SHARE)
    | dict.fromkeys(("checkout", "payment", "confirmation"), CHECKOUT_SHARE)
)


class DelayLimit:
    """A limit on the requests in the shop that follows queueing delay; `value` is the limit."""

    def __init__(
        self, *, least: float, most: float, target_s: float = TARGET_S, interval_s: float = INTERVAL_S
    ) -> None:
        """Begin at `most`, which must be out of reach in ordinary operation; never go below `least`."""
        self.value = most
        self._least = least
        self._most = most
        self._target_s = target_s
        self._interval_s = interval_s
        self._ends_at = -math.inf
        self._samples = _FEWEST_SAMPLES
        self._last_delay_s = self._least_delay_s = 0.0
        self._arrived = self._most_present = 0

    def observe(self, now: float, delay_s: float, arrived: int, most_present: int) -> None:
        """Take the delay measured at instant `now` (seconds); since the sample before, so many came and were here."""
        if now >= self._ends_at and self._samples >= _FEWEST_SAMPLES:
            self._adapt(now)
            self._ends_at = now + self._interval_s
            self._samples, self._least_delay_s = 0, math.inf
            self._arrived = self._most_present = 0
        self._samples += 1
        self._last_delay_s = delay_s
        self._least_delay_s = min(self._least_delay_s, delay_s)
        self._arrived += arrived
        self._most_present = max(self._most_present, most_present)

    def _adapt(self, now: float) -> None:
        if self._least_delay_s <= self._target_s:
            self.value = self.value * _GROWTH + 1
        elif self._arrived >= _FEWEST_ARRIVED:
            cut = max(_SHARPEST_CUT, self._target_s / self._least_delay_s)
            self.value = max(self._least, min(self.value, self._most_present) * cut)
        if self._last_delay_s <= self._target_s:  # then nothing has waited since, either
            self.value *= _GROWTH ** min((now - self._ends_at) / self._interval_s, _MOST_INTERVALS)
        self.value = min(self._most, self.value)


class LoadShedding:
    """ASGI middleware. It stands outside `Admission`, and outside the bulkhead: what it refuses costs nobody a place.

    `present` is the number of requests in the shop, without those that wait for the payment provider: they wait for
    nothing of ours, and if a slow provider's crowd used up the limit, the catalogue would pay for it.
    """

    def __init__(
        self,
        app: ASGIApp,
        refuse: ASGIApp,
        limit: DelayLimit,
        *,
        kind_of: Callable[[str], str],
        waits_s: Sequence[Callable[[], float]],
        clock: Callable[[], float] = monotonic,
        processor_clock: Callable[[], float] = thread_time,
    ) -> None:
        """Wrap `app`; `kind_of` names the page kind of a path, each of `waits_s` says how long a line's first waits.

        Both clocks tell seconds; `processor_clock` goes on only while the event loop's thread is at work.
        """
        self._app = app
        self._refuse = refuse
        self._limit = limit
        self._kind_of = kind_of
        self._waits_s = waits_s
        self._clock = clock
        self._processor_clock = processor_clock
        self._is_probing = False
        self._arrived = 0
        self._most_present = 0
        self.present = 0
        self.refused_count = 0

    @property
    def limit(self) -> float:
        """How many requests may be in the shop."""
        return self._limit.value

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not needs_place(scope):
            await self._app(scope, receive, send)
            return
        self._arrived += 1
        self._probe()
        if self.present >= self._limit.value * BOT_SHARE and self.present >= self._limit.value * self._share(scope):
            self.refused_count += 1
            await self._refuse(scope, receive, send)
        elif waits_for_provider(scope):
            await self._app(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.present += 1
        self._most_present = max(self._most_present, self.present)
        try:
            await self._app(scope, receive, send)
        finally:
            self.present -= 1
            if not self.present:  # nobody may come who would measure that nothing waits any more
                self._probe()

    def _probe(self) -> None:
        """Begin to measure the delay, unless that is being done."""
        if not self._is_probing:
            self._is_probing = True
            asyncio.get_running_loop().call_soon(self._turn, self._processor_clock(), _TURNS)

    def _turn(self, began_at: float, turns_left: int) -> None:
        if turns_left > 1:
            asyncio.get_running_loop().call_soon(self._turn, began_at, turns_left - 1)
            return
        round_s = (self._processor_clock() - began_at) / _ROUNDS
        delay_s = round_s + sum(wait_s() for wait_s in self._waits_s)
        self._limit.observe(self._clock(), delay_s, self._arrived, self._most_present)
        self._is_probing, self._arrived, self._most_present = False, 0, self.present

    def _share(self, scope: Scope) -> float:
        share = SHARES.get(self._kind_of(scope["path"]), BROWSING_SHARE)
        return BOT_SHARE if share == BROWSING_SHARE and _is_bot(scope) else share


def _is_bot(scope: Scope) -> bool:
    """Tell robots that call themselves so, as those of search engines do; any other is taken for a shopper."""
    return any(name == b"user-agent" and b"bot" in value.lower() for name, value in scope["headers"])
