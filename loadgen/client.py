"""The HTTP client of one shopper: Locust's FastHttpSession and its call shape, minus what falsifies a measurement.

What differs: nothing is ever resent silently, TLS is verified, connections leave from the shopper's own source address,
a request has a time limit as a whole, and an exception inside the `with` block is a failed sample, never a lost one.
The `request` event gets a RequestContext, which the recorder reads.
"""

import time
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import TracebackType
from typing import Any

import gevent
import gevent.ssl
from geventhttpclient.client import HTTPClient, HTTPClientPool
from geventhttpclient.url import URL
from locust.contrib.fasthttp import (
    FastHttpSession,
    LocustBadStatusCode,
    LocustUserAgent,
    ResponseContextManager,
)
from locust.event import EventHook

from loadgen import locust_internals

CONTEXT_KEY = "lonjak"
BROWSER_CONNECTIONS = 6  # per host, as browsers hold over HTTP/1.1


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds: to connect, between two pieces of an answer, and for the request as a whole."""

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 20.0


DEFAULT_TIMEOUTS = Timeouts()


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What the recorder must know beside Locust's own figures: how late the request left, in microseconds."""

    start_lag_us: int


class RequestTimedOut(TimeoutError):
    """The request as a whole took longer than its limit."""


class ShopperResponse(ResponseContextManager):
    """An answer, to be judged in a `with` block: `failure(why)`, `success()`, or nothing for its status to decide."""

    def __exit__(  # type: ignore[override]
        self, exc: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if exc is None or self._manual_result is not None:
            return bool(super().__exit__(exc, value, traceback))  # type: ignore[no-untyped-call]
        if isinstance(value, Exception):
            self.request_meta["exception"] = value
            self._report_request()  # type: ignore[no-untyped-call]
        else:  # the session was cut, or the process is ending: the answer itself stands
            super().__exit__(None, None, None)  # type: ignore[no-untyped-call]
        return False

    def raise_for_status(self) -> None:
        """Raise what went wrong on the way, or for a status of 400 and above."""
        super().raise_for_status()  # type: ignore[no-untyped-call]
        if self._manual_result is None and self.status_code >= 400:
            raise LocustBadStatusCode(self.url, code=self.status_code)

    @cached_property
    def text(self) -> str:
        """The body as text, by the charset that the answer names, else UTF-8; empty when there is no answer."""
        charset = self.header("content-type").partition("charset=")[2].partition(";")[0].strip(' "') or "utf-8"
        try:
            return (self.content or b"").decode(charset, "replace")
        except LookupError:
            return (self.content or b"").decode("utf-8", "replace")

    def header(self, name: str) -> str:
        """A header's value, several joined by commas (RFC 9110 section 5.3); empty when it is not there."""
        return ", ".join(self.headers.getlist(name)) if self.headers is not None else ""


class ShopperClient(FastHttpSession):
    """Speaks to one base URL as one shopper, with cookies and at most six connections per host.

    `intended_at` is the instant, on the clock of `time.monotonic`, at which the first request was to leave.
    """

    def __init__(
        self,
        base_url: str,
        request_event: EventHook,
        *,
        source_address: str | None = None,
        intended_at: float | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        headers: dict[str, str] | None = None,
    ) -> None:
        pool = _ShopperPool(
            source_address,
            connection_timeout=timeouts.connect_s,
            network_timeout=timeouts.read_s,
            concurrency=BROWSER_CONNECTIONS,
            disable_ipv6=source_address is not None,
            ssl_context_factory=_verifying_context,
            insecure=False,
        )
        super().__init__(
            base_url,
            request_event,
            None,
            insecure=False,
            client_pool=pool,
            max_retries=0,
            ssl_context_factory=_verifying_context,
        )
        self.client = _ShopperAgent(
            client_pool=pool, cookiejar=self.cookiejar, max_retries=0, max_redirects=10, headers=headers
        )
        self._pool = pool
        self._timeouts = timeouts
        self._intended_at = intended_at

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        name: str | None = None,
        *,
        catch_response: bool = False,
        allow_redirects: bool = True,
        context: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> ShopperResponse:
        """Send one request; arguments and answer as in Locust's FastHttpSession.

        Without `catch_response` the sample is reported at once, by its status. Several greenlets of one shopper may
        call this at the same time.
        """
        if not allow_redirects:
            kwargs["max_redirects"] = 0  # Locust's own way changes the client for all requests in flight
        told = {**(context or {}), CONTEXT_KEY: RequestContext(self._start_lag_us())}
        with gevent.Timeout(self._timeouts.total_s, RequestTimedOut(f"no answer in {self._timeouts.total_s:g} s")):
            answer = super().request(method, url, name=name, catch_response=True, context=told, **kwargs)
        response = ShopperResponse(answer, self.request_event, answer.request_meta, catch_response=True)
        if not catch_response:
            with response:
                pass
        return response

    def close(self) -> None:
        """Close the shopper's connections."""
        self._pool.close()

    def _start_lag_us(self) -> int:
        intended_at, self._intended_at = self._intended_at, None
        return 0 if intended_at is None else max(0, round((time.monotonic() - intended_at) * 1_000_000))


class _ShopperAgent(LocustUserAgent):
    def _verify_status(self, status_code: int, url: str | URL | None = None) -> None:
        """Leave statuses to ShopperResponse: raising here makes the library build a transcript of every failure."""


class _ShopperPool(HTTPClientPool):
    def __init__(self, source_address: str | None, **client_args: Any) -> None:
        super().__init__(**client_args)
        self._source_address = source_address

    def get_client(self, url: str | URL) -> HTTPClient:
        url = url if isinstance(url, URL) else URL(url)
        known = (url.host, url.port) in self.clients
        client = super().get_client(url)
        if not known:
            locust_internals.never_resend(client)
            if self._source_address is not None:
                locust_internals.bind_source(client, self._source_address)
        return client


@lru_cache(maxsize=1)
def _verifying_context(cafile: str | None = None) -> gevent.ssl.SSLContext:
    # One per process: reading the certificates takes longer than many requests.
    return gevent.ssl.create_default_context(cafile=cafile)
