"""What a response's headers say about caches: whether it may be shared, and what the nearest edge did with it."""

import re
from collections.abc import Mapping
from functools import lru_cache

_OUTSIDE_QUOTES = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')


def header(headers: Mapping[str, object] | None, name: str) -> str:
    """A header's value from the mapping of any client library; empty when it is not there."""
    value = headers.get(name) if headers is not None else None
    if isinstance(value, list | tuple):
        return ", ".join(str(part) for part in value)
    return "" if value is None else str(value)


@lru_cache(maxsize=1024)
def is_shared(cache_control: str) -> bool:
    """Whether a Cache-Control value lets a shared cache keep the response (RFC 9111 section 3)."""
    directives = {part.strip().partition("=")[0].lower() for part in cache_control.split(",")}
    if directives & {"private", "no-store"}:
        return False
    return bool(directives & {"public", "s-maxage", "max-age"})


@lru_cache(maxsize=4096)
def cache_status(value: str) -> str:
    """What the nearest cache, the last member of a Cache-Status value (RFC 9211), did: one of CACHE_STATUSES."""
    if not value.strip():
        return "none"
    _name, *parameters = _OUTSIDE_QUOTES.split(value)[-1].split(";")
    said = {key.strip().lower(): text.strip().lower() for key, _, text in (part.partition("=") for part in parameters)}
    if "hit" in said:
        return "stale" if said.get("ttl", "").startswith("-") else "hit"
    # `fwd=stale` too is a miss: what was stored had expired, and the request went on.
    return "collapsed" if "collapsed" in said and said["collapsed"] != "?0" else "miss"
