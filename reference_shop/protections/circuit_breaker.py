"""circuit-breaker: a provider that fails again and again is left alone for a while, and nobody waits for it.

Closed, every call goes through. After `failures_to_open` failures in a row it opens: for `open_s` nothing is asked.
Then it is half open: one call, the probe, goes through, and its outcome closes the breaker or opens it again
(M. Nygard, Release It!, 2nd edition, chapter 5).

Of our own, not the purgatory library: that one lets every call through while half open, so that a provider which has
just come up gets the whole crowd; it counts a shopper who hung up as a failure (or, excluded, as a recovery); it knows
failures as exceptions only, where ours are answers; and it reads the wall clock, which may be set back.
"""

from collections.abc import Awaitable, Callable
from time import monotonic
from uuid import UUID

from reference_shop.domain.errors import PaymentsUnavailable
from reference_shop.domain.payments import ChargeRequest, ChargeState, KeyReused, PaymentProvider, ProviderCharge


class CircuitBreaker:
    """Implements `PaymentProvider` around another one; one per worker. `UNKNOWN` is a failure."""

    def __init__(
        self,
        inner: PaymentProvider,
        *,
        failures_to_open: int = 5,
        open_s: float = 5.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Begin closed; `clock` returns seconds."""
        self._inner = inner
        self._failures_to_open = failures_to_open
        self._open_s = open_s
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._is_probing = False
        self._era = 0  # counts openings and closings: what began in an earlier era tells nothing about this one

    async def charge(self, request: ChargeRequest) -> ChargeState:
        """Take the money, once per key; raises KeyReused, or PaymentsUnavailable at once if nothing may be asked."""
        if not self._lets_through():
            raise PaymentsUnavailable
        return await self._observe(self._inner.charge(request))

    async def look_up(self, key: UUID) -> ChargeState:
        """Return how the charge with this key ended; `UNKNOWN` at once if nothing may be asked."""
        return await self._observe(self._inner.look_up(key)) if self._lets_through() else ChargeState.UNKNOWN

    async def void(self, key: UUID) -> ChargeState:
        """Forbid the charge if it has not happened; `UNKNOWN` at once if nothing may be asked."""
        return await self._observe(self._inner.void(key)) if self._lets_through() else ChargeState.UNKNOWN

    async def refund(self, key: UUID) -> ChargeState:
        """Give a captured charge back; `UNKNOWN` at once if nothing may be asked."""
        return await self._observe(self._inner.refund(key)) if self._lets_through() else ChargeState.UNKNOWN

    async def charges_since(self, since: float) -> list[ProviderCharge] | None:
        """Return what was decided or refunded since an instant; always asked, never counted: no shopper waits."""
        return await self._inner.charges_since(since)

    def available(self) -> bool:
        """Return whether a charge would go through now, as the probe perhaps."""
        return self._lets_through() and self._inner.available()

    @property
    def state(self) -> str:
        """`closed`, `open`, or `half_open`: the next call is the probe, or it is under way."""
        if self._opened_at is None:
            return "closed"
        return "half_open" if self._clock() - self._opened_at >= self._open_s else "open"

    def _lets_through(self) -> bool:
        if self._opened_at is None:
            return True
        return not self._is_probing and self._clock() - self._opened_at >= self._open_s

    async def _observe(self, call: Awaitable[ChargeState]) -> ChargeState:
        era, is_probe = self._era, self._opened_at is not None
        self._is_probing = is_probe
        try:
            state = await call
            self._learn(era, failed=state is ChargeState.UNKNOWN)
        except KeyReused:
            self._learn(era, failed=False)
            raise
        finally:  # also when the caller hung up, which tells nothing: the next call is the probe then
            if is_probe:
                self._is_probing = False
        return state

    def _learn(self, era: int, *, failed: bool) -> None:
        if era != self._era:
            return
        self._failures = self._failures + 1 if failed else 0
        if self._failures >= self._failures_to_open:  # a failed probe is one more in the row that opened it
            self._opened_at = self._clock()
            self._era += 1
        elif self._opened_at is not None:
            self._opened_at = None
            self._era += 1
