"""A shopper's own cache: what a browser keeps, and which files a page makes it fetch.

A private cache after RFC 9111: `max-age` less `Age` is the freshness lifetime (sections 4.2.1, 4.2.3; `s-maxage` is for
shared caches), `no-store` and `Vary: *` are never kept, `no-cache` is kept but always revalidated, a stale answer with
an `ETag` is revalidated (4.3). An answer without a lifetime is not guessed fresh (4.2.2 allows a guess, and browsers
differ in it). `immutable` (RFC 8246) concerns reloads only, and nobody reloads here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

Body = TypeVar("Body")

_DIRECTIVE = re.compile(r'([a-z-]+)(?:\s*=\s*"?(\d+)"?)?')
_FETCHING_TAG = re.compile(r"<(?:link|script|img|use)\b[^>]*>")
_ADDRESS = re.compile(r'\b(?:src|href)="(/(?!/)[^"]*)"')
_RELATION = re.compile(r'\brel="(?:stylesheet|icon|preload)"')


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a Cache-Control line allows a private cache."""

    storable: bool
    lifetime_s: float


@dataclass(frozen=True, slots=True)
class Kept(Generic[Body]):
    """An answer in the cache: what was made of it, its validator, and until when (the caller's clock, seconds) it needs
    no asking.
    """

    body: Body
    etag: str | None
    fresh_until: float


@lru_cache(maxsize=256)
def freshness(cache_control: str) -> Freshness:
    """Reads one Cache-Control line; a shop has a handful of different ones, so each is read once."""
    directives = {match[1]: match[2] for match in _DIRECTIVE.finditer(cache_control.lower())}
    lifetime = 0.0 if "no-cache" in directives else float(directives.get("max-age") or 0)
    return Freshness("no-store" not in directives, lifetime)


class BrowserCache(Generic[Body]):
    """Answers by URL; the caller gives the time, in seconds of any one clock."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[str, Kept[Body]] = {}

    def fresh(self, url: str, now: float) -> Kept[Body] | None:
        """The answer that may be used without asking, if there is one."""
        kept = self._kept.get(url)
        return kept if kept is not None and now < kept.fresh_until else None

    def stale(self, url: str) -> Kept[Body] | None:
        """The answer that `If-None-Match` with its etag may revalidate, if there is one."""
        kept = self._kept.get(url)
        return kept if kept is not None and kept.etag else None

    def keep(self, url: str, headers: Mapping[str, str], body: Body, now: float) -> None:
        """Takes in a 200, or a 304 with the body that it confirms; forgets what may not be kept."""
        allowed = freshness(headers.get("cache-control") or "")
        fresh_until = now + allowed.lifetime_s - float(headers.get("age") or 0)
        etag = headers.get("etag")
        if allowed.storable and (headers.get("vary") or "").strip() != "*" and (etag or fresh_until > now):
            self._kept[url] = Kept(body, etag, fresh_until)
        else:
            self._kept.pop(url, None)


@lru_cache(maxsize=512)  # a shop's pages come again and again
def files_of(html: str) -> tuple[str, ...]:
    """URLs of this shop's own files that a browser fetches to show the page, each once, in the page's order.

    Style sheets, icons, preloads, scripts, drawings of `<use>`, and images that are not `loading="lazy"`; what a script
    or a style sheet would ask for is not seen.
    """
    found: dict[str, None] = {}
    for tag in dict.fromkeys(_FETCHING_TAG.findall(html)):  # an icon stands on a page many times
        if (tag.startswith("<link") and not _RELATION.search(tag)) or 'loading="lazy"' in tag:
            continue
        address = _ADDRESS.search(tag)
        if address:
            found[address[1].replace("&amp;", "&").partition("#")[0]] = None
    return tuple(found)
