"""double-charge: a charge that is not answered within 100 ms is sent again, under a key of its own.

An idempotency key that is made per request and not per payment protects nobody: the first request was only slow, and
the provider captures both. Retrying HTTP clients that generate the key themselves do so, and so did shops whose
callback and form both charged. The shop's own books look perfect; only the provider's show it.
"""

import asyncio
from dataclasses import replace as with_changes
from uuid import uuid4

from reference_shop.defects._planting import replace
from reference_shop.domain.payments import ChargeRequest, ChargeState
from reference_shop.repository.payment_provider import HttpPaymentProvider

_PATIENCE_S = 0.1

_sound_charge = HttpPaymentProvider.charge


async def _charge(self: HttpPaymentProvider, request: ChargeRequest) -> ChargeState:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await _sound_charge(self, request)
    except TimeoutError:
        return await _sound_charge(self, with_changes(request, key=uuid4()))


def plant() -> None:
    """Replace the client's way of charging."""
    replace(HttpPaymentProvider, "charge", _charge)
