"""retry-storm: a question that the provider left open is asked again every 20 ms until it is answered.

No limit, no jitter, no budget: each shopper who pays while the provider stumbles becomes fifty requests a second that
never end, and all of them together keep it down after its own trouble is over (M. Brooker, Timeouts, retries, and
backoff with jitter, Amazon Builders' Library).
"""

import asyncio
from collections.abc import Awaitable, Callable

from reference_shop.defects._planting import replace
from reference_shop.domain.payments import ChargeState
from reference_shop.protections.payment_retries import PaymentRetries

_PERIOD_S = 0.02


async def _persist(_self: PaymentRetries, attempt: Callable[[], Awaitable[ChargeState]]) -> ChargeState:
    while (state := await attempt()) is ChargeState.UNKNOWN:
        await asyncio.sleep(_PERIOD_S)
    return state


def plant() -> None:
    """Replace the policy of asking again."""
    replace(PaymentRetries, "_persist", _persist)
