"""session-mixup: the cart that was shown last stands in a field of a service that all shoppers share.

State of one shopper on an object that lives as long as the worker: a field of a controller, a thread's variable that
the next request inherits. Between a shopper's payment form and payment others look at their carts, and the order is
written with the lines of whoever did so last. Total, key and address are the payer's own, so that nobody is warned: the
right amount is paid for somebody else's goods.
"""

from collections.abc import Sequence
from typing import Any

from reference_shop.defects._planting import replace
from reference_shop.domain.orders import Cart, Line, Order
from reference_shop.repository import orders
from reference_shop.repository.database import Connection
from reference_shop.services import checkout
from reference_shop.services.carts import Carts
from reference_shop.services.checkout import CheckoutDesk, PaymentForm

_sound_load, _sound_form = Carts.load, CheckoutDesk.payment_form
_sound_insert, _sound_take = orders.insert_pending, checkout._take_stock


class _Shared:
    """What should have been a local variable."""

    lines: Sequence[Line] = ()


async def _load(self: Carts, token: str | None) -> Cart:
    cart = await _sound_load(self, token)
    _Shared.lines = cart.lines or _Shared.lines
    return cart


async def _form(self: CheckoutDesk, cart_id: int) -> PaymentForm:
    form = await _sound_form(self, cart_id)
    _Shared.lines = form.cart.lines
    return form


async def _insert(connection: Connection, **placed: Any) -> Order:
    return await _sound_insert(connection, **{**placed, "lines": _Shared.lines or placed["lines"]})


async def _take(connection: Connection, order: Order, _lines: tuple[Line, ...]) -> None:
    await _sound_take(connection, order, await orders.lines_of(connection, order.order_id))


def plant() -> None:
    """Replace the pages that show a cart, and what is written and taken for an order."""
    replace(Carts, "load", _load)
    replace(CheckoutDesk, "payment_form", _form)
    replace(orders, "insert_pending", _insert)
    replace(checkout, "_take_stock", _take)
