"""One shopper's browser: asks through the session's client, keeps a private cache, fetches what a page needs.

Between a storefront (which knows URLs and readers) and `loadgen.session` (which carries and measures). Requests follow
one another; redirects come back to the storefront, so that each one is a sample of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from loadgen.http.request import HeaderLines
from loadgen.http.response import ShopperResponse
from loadgen.session import Session
from scenarios.answers import Answer, ContentMismatch, require
from scenarios.browser_cache import BrowserCache, files_of
from scenarios.browser_headers import Fetch, fetch_of, headers_for
from scenarios.storefront import Page

Read = TypeVar("Read")
Clock = Callable[[], float]

_CACHE_HEADERS = ("cache-control", "age", "etag", "vary")
_FILE_TYPES = {Fetch.STYLE: "text/css", Fetch.SCRIPT: "javascript", Fetch.IMAGE: "image/"}
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the cache keeps of a URL: the page as it was read (None for a file), and the files it needs."""

    page: Page | None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """How the last request for a page went: its status (0 without an answer) and how long it took, in seconds.

    Of an answer that says no: its text, and how long it asks to wait, in seconds.
    """

    status: int
    elapsed_s: float
    refusal: str = ""
    wait_s: float | None = None


class Inspector(Protocol):
    """Looks at every page, fragment and error page that one shopper gets, but not at files."""

    def about_to_ask(self) -> None:
        """A page is asked for next."""

    def inspect(self, response: ShopperResponse) -> None:
        """It came, or did not: then without content."""


class Browser:
    """Speaks for one session. `origin`: the target's scheme, host and port; `clock`: seconds of any one clock."""

    def __init__(
        self, session: Session, origin: str, clock: Clock = time.monotonic, *, inspector: Inspector | None = None
    ) -> None:
        self.last = Reply(0, 0.0)
        self._session = session
        self._origin = origin
        self._clock = clock
        self._inspector = inspector
        self._cache = BrowserCache[Loaded]()
        self._referer: str | None = None

    def open(self, kind: str, url: str, reader: Callable[[Answer], Page]) -> Page | None:
        """The page at a URL (path and query), then the files it needs that are not in the cache; None when it failed.

        A page that the cache holds fresh is not asked for, as in any browser. The sample's name is `kind`.
        """
        kept = self._cache.fresh(url, self._clock())
        if kept is not None:
            self.last = Reply(200, 0.0)
        loaded = kept.body if kept is not None else self._load(kind, url, reader)
        if loaded is None:
            return None
        self._referer = self._origin + url
        for file in loaded.files:
            self._fetch_file(file)
        return loaded.page

    def send(self, kind: str, url: str, fields: Mapping[str, str], reader: Callable[[Answer], Read]) -> Read | None:
        """Sends a form; returns what the reader makes of the answer (a redirect, often), None when it failed."""
        headers = headers_for(Fetch.PAGE, self._session.segment, self._referer, self._origin).plus(
            "Content-Type", _FORM
        )
        started = self._clock()
        response = self._ask_for_page("POST", kind, url, headers, urlencode(fields))
        self.last = _reply(response, self._clock() - started)
        return _read(response, reader)

    def fetch_fragment(self, kind: str, url: str, reader: Callable[[Answer], Read]) -> Read | None:
        """A part of the page that its script asks for and no cache keeps; None when it failed."""
        return _read(self._ask_for_page("GET", kind, url, self._headers(url, Fetch.FRAGMENT)), reader)

    def _load(self, kind: str, url: str, reader: Callable[[Answer], Page]) -> Loaded | None:
        started = self._clock()
        response = self._ask_for_page("GET", kind, url, self._headers(url, Fetch.PAGE))
        self.last = _reply(response, self._clock() - started)
        if response.status_code == 304:
            return self._confirmed(url, response)
        page = _read(response, reader)
        if page is None:
            return None
        loaded = Loaded(page, files_of(response.text))
        if response.status_code == 200:
            self._cache.keep(url, _cache_headers(response), loaded, self._clock())
        return loaded

    def _fetch_file(self, url: str) -> None:
        if self._cache.fresh(url, self._clock()) is not None:
            return
        fetch = fetch_of(url)
        response = self._ask("GET", "static", url, self._headers(url, fetch))
        if response.status_code == 304:
            self._confirmed(url, response)
            return
        with response:
            if response.status_code == 200:
                self._keep_file(url, fetch, response)

    def _keep_file(self, url: str, fetch: Fetch, response: ShopperResponse) -> None:
        if _FILE_TYPES[fetch] in response.header("content-type") and response.content:
            self._cache.keep(url, _cache_headers(response), Loaded(None), self._clock())
        else:
            response.failure(f"the file is empty or not {_FILE_TYPES[fetch]}")

    def _headers(self, url: str, fetch: Fetch) -> HeaderLines:
        headers = headers_for(fetch, self._session.segment, self._referer)
        kept = self._cache.stale(url)
        return headers if kept is None or kept.etag is None else headers.plus("If-None-Match", kept.etag)

    def _ask_for_page(
        self, method: str, kind: str, url: str, headers: HeaderLines, body: str | None = None
    ) -> ShopperResponse:
        if self._inspector is None:
            return self._ask(method, kind, url, headers, body)
        self._inspector.about_to_ask()
        response = self._ask(method, kind, url, headers, body)
        self._inspector.inspect(response)
        return response

    def _ask(self, method: str, kind: str, url: str, headers: HeaderLines, body: str | None = None) -> ShopperResponse:
        return self._session.client.request(
            method, url, name=kind, data=body, headers=headers, catch_response=True, allow_redirects=False
        )

    def _confirmed(self, url: str, response: ShopperResponse) -> Loaded | None:
        """What the cache has, since the answer says that it still holds; a 304 that nobody asked for is a failure."""
        kept = self._cache.stale(url)
        with response:
            if kept is None:
                response.failure("the shop answered 304 though nothing was asked for again")
        if kept is None:
            return None
        headers = _cache_headers(response)
        self._cache.keep(url, headers | {"etag": headers["etag"] or kept.etag or ""}, kept.body, self._clock())
        return kept.body


def _reply(response: ShopperResponse, elapsed_s: float) -> Reply:
    if response.status_code < 400:
        return Reply(response.status_code, elapsed_s)
    after = response.header("retry-after")
    wait_s = float(after) if after.isascii() and after.isdecimal() and len(after) < 6 else None
    return Reply(response.status_code, elapsed_s, response.text, wait_s)


def _read(response: ShopperResponse, reader: Callable[[Answer], Read]) -> Read | None:
    """Judges an answer by its content; a refusal that the reader understands (402, 409) is a good answer."""
    read: Read | None = None
    with response:
        if response.status_code == 0:
            return None  # the client has classified what happened on the wire
        try:
            require(response.status_code < 500, f"the shop answered {response.status_code}")
            read = reader(_answer(response))
            response.success()
        except ContentMismatch as mismatch:
            response.failure(str(mismatch))
    return read


def _answer(response: ShopperResponse) -> Answer:
    return Answer(
        response.status_code,
        response.header("x-page-kind"),
        response.header("location"),
        response.text,
        response.header("refresh"),
    )


def _cache_headers(response: ShopperResponse) -> dict[str, str]:
    return {name: response.header(name) for name in _CACHE_HEADERS}
