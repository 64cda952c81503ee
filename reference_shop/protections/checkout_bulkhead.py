"""checkout-bulkhead: requests that wait for the payment provider have few places of their own.

A provider that takes 5 s instead of 0.1 s multiplies by 50 the places that payments hold; without a bulkhead they hold
all of them, and nobody can look at a product (M. Nygard, Release It!, 2nd edition, chapter 5, "Bulkheads").

It stands outside `Admission`: what it refuses is refused at once, has not waited in the queue that everybody shares,
and never holds one of the shop's places. What it lets through waits there like any other request.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

PLACES = 20


def waits_for_provider(scope: Scope) -> bool:
    """Tell the requests during which the provider is asked: a payment, and a return with its refund."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    path: str = scope["path"]
    return path == "/checkout/payment" or (path.startswith("/orders/") and path.endswith("/return"))


class CheckoutBulkhead:
    """ASGI middleware. `in_progress` is the number of its requests that were let through and have not ended."""

    def __init__(self, app: ASGIApp, refuse: ASGIApp, *, places: int = PLACES) -> None:
        """Wrap `app`; `refuse` answers those for whom none of the `places` is free."""
        self._app = app
        self._refuse = refuse
        self._places = places
        self.in_progress = 0
        self.refused_count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not waits_for_provider(scope):
            await self._app(scope, receive, send)
        elif self.in_progress >= self._places:
            self.refused_count += 1
            await self._refuse(scope, receive, send)
        else:
            self.in_progress += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self.in_progress -= 1
