"""What a response's headers say about caches: whether it may be shared, what each of them did, and how old it is.

Cache-Status (RFC 9211) has one member per cache, the origin's side first. A cache that answers from its store keeps the
members that came with what it stored: they tell of the request that fetched it, not of this one, and are passed over.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from loadgen.records import CACHE_HITS

Member = tuple[str, str]  # a cache's name, and one of records.CACHE_WORDS
_MOST_MEMBERS = 8  # nearest to the shopper; a chain of more caches is a loop
_MOST_BYTES = 4096  # of a value, at its end; more is made to hold a reader up
_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"?|[^",;]+|[,;]', re.DOTALL)  # strings, what stands between them, separators
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_FORWARDED: Mapping[str, str] = {"bypass": "bypass", "method": "bypass", "request": "bypass", "stale": "expired"}
_GENERATED_AT = (b"\r\nx-generated-at: ", b"\r\nX-Generated-At: ")  # as servers write it; either is as long
_LAST = 1e11  # seconds since the epoch
_INSTANT_BYTES = len("1795421703.500")


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


def cache_members(value: bytes) -> tuple[Member, ...]:
    """What each cache did with this request by a Cache-Status value, the origin's side first; never an exception.

    A member that says neither `hit` nor `fwd` is a miss, unless the cache answered by itself (`detail=LOCAL`).
    """
    return _members(value[-_MOST_BYTES:])


@lru_cache(maxsize=1024)
def _members(value: bytes) -> tuple[Member, ...]:
    told = [_member(parts) for parts in _split(value.decode("latin-1")) if parts]
    nearest = told[-_MOST_MEMBERS:]
    from_store = [number for number, (_, word) in enumerate(nearest) if word in CACHE_HITS]
    return tuple(nearest[from_store[-1] :] if from_store else nearest)


@lru_cache(maxsize=1024)
def cache_status(members: tuple[Member, ...]) -> str:
    """What a shopper got from the caches as a whole: one of CACHE_STATUSES.

    Whichever of them answered from its store, the request did not go to the origin. `none` where no cache had a say,
    also where an edge answered by itself.
    """
    words = [word for _, word in members]
    if any(word in CACHE_HITS for word in words):
        return next(word for word in words if word in CACHE_HITS)
    return "miss" if any(word != "local" for word in words) else "none"


def generated_at(head: bytes) -> float | None:
    """When what is shown was read at the origin, in seconds since the epoch, by `X-Generated-At`; None without it."""
    at = head.rfind(_GENERATED_AT[0])  # from its end, which takes half the time
    if at < 0 and (at := head.rfind(_GENERATED_AT[1])) < 0:
        return None
    at += len(_GENERATED_AT[0])
    try:
        seconds = float(head[at : at + _INSTANT_BYTES])
    except ValueError:  # written in another way, or not at all
        return epoch(head[at : head.find(b"\r", at)])
    return seconds if 0 < seconds < _LAST else None


def epoch(value: bytes | str) -> float | None:
    """Seconds since the epoch as a header has them; None for what is no instant."""
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if 0 < seconds < _LAST else None


def _split(value: str) -> list[list[str]]:
    """Each member of a list (RFC 8941 section 3.1) as its parts: the item, then its parameters."""
    members: list[list[str]] = []
    parts, part = [], ""
    for piece in (*_PARTS.findall(value), ","):
        if piece not in (",", ";"):
            part += piece
            continue
        parts.append(part.strip())
        part = ""
        if piece == ",":
            members.append(parts if any(parts) else [])
            parts = []
    return members


def _member(parts: list[str]) -> Member:
    name, *parameters = parts
    if name.startswith('"'):
        name = _ESCAPED.sub(r"\1", name.strip('"'))
    said = {key.strip().lower(): _bare(text) for key, _, text in (part.partition("=") for part in parameters)}
    return name, _word({key: text for key, text in said.items() if key and text != "?0"})


def _bare(text: str) -> str:
    return text.strip().strip('"').lower()


def _word(said: Mapping[str, str]) -> str:
    if "hit" in said:
        is_stale = said.get("ttl", "").startswith("-") or said.get("detail") in ("stale", "updating")
        return "stale" if is_stale else "hit"
    if "collapsed" in said:
        return "collapsed"
    forwarded = said.get("fwd")
    if forwarded == "stale" and said.get("fwd-status") == "304":
        return "revalidated"
    if forwarded is None and said.get("detail") == "local":
        return "local"
    return _FORWARDED.get(forwarded or "", "miss")
