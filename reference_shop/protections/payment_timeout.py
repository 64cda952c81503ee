"""payment-timeout: a provider that does not answer in time is given up, so that a shopper's wait has an end.

What was given up may have happened all the same: the answer is `UNKNOWN`, never "no".
"""

import asyncio
from collections.abc import Awaitable
from uuid import UUID

from reference_shop.domain.payments import ChargeRequest, ChargeState, PaymentProvider, ProviderCharge


class PaymentTimeout:
    """Implements `PaymentProvider` around another one."""

    def __init__(
        self, inner: PaymentProvider, charge_s: float = 2.0, question_s: float = 1.0, books_s: float = 10.0
    ) -> None:
        """Wait so long for a charge, for a question about one key, and for the books, which may be long."""
        self._inner = inner
        self._charge_s = charge_s
        self._question_s = question_s
        self._books_s = books_s

    async def charge(self, request: ChargeRequest) -> ChargeState:
        """Take the money, once per key; raises KeyReused."""
        return await _within(self._charge_s, self._inner.charge(request))

    async def look_up(self, key: UUID) -> ChargeState:
        """Return how the charge with this key ended."""
        return await _within(self._question_s, self._inner.look_up(key))

    async def void(self, key: UUID) -> ChargeState:
        """Forbid the charge if it has not happened; return how it ended."""
        return await _within(self._question_s, self._inner.void(key))

    async def refund(self, key: UUID) -> ChargeState:
        """Give a captured charge back."""
        return await _within(self._question_s, self._inner.refund(key))

    async def charges_since(self, since: float) -> list[ProviderCharge] | None:
        """Return what was decided or refunded since an instant."""
        try:
            async with asyncio.timeout(self._books_s):
                return await self._inner.charges_since(since)
        except TimeoutError:
            return None

    def available(self) -> bool:
        """Return what the wrapped provider says."""
        return self._inner.available()


async def _within(limit_s: float, call: Awaitable[ChargeState]) -> ChargeState:
    try:
        async with asyncio.timeout(limit_s):
            return await call
    except TimeoutError:
        return ChargeState.UNKNOWN
