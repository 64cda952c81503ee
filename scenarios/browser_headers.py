"""Request headers as browsers send them, by segment and by what is fetched; pure tables.

Sec-Fetch-*: W3C, Fetch Metadata Request Headers.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from types import MappingProxyType

from loadgen.http.request import HeaderLines, header_lines

_ENGINE = "AppleWebKit/537.36 (KHTML, like Gecko)"
USER_AGENTS = MappingProxyType(
    {
        "web": f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_ENGINE} Chrome/142.0.0.0 Safari/537.36",
        "phone": f"Mozilla/5.0 (Linux; Android 10; K) {_ENGINE} Chrome/142.0.0.0 Mobile Safari/537.36",
        "app": f"Mozilla/5.0 (Linux; Android 14; wv) {_ENGINE} Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36",
    }
)
"""One per segment; a segment that is not listed is given the phone's, the commonest visitor of an Indonesian shop."""


class Fetch(Enum):
    """What is fetched; the value is (Accept, Sec-Fetch-Dest, Sec-Fetch-Mode)."""

    PAGE = (
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "document",
        "navigate",
    )
    STYLE = ("text/css,*/*;q=0.1", "style", "no-cors")
    SCRIPT = ("*/*", "script", "no-cors")
    IMAGE = ("image/avif,image/webp,image/svg+xml,image/*,*/*;q=0.8", "image", "no-cors")
    FRAGMENT = ("*/*", "empty", "cors")


def fetch_of(url: str) -> Fetch:
    """What kind of file a page's reference names, by its ending."""
    path = url.partition("?")[0]
    if path.endswith(".css"):
        return Fetch.STYLE
    return Fetch.SCRIPT if path.endswith(".js") else Fetch.IMAGE


@lru_cache(maxsize=2048)  # shoppers on the same page send the same ones
def headers_for(fetch: Fetch, segment: str, referer: str | None = None, origin: str | None = None) -> HeaderLines:
    """Headers of one request.

    `referer`: the page it comes from, None for a visit from outside; `origin`: given for a form that is sent.
    """
    lines = _lines(fetch, segment, "none" if referer is None else "same-origin")
    if referer is not None:
        lines = lines.plus("Referer", referer)
    return lines if origin is None else lines.plus("Origin", origin)


@lru_cache(maxsize=64)
def _lines(fetch: Fetch, segment: str, site: str) -> HeaderLines:
    accept, destination, mode = fetch.value
    headers = {
        "User-Agent": USER_AGENTS.get(segment, USER_AGENTS["phone"]),
        "Accept": accept,
        "Accept-Language": "id-ID,id;q=0.9,en;q=0.7",
        "Accept-Encoding": "gzip, deflate, br",
        "Sec-Fetch-Dest": destination,
        "Sec-Fetch-Mode": mode,
        "Sec-Fetch-Site": site,
    }
    if fetch is Fetch.PAGE:
        headers |= {"Sec-Fetch-User": "?1", "Upgrade-Insecure-Requests": "1"}
    return header_lines(headers)
