"""Who may keep an answer, and for how long.

Catalogue pages are the same for everyone, so shared caches may keep them; a browser must ask again (`max-age=0`), which
costs it a 304, because nobody could take a stale price out of a million browsers.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response

PRIVATE = "private, no-store"
# Shelves change with the catalogue, seldom: a minute old is fresh.
SHELVES = "public, max-age=0, s-maxage=60, stale-while-revalidate=30"
# Price and stock stand on these. Half a minute bounds how wrong they can be; the cart tells the truth anyway.
PRODUCT = "public, max-age=0, s-maxage=30, stale-while-revalidate=30"
# Everybody asks for it again and again until it begins: a second spares the shop the herd, and costs nobody the sale.
FLASH_SALE = "public, max-age=0, s-maxage=1"
SEARCH = "public, max-age=0, s-maxage=30, stale-while-revalidate=30"
# The name changes with the content.
FINGERPRINTED = "public, max-age=31536000, immutable"
# The name does not, but a photograph of yesterday sells as well.
PICTURE = "public, max-age=86400"

_MOST_KEYS = 100
_KEPT_STATUSES = {200, 301, 304, 404}
_LIFETIME = re.compile(rb"(?:^|[\s,])(s-maxage|max-age)=([0-9]+)")


def cacheable_page(
    request: Request, body: bytes, policy: str, *, read_at: float, keys: Iterable[str], products: Iterable[int]
) -> Response:
    """Answer with a page that anyone may see, or 304 if the asker has it. Weak tag: an edge may compress the page.

    Both tell a cache when the data on the page were read (epoch seconds) and by which surrogate keys it can be purged:
    `keys`, and one for each of the products that it shows. Neither is part of the page, or every page would be new.
    """
    tag = f'W/"{blake2b(body, digest_size=9).hexdigest()}"'
    headers = {
        "cache-control": policy,
        "etag": tag,
        "x-generated-at": instant(read_at),
        "surrogate-key": " ".join(islice((*keys, *dict.fromkeys(map(product_key, products))), _MOST_KEYS)),
    }
    if is_held(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="text/html", headers=headers)


def is_held(request: Request, tag: str) -> bool:
    """Tell whether the asker holds this version; weak comparison (RFC 9110, section 13.1.2)."""
    held = request.headers.get("if-none-match")
    if held is None:
        return False
    wanted = tag.removeprefix("W/")
    return held.strip() == "*" or any(part.strip().removeprefix("W/") == wanted for part in held.split(","))


def product_key(product_id: int) -> str:
    """Return the surrogate key of all pages that show a product."""
    return f"product-{product_id}"


def instant(at: float) -> str:
    """Write epoch seconds with three decimals, cut off: no page may pass for newer than it is."""
    seconds, milliseconds = divmod(int(at * 1000), 1000)
    return f"{seconds}.{milliseconds:03d}"


def may_be_shared(status: int, cache_control: bytes | None) -> bool:
    """Tell whether a shared cache may keep an answer for a while, by its status and its Cache-Control."""
    return status in _KEPT_STATUSES and cache_control is not None and _lets_share(cache_control)


@lru_cache(64)
def _lets_share(cache_control: bytes) -> bool:
    directives = {part.strip() for part in cache_control.lower().split(b",")}
    if b"public" not in directives or directives & {b"private", b"no-store", b"no-cache"}:
        return False
    lifetimes_s = {name: int(seconds) for name, seconds in _LIFETIME.findall(cache_control.lower())}
    return lifetimes_s.get(b"s-maxage", lifetimes_s.get(b"max-age", 0)) > 0
