"""Who is at the other end of a connection, and which other site's page may not post to us."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from reference_shop.domain.errors import Forbidden

_SAFE_METHODS = {"GET", "HEAD"}
_OUR_OWN = {"same-origin", "none"}


def peer_address(scope: Scope) -> str:
    """Return the address of the other end of the connection."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def client_address(scope: Scope, *, behind_edge: bool) -> str:
    """Return the shopper's address: what our edge says of it, or without one the peer's: a header proves nothing."""
    forwarded = Headers(scope=scope).get("x-forwarded-for", "")
    return forwarded.strip() if behind_edge and forwarded else peer_address(scope)


def came_directly_from_here(scope: Scope) -> bool:
    """Tell whether the asker is a program on this machine that speaks to us without an edge between."""
    try:
        is_here = ip_address(peer_address(scope)).is_loopback
    except ValueError:
        return False
    return is_here and "x-forwarded-for" not in Headers(scope=scope)


def refuse_other_sites(scope: Scope) -> None:
    """Raise Forbidden for a state-changing request that another site's page made.

    Browsers send `Origin`, newer ones `Sec-Fetch-Site`, with every POST. A client that sends neither is no browser and
    carries no cookies that it was not given on purpose, so there is nothing to abuse.
    """
    if scope["method"] in _SAFE_METHODS:
        return
    headers = Headers(scope=scope)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in _OUR_OWN:
        raise Forbidden
    if origin is not None and _host_in(origin) != headers.get("host", "").lower():
        raise Forbidden


def _host_in(origin: str) -> str | None:
    """Return host and port of an origin; None for what is no URL."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None
