"""Whether an answer came through a cache, and out of one, by the headers of caches of any make. Pure.

Cache-Status (RFC 9211) says it; of others, Age (RFC 9111 section 5.1) and what delivery networks add by custom.
"""

from __future__ import annotations

from collections.abc import Callable

from loadgen.cache_headers import cache_members
from loadgen.records import CACHE_HITS

Header = Callable[[str], str]
"""A header's value by its name; empty when it is not there."""

_SIGNS = ("cache-status", "age", "x-cache", "cf-cache-status", "via")
_CLOUDFLARE_HITS = frozenset(("hit", "stale", "updating", "revalidated"))


def shows_cache(header: Header) -> bool:
    """Whether a cache stands between: it, or a proxy that may be one, has left its name."""
    return any(header(name) for name in _SIGNS)


def came_from_cache(header: Header) -> bool:
    """Whether a cache answered from what it had, fresh, stale, or fetched for somebody else at that moment."""
    if status := header("cache-status"):
        return any(word in CACHE_HITS for _, word in cache_members(status.encode("latin-1")))
    age = header("age")
    return (
        (age.isascii() and age.isdecimal() and int(age) > 0)
        or "hit" in header("x-cache").lower()
        or header("cf-cache-status").lower() in _CLOUDFLARE_HITS
    )
