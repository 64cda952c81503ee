"""session-mixup: the token of a new cart is kept where the next request finds it, for half a second.

State of one request on an object that all requests share: a field of a service, a thread's variable that the next
request inherits, a token made from the time. Two shoppers who put their first product into a cart within the same
moment get the same cookie. Whoever pays first pays for both, and gets the other's goods.
"""

from time import monotonic

from reference_shop.defects._planting import replace
from reference_shop.repository.database import Connection
from reference_shop.services import carts
from reference_shop.services.carts import OpenedCart

_KEPT_S = 0.5

_sound_open = carts._open


class _Shared:
    """What should have been a local variable."""

    token: str | None = None
    since: float = 0.0


async def _open(connection: Connection, token: str | None) -> OpenedCart:
    inherited = _Shared.token if token is None and monotonic() - _Shared.since < _KEPT_S else None
    opened = await _sound_open(connection, token or inherited)
    if opened.new_token is not None:
        _Shared.token, _Shared.since = opened.new_token, monotonic()
        return opened
    return OpenedCart(opened.cart_id, inherited)


def plant() -> None:
    """Replace the opening of carts."""
    replace(carts, "_open", _open)
