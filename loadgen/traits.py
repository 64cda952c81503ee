"""From a response to the traits of its sample: what it was, how it ended, and what caches did with it."""

from collections.abc import Mapping

from loadgen.cache_headers import Member, cache_members, cache_status, header, is_shared
from loadgen.cells import Traits
from loadgen.http.response import ShopperResponse
from loadgen.page_kinds import PageKinds
from loadgen.records import CACHE_HITS, GATEWAY, MOST_CACHES, PARSER

_READ_ONLY = ("GET", "HEAD")
# Bad request, and addresses or header fields that are too long (RFC 9110 section 15.5, RFC 6585 section 5).
_REFUSALS_OF_PARSERS = (400, 414, 431)
_UNREAD: Member = (PARSER, "local")
_UNHEARD: Member = (GATEWAY, "local")


class TraitsReader:
    """Reads traits; names of caches are made fit for rows, and kept few: `overflowed` turns true when there were more.

    `failure` is one of records.FAILURE_CLASSES, or None.
    """

    def __init__(self) -> None:
        self._caches = PageKinds(MOST_CACHES)

    @property
    def overflowed(self) -> bool:
        """Whether some caches are counted as `other`."""
        return self._caches.overflowed

    def of_ours(self, response: ShopperResponse, failure: str | None) -> Traits:
        """Of a response of our own client."""
        members = self._members(response.cache_status)
        made = _made_in_between(response.status_code)
        if made is not None and _nobodys(members) and not response.header("x-page-kind"):
            members = (made, *members)
        cached, sets_cookie = cache_status(members), response.sets_cookie
        may_be_kept = is_shared(response.cache_control.decode("latin-1")) and not sets_cookie
        return Traits(
            name=response.name,
            method=response.method,
            failure=failure,
            answered=response.status_code > 0,
            cached=cached,
            cacheable=may_be_kept and response.method in _READ_ONLY and 0 < response.status_code < 400,
            ours=True,
            members=members,
            leaky=sets_cookie and cached in CACHE_HITS,
        )

    def of_foreign(
        self, name: str, method: str, status: int, headers: Mapping[str, object], failure: str | None
    ) -> Traits:
        """Of a response of any other client; status 0 where there is none."""
        members = self._members(header(headers, "cache-status").encode("latin-1", "replace"))
        made = _made_in_between(status)
        if made is not None and _nobodys(members) and not header(headers, "x-page-kind"):
            members = (made, *members)
        cached, sets_cookie = cache_status(members), bool(header(headers, "set-cookie"))
        may_be_kept = is_shared(header(headers, "cache-control")) and not sets_cookie
        return Traits(
            name=name,
            method=method,
            failure=failure,
            answered=status > 0,
            cached=cached,
            cacheable=may_be_kept and method in _READ_ONLY and 0 < status < 400,
            ours=False,
            members=members,
            leaky=sets_cookie and cached in CACHE_HITS,
        )

    def _members(self, value: bytes) -> tuple[Member, ...]:
        return tuple((self._caches.admit(cache), word) for cache, word in cache_members(value))


def _made_in_between(status: int) -> Member | None:
    """Who gave an answer of this status, if neither the shop did, which names the page kind of all that it answers, nor
    a cache that says so: Varnish says nothing of what it cannot read, and what servers pass on may never arrive."""
    if status >= 500:
        return _UNHEARD
    return _UNREAD if status in _REFUSALS_OF_PARSERS else None


def _nobodys(members: tuple[Member, ...]) -> bool:
    """Whether no cache answered: all passed the request on, or none spoke."""
    return all(word not in (*CACHE_HITS, "local") for _, word in members)
