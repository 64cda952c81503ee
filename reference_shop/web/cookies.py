"""The shop's cookies: their names, how they are set and read, and the digest by which a page says whose it is."""

from collections.abc import Mapping
from hashlib import blake2s

from starlette.requests import Request
from starlette.responses import Response

from reference_shop.domain.accounts import SESSION_LIFETIME

CART_COOKIE = "lonjak_cart"
SESSION_COOKIE = "lonjak_session"
LIFETIME_S = int(SESSION_LIFETIME.total_seconds())

_MAX_TOKEN_CHARACTERS = 100
_DIGEST_BYTES = 8


def remember(response: Response, cookie: str, token: str, max_age_s: int) -> None:
    """Set one of the shop's cookies: not for scripts, not for other sites' posts."""
    response.set_cookie(cookie, token, max_age=max_age_s, httponly=True, samesite="lax")


def token_in(request: Request, cookie: str) -> str | None:
    """Return the token that a cookie holds; one too long to be ours counts as none."""
    token = request.cookies.get(cookie)
    return token if token and len(token) <= _MAX_TOKEN_CHARACTERS else None


def visitor_secret(cookies: Mapping[str, str]) -> str | None:
    """Return what marks a page as made for whoever sent these cookies: 16 hexadecimal digits, None for a stranger.

    Whoever knows the token can tell the mark, and nobody can tell the token from the mark: so a page that somebody
    else's cookie made is found wherever it turns up, and finding it gives nothing away.
    """
    token = cookies.get(CART_COOKIE) or cookies.get(SESSION_COOKIE)
    return blake2s(f"lonjak-visitor:{token}".encode(), digest_size=_DIGEST_BYTES).hexdigest() if token else None
