"""Check `visitor`: no shopper may be shown what another one was given.

The bundled shop writes a secret of the visitor's own into every personal page, and into no shared one. It is the digest
of a cookie that only its visitor has, so that a shopper knows by itself which one may stand on a page: each page's text
is searched for one that is not. A personal page that a shared cache may keep is a leak before anybody else has got it:
the cache would hand it out. Steam's shop did on 25 December 2015, when a second set of caching rules came into force
under load: strangers saw each other's accounts (Valve, "Update on Christmas Issues", 2015).
"""

from __future__ import annotations

import re
from hashlib import blake2s
from typing import TYPE_CHECKING

from scenarios.safety.cache_signs import came_from_cache

if TYPE_CHECKING:
    from loadgen.http.cookies import CookieJar
    from loadgen.http.response import ShopperResponse
    from loadgen.session import Session

CHECK = "visitor"
CART_COOKIE = "lonjak_cart"
SESSION_COOKIE = "lonjak_session"

_MARK = b'data-visitor="'
_SECRET = re.compile(rb'data-visitor="([0-9a-f]{16})"')


def secret_of(token: str) -> str:
    """What stands on a visitor's personal pages, by the value of the cart's cookie, or of the session's without one."""
    return blake2s(b"lonjak-visitor:" + token.encode(), digest_size=8).hexdigest()


def secrets_in(content: bytes) -> frozenset[str]:
    """All visitors' secrets that a page shows."""
    if _MARK not in content:
        return frozenset()
    return frozenset(found.decode() for found in _SECRET.findall(content))


def token_in(cookies: CookieJar) -> str | None:
    """What the shop knows a visitor by; None for one that it does not know."""
    return cookies.get(CART_COOKIE) or cookies.get(SESSION_COOKIE)


class VisitorSecrets:
    """Searches the pages of one session; a browser tells it when it asks, and what it got."""

    __slots__ = ("_session", "_token")

    def __init__(self, session: Session) -> None:
        self._session = session
        self._token: str | None = None

    def about_to_ask(self) -> None:
        """Remember who asks: what the answer shows is of whom the request was from."""
        self._token = token_in(self._session.client.cookies)

    def inspect(self, response: ShopperResponse) -> None:
        """Search a page; one that came without text is none."""
        content = response.content
        if not content:
            return
        self._session.safety_checked(CHECK)
        if _MARK in content and (shown := secrets_in(content)):
            # A cookie that came with the answer may be the one that it is for.
            tokens = (self._token, token_in(self._session.client.cookies))
            if told := _what_is_wrong(shown.difference(map(secret_of, filter(None, tokens))), any(tokens), response):
                self._tell(response, told)

    def _tell(self, response: ShopperResponse, told: str) -> None:
        self._session.leak(
            CHECK,
            url=response.path,
            page_kind=response.header("x-page-kind") or response.name,
            cache_status=response.header("cache-status"),
            cache_control=response.header("cache-control"),
            key=response.host.header + response.path,
            told=told,
        )


def _what_is_wrong(others: frozenset[str], is_known: bool, response: ShopperResponse) -> str:
    """A sentence on a page that shows a secret; empty when it is the visitor's own and no cache has it."""
    stored = came_from_cache(response.header)
    source = "a cache" if stored else "the shop"
    if others:
        whom = "a visitor" if is_known else "a visitor whom the shop does not know yet"
        return f"{source} showed {whom} the secret of another"
    if stored:
        return "a cache handed out a page that shows the visitor's own secret: it keeps what is one visitor's alone"
    return ""
