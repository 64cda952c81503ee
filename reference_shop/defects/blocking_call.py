"""blocking-call: the warehouse is asked about every product that goes into a cart, while the event loop stands still.

One synchronous call in an asynchronous server (a warehouse, a mail, a hash of a password) stops all of its requests and
not only the one that made it. Whoever fills a cart does not mind a moment; at ten a second nobody gets anything any
more, while processor and database idle.
"""

import time

from starlette.requests import Request
from starlette.responses import Response

from reference_shop.defects._planting import replace
from reference_shop.web.cart import CartPages

_WAREHOUSE_S = 0.2

_sound_add = CartPages.add


async def _add(self: CartPages, request: Request) -> Response:
    time.sleep(_WAREHOUSE_S)
    return await _sound_add(self, request)


def plant() -> None:
    """Replace what puts a product into the cart."""
    replace(CartPages, "add", _add)
