"""payment-retries: what the provider left open is asked again, soon, at random, and only as often as the budget allows.

Safe because of the key: a charge that did happen is not made a second time, its answer is only heard.

Retries multiply load exactly when there is too much of it: three attempts each would triple the traffic of a provider
that is already down. So they are paid from a *budget* that first attempts fill, as in "Handling Overload" (Site
Reliability Engineering, O'Reilly 2016, chapter 21: retries are at most a tenth of a client's requests) and Finagle's
`RetryBudget` (https://finagle.github.io/blog/2016/02/08/retry-budgets). The waits are exponential with full jitter, so
that callers who failed together do not come back together
(https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import UUID

from tenacity import AsyncRetrying, RetryCallState, retry_if_result, wait_exponential

from reference_shop import metrics
from reference_shop.domain.payments import ChargeRequest, ChargeState, PaymentProvider, ProviderCharge

_FIRST_WINDOW_S = 0.1
_LONGEST_WINDOW_S = 1.0


class RetryBudget:
    """A bucket of tokens: a first attempt puts `earned` in, a retry takes one out; it begins full."""

    def __init__(self, earned: float = 0.1, most_saved: float = 10.0) -> None:
        """Allow `earned` retries per first attempt, and what was saved on quiet days, at most `most_saved`."""
        self._earned = earned
        self._most_saved = most_saved
        self._saved = most_saved

    def earn(self) -> None:
        """Note a first attempt."""
        self._saved = min(self._most_saved, self._saved + self._earned)

    def spend(self) -> bool:
        """Pay for a retry if there is enough; return whether."""
        # A hair below one: ten times a tenth is less than one in floating point.
        if self._saved < 1 - 1e-9:
            return False
        self._saved -= 1
        metrics.payment_retries.add()
        return True


class PaymentRetries:
    """Implements `PaymentProvider` around another one; only `UNKNOWN` is asked again."""

    def __init__(
        self,
        inner: PaymentProvider,
        budget: RetryBudget | None = None,
        *,
        max_retries: int = 2,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        """Share one budget among all calls of the worker; `sleep` takes seconds."""
        self._inner = inner
        self._budget = budget or RetryBudget()
        self._max_retries = max_retries
        self._rng = rng or random.Random()
        self._window = wait_exponential(multiplier=_FIRST_WINDOW_S, max=_LONGEST_WINDOW_S)
        self._policy = AsyncRetrying(
            retry=retry_if_result(lambda state: state is ChargeState.UNKNOWN),
            wait=lambda state: self._rng.uniform(0, self._window(state)),
            stop=self._must_stop,
            sleep=sleep,
            retry_error_callback=lambda _: ChargeState.UNKNOWN,
        )

    async def charge(self, request: ChargeRequest) -> ChargeState:
        """Take the money, once per key; raises KeyReused."""
        return await self._persist(lambda: self._inner.charge(request))

    async def look_up(self, key: UUID) -> ChargeState:
        """Return how the charge with this key ended."""
        return await self._persist(lambda: self._inner.look_up(key))

    async def void(self, key: UUID) -> ChargeState:
        """Forbid the charge if it has not happened; return how it ended."""
        return await self._persist(lambda: self._inner.void(key))

    async def refund(self, key: UUID) -> ChargeState:
        """Give a captured charge back."""
        return await self._persist(lambda: self._inner.refund(key))

    async def charges_since(self, since: float) -> list[ProviderCharge] | None:
        """Return what was decided or refunded since an instant; asked once: no shopper waits for it."""
        return await self._inner.charges_since(since)

    def available(self) -> bool:
        """Return what the wrapped provider says."""
        return self._inner.available()

    async def _persist(self, attempt: Callable[[], Awaitable[ChargeState]]) -> ChargeState:
        async def ask() -> ChargeState:
            return await attempt()

        self._budget.earn()
        # A copy: a policy keeps the state of the call that it is used for.
        state: ChargeState = await self._policy.copy()(ask)
        return state

    def _must_stop(self, state: RetryCallState) -> bool:
        return state.attempt_number > self._max_retries or not self._budget.spend()
