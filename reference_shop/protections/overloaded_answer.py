"""What a shopper gets whom a protection turns away: the shop's own page, and an instant at which to try again."""

from collections.abc import Awaitable, Callable
from random import Random

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from reference_shop.domain.errors import Overloaded, ShopError

Refuse = Callable[[Scope, ShopError], Awaitable[Response]]
"""Draws the page of a refusal."""

# Spread out, or all who were refused together would come back together.
_EARLIEST_S, _LATEST_S = 1, 3


class OverloadedAnswer:
    """ASGI application: answers every request with `Overloaded`, 503, and a `Retry-After` of 1, 2 or 3 s."""

    def __init__(self, refuse: Refuse, rng: Random) -> None:
        """Have the page drawn by `refuse`."""
        self._refuse = refuse
        self._rng = rng

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._refuse(scope, Overloaded())
        response.headers["retry-after"] = str(self._rng.randint(_EARLIEST_S, _LATEST_S))
        await response(scope, receive, send)
