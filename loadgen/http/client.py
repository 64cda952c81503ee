"""The HTTP client of one shopper: Locust's call shape on our own connections, and nothing that falsifies a measurement.

Nothing is ever sent again silently, TLS is verified, connections leave from the shopper's own source address, a request
has a time limit as a whole, a redirect is a sample of its own, and an exception inside a `with` block is a failed
sample, never a lost one.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Protocol
from urllib.parse import urljoin

from locust.event import EventHook

from loadgen.http import hosts
from loadgen.http.answer import AnswerReader, BadAnswer
from loadgen.http.connection import RequestTimedOut
from loadgen.http.connections import Connections
from loadgen.http.cookies import CookieJar
from loadgen.http.hosts import locate
from loadgen.http.request import (
    Body,
    HeaderLines,
    Request,
    ask,
    ask_again,
    basic_auth,
    header_lines,
    with_params,
)
from loadgen.http.response import ShopperResponse
from loadgen.target import without_credentials

BROWSER_CONNECTIONS = 6  # per host, as browsers hold over HTTP/1.1
MOST_REDIRECTS = 20  # as browsers follow
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_DEFAULT_LINES = header_lines({})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Limits in seconds: to connect, between two pieces of an answer, and for the request as a whole."""

    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 20.0


DEFAULT_TIMEOUTS = Timeouts()


class SampleRecorder(Protocol):
    """Where finished samples go."""

    def on_response(self, response: ShopperResponse) -> None:
        """Count one."""


