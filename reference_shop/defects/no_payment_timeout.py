"""no-payment-timeout: the payment provider may take as long as it pleases.

The protection is there and switched on, and its limit is never reached: milliseconds taken for seconds, a limit per
read of a byte instead of one for the whole. Each shopper who pays while the provider is silent holds a place, and all
places are held soon.
"""

from collections.abc import Awaitable

from reference_shop.defects._planting import replace
from reference_shop.domain.payments import ChargeState
from reference_shop.protections import payment_timeout


async def _wait(_limit_s: float, call: Awaitable[ChargeState]) -> ChargeState:
    return await call


def plant() -> None:
    """Replace the waiting."""
    replace(payment_timeout, "_within", _wait)
