"""cart-leak: the cart and the header with the shopper's name may be kept by every cache, and are.

Two mistakes that meet. The two pages carry the catalogue's caching header instead of "private"; and their new home,
/mine/…, to which the edge is sent by X-Accel-Redirect, is not on the edge's list of addresses that it must not keep. An
edge that goes by headers alone needs only the first. On the 25th of December 2015 some 34,000 of Steam's shoppers had
their pages shown to others that way; Magento's issue 5083 is a private block in a page that Varnish keeps.
"""

from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_shop.defects._planting import replace
from reference_shop.web import __main__ as program
from reference_shop.web.app import create_app
from reference_shop.web.caching import PRODUCT

_NEW_HOME = "/mine"
_MOVED = ("/cart", "/fragment/header")

_sound_app: Callable[..., ASGIApp] = create_app


class _PublicPages:
    """ASGI middleware around all of the shop."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope.get("path", "")
        old = path.removeprefix(_NEW_HOME)
        if old not in _MOVED or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return

        async def send_public(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["cache-control"] = PRODUCT
                if old == path:
                    headers["x-accel-redirect"] = _NEW_HOME + path
            await send(message)

        await self._app({**scope, "path": old}, receive, send_public)


def plant() -> None:
    """Replace the making of the worker's application."""
    replace(program, "create_app", lambda *given, **named: _PublicPages(_sound_app(*given, **named)))
