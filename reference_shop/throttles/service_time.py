"""delay-ms: every request takes so much longer, as it would in a shop whose own work is heavier or farther away.

The time passes inside the request's place, so it lowers capacity as real work does: concurrency / delay is the most
that can be served (Little's law). It costs no processor.
"""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from reference_shop.admission import needs_place


class ServiceTime:
    """ASGI middleware; operators' requests are not delayed."""

    def __init__(self, app: ASGIApp, delay_ms: float) -> None:
        """Wrap `app`; hold each request for `delay_ms` before it is begun."""
        self._app = app
        self._delay_s = delay_ms / 1000

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if needs_place(scope):
            await asyncio.sleep(self._delay_s)
        await self._app(scope, receive, send)