class ShopperClient:
    """Speaks to one base URL as one shopper, with cookies and at most `connections` open per host.

    `intended_at` is the instant, on the clock of `time.monotonic`, at which the first request was to leave. Samples go
    to `recorder`, which tells those who listen to Locust; without one, to Locust's `request_event`. `context` makes
    what every sample's event carries.
    """

    __slots__ = (
        "_base",
        "_connections",
        "_context",
        "_intended_at",
        "_lines",
        "_most_redirects",
        "_report",
        "_timeouts",
        "base_url",
        "cookies",
        "request_name",
    )

    def __init__(
        self,
        base_url: str,
        request_event: EventHook,
        *,
        recorder: SampleRecorder | None = None,
        source_address: str | None = None,
        intended_at: float | None = None,
        timeouts: Timeouts = DEFAULT_TIMEOUTS,
        headers: Mapping[str, str] | None = None,
        connections: int = BROWSER_CONNECTIONS,
        most_redirects: int = MOST_REDIRECTS,
        tls_context: SSLContext | None = None,
        context: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        base = hosts.base_url(base_url)
        self.base_url = base.text
        self.cookies = CookieJar()
        self.request_name: str | None = None
        self._base = base
        self._lines = _DEFAULT_LINES if not headers else header_lines(headers)
        self._connections = Connections(
            most_per_host=connections,
            source_address=source_address,
            context=tls_context,
        )
        self._timeouts = timeouts
        self._intended_at = intended_at
        self._most_redirects = most_redirects
        self._context = context
        self._report = _firing(request_event) if recorder is None else recorder.on_response

    def request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        data: Body = None,
        catch_response: bool = False,
        *,
        headers: Mapping[str, str | None] | HeaderLines | None = None,
        json: object = None,
        params: Mapping[str, Any] | None = None,
        auth: tuple[str | bytes, str | bytes] | None = None,
        allow_redirects: bool = True,
        context: Mapping[str, Any] | None = None,
        timeout: float | tuple[float, float] | None = None,
        stream: bool = False,  # noqa: ARG002 (of Locust's call shape)
    ) -> ShopperResponse:
        """Send one request; arguments and answer as in Locust's clients. `url` is appended to the base URL.

        An answer is always read to its end, whatever `stream` says: until then nobody knows whether it is whole.

        Without `catch_response` the sample is reported at once, by its status. Whatever happens on the way ends as a
        failed sample; only a ValueError for what cannot be a request is raised. Several greenlets of one shopper may
        call this at the same time.
        """
        if params:
            url = with_params(url, params)
        if data is None and json is None and auth is None and (headers is None or isinstance(headers, HeaderLines)):
            asked = ask_again(self._base, self._lines, method, url, headers)
        else:
            asked = ask(self._base, self._lines, method, url, _given(headers, auth), data, json)
        timeouts = self._timeouts if timeout is None else _limits(timeout, self._timeouts)
        told = self._context() if context is None else {**self._context(), **context}
        name = name or self.request_name or (without_credentials(url) if "@" in url else url)
        response = self._send(asked, name, told, timeouts)
        if allow_redirects and response.status_code in _REDIRECTS:
            response = self._follow(asked, response, name, told, timeouts)
        if not catch_response:
            response.report()
        return response

    def get(self, url: str, **how: Any) -> ShopperResponse:
        """Send a GET."""
        return self.request("GET", url, **how)

    def head(self, url: str, **how: Any) -> ShopperResponse:
        """Send a HEAD; not redirected unless asked to, as in Locust's clients."""
        return self.request("HEAD", url, **{"allow_redirects": False, **how})

    def options(self, url: str, **how: Any) -> ShopperResponse:
        """Send an OPTIONS."""
        return self.request("OPTIONS", url, **how)

    def delete(self, url: str, **how: Any) -> ShopperResponse:
        """Send a DELETE."""
        return self.request("DELETE", url, **how)

    def post(self, url: str, data: Body = None, json: object = None, **how: Any) -> ShopperResponse:
        """Send a POST."""
        return self.request("POST", url, data=data, json=json, **how)

    def put(self, url: str, data: Body = None, json: object = None, **how: Any) -> ShopperResponse:
        """Send a PUT."""
        return self.request("PUT", url, data=data, json=json, **how)

    def patch(self, url: str, data: Body = None, json: object = None, **how: Any) -> ShopperResponse:
        """Send a PATCH."""
        return self.request("PATCH", url, data=data, json=json, **how)

    @contextmanager
    def rename_request(self, name: str) -> Iterator[None]:
        """Call all requests in a `with` block that have no name of their own by this one."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None

    def close(self) -> None:
        """Close the shopper's idle connections."""
        self._connections.close()

    def _follow(
        self, asked: Request, response: ShopperResponse, name: str, context: Mapping[str, Any], timeouts: Timeouts
    ) -> ShopperResponse:
        """Follow redirects, each a sample of its own; the last answer is not reported yet."""
        for _ in range(self._most_redirects):
            location = response.header("location")
            if response.status_code not in _REDIRECTS or not location:
                return response
            try:
                host, path = locate(urljoin(response.url, _as_sent(location)))
            except ValueError as error:
                response.error = BadAnswer(f"the answer leads to no address: {error}")
                return response
            response.report()
            asked = asked.following(response.status_code, host, hosts.fit_path(path))
            response = self._send(asked, name, context, timeouts)
        if response.status_code in _REDIRECTS:
            response.error = BadAnswer(f"more than {self._most_redirects} redirects")
        return response

    def _send(self, asked: Request, name: str, context: Mapping[str, Any], timeouts: Timeouts) -> ShopperResponse:
        """Send a request once and read its answer; what goes wrong is the response's `error`."""
        began = time.monotonic()
        response = ShopperResponse(asked, name, context, self.cookies, self._report)
        if self._intended_at is not None:
            response.lag_us = max(0, round((began - self._intended_at) * 1_000_000))
            self._intended_at = None
        try:
            self._exchange(asked, response, began, timeouts)
        except Exception as error:
            response.fail(_in_words(error, began, timeouts), began)
        except BaseException as error:  # the shopper is stopped in mid-request
            response.fail(error, began)
            response.report()
            raise
        return response

    def _exchange(self, asked: Request, response: ShopperResponse, began: float, timeouts: Timeouts) -> None:
        host, ends_at = asked.host, began + timeouts.total_s
        request = asked.to_bytes(self._cookies_for(asked) if self.cookies else "")
        connection = self._connections.take(host, began, timeouts.connect_s, ends_at)
        reader = _readers.pop() if _readers else AnswerReader()
        reader.head_only = asked.method == "HEAD"
        try:
            first_byte_at = connection.exchange(request, reader, timeouts.read_s, ends_at)
        except BaseException:
            self._connections.drop(host, connection)
            raise
        ended = time.monotonic()
        response.complete(reader, connection, began, first_byte_at, ended)
        reusable = reader.reusable
        self._connections.give_back(host, connection, ended, stays_open=reusable)
        if reusable:
            reader.begin()
            _readers.append(reader)

    def _cookies_for(self, asked: Request) -> str:
        """The jar's cookies for a request; a Cookie header of its caller's stands in their place."""
        if "cookie" in asked.headers.names:
            return ""
        return self.cookies.header(asked.host.name, asked.path, secure=asked.host.secure)


_readers: list[AnswerReader] = []  # idle ones of this process; as many as ever were at work at the same time


def _firing(request_event: EventHook) -> Callable[[ShopperResponse], None]:
    return lambda response: request_event.fire(**response.request_meta)  # type: ignore[no-untyped-call]


def _given(
    headers: Mapping[str, str | None] | HeaderLines | None, auth: tuple[str | bytes, str | bytes] | None
) -> HeaderLines | None:
    lines = header_lines(headers, {}) if isinstance(headers, Mapping) else headers
    if auth is None:
        return lines
    return (lines or header_lines({}, {})).without("authorization").plus("Authorization", basic_auth(*auth))


def _as_sent(location: str) -> str:
    """A Location's bytes as text: servers send UTF-8, though the header is read as latin-1."""
    return location.encode("latin-1").decode("utf-8", "replace")


def _in_words(error: Exception, began: float, timeouts: Timeouts) -> Exception:
    """A time limit says which one it was."""
    if not isinstance(error, RequestTimedOut):
        return error
    if time.monotonic() - began >= timeouts.total_s:
        return RequestTimedOut(f"no whole answer in {timeouts.total_s:g} s")
    return error


def _limits(timeout: float | tuple[float, float], usual: Timeouts) -> Timeouts:
    if isinstance(timeout, tuple):
        return Timeouts(timeout[0], timeout[1], usual.total_s)
    return Timeouts(timeout, timeout, timeout)
