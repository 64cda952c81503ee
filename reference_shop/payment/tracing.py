"""Follows a request across programs: the caller's X-Request-ID is remembered while it is served, and given back."""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_shop.request_id import current_request_id

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class RequestIdEcho:
    """ASGI middleware: an id that is none (1 to 64 of letters, digits, `_`, `-`) is as good as not sent."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        given = Headers(scope=scope).get("x-request-id", "") if scope["type"] == "http" else ""
        request_id = given if _REQUEST_ID.fullmatch(given) else ""

        async def send_with_id(message: Message) -> None:
            if request_id and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        # Set even if there is none: a connection's next request may start in the context of the one before.
        current_request_id.set(request_id)
        await self._app(scope, receive, send_with_id)
