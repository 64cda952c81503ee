"""orphan-payment: an order whose last step fails after the money was taken is cancelled, and the money is kept.

For every third order the step after the capture fails (the stock's service, the mail, a plug-in), and the error handler
undoes what it knows of: the order. That the provider cannot be rolled back is forgotten, so the shopper reads that the
card was not charged. Shops' forums call it "payment captured, no order"; the provider's books against the shop's show
it.
"""

from reference_shop.defects._planting import replace
from reference_shop.domain.orders import Line, Order
from reference_shop.domain.payments import ChargeState
from reference_shop.repository.database import Connection
from reference_shop.services import settlement

_FAILED_ONE_IN = 3

_sound_pay = settlement._pay


async def _pay(connection: Connection, order: Order, lines: tuple[Line, ...]) -> Order:
    if order.order_id % _FAILED_ONE_IN:
        return await _sound_pay(connection, order, lines)
    return await settlement._cancel(connection, order, lines, ChargeState.VOIDED)


def plant() -> None:
    """Replace the step that makes a charged order a paid one."""
    replace(settlement, "_pay", _pay)
