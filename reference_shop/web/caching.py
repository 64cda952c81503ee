"""Who may keep an answer, and for how long.

Catalogue pages are the same for everyone, so shared caches may keep them; a browser must ask again (`max-age=0`), which
costs it a 304, because nobody could take a stale price out of a million browsers.
"""

from hashlib import blake2b

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


def cacheable_page(request: Request, body: bytes, policy: str) -> Response:
    """Answer with a page that anyone may see, or 304 if the asker has it. Weak tag: an edge may compress the page."""
    tag = f'W/"{blake2b(body, digest_size=9).hexdigest()}"'
    headers = {"cache-control": policy, "etag": tag}
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
