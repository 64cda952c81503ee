"""An answer as a shopper's code sees it, and the sample that it makes: Locust's call shape, and our timings."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache
from types import TracebackType
from typing import Any

from locust.exception import CatchResponseError, LocustError, ResponseError

from loadgen.http.answer import AnswerReader, BadAnswer
from loadgen.http.coding import as_text, decoded
from loadgen.http.connection import Connection
from loadgen.http.cookies import CookieJar
from loadgen.http.heads import Headers, field_values, note
from loadgen.http.hosts import Host
from loadgen.http.request import Request


class BadStatus(Exception):
    """A status of 400 and above that nobody called a success."""


class ShopperResponse:
    """One answer, or why there is none: then `status_code` is 0 and `error` says it.

    As a `with` block (with catch_response=True) it waits for a judgement: `failure(why)`, `success()`, or nothing for
    its status to decide; an exception in the block is a failed sample. Times in microseconds: `service_us` from the
    send to the last byte, connecting included; `ttfb_us` to the first byte; `connect_us` and `tls_us` are 0 where an
    open connection was used; `lag_us` is how late the request left. `body_bytes` came over the wire; `content` is
    without content coding, at most MOST_KEPT_BYTES of it. `ended_at` is an instant of `time.monotonic`.
    """

    # What most samples leave as it is stands in the class: making a response is part of every request.
    status_code = 0
    content: bytes | None = None
    encoding: str | None = None
    error: BaseException | None = None
    exception: BaseException | None = None
    js: Any = None  # of Locust's `rest`
    cache_control = cache_status = head = b""
    sets_cookie = False
    body_bytes = connect_us = tls_us = ttfb_us = service_us = lag_us = 0
    ended_at = 0.0
    _folded: bytes | None = None  # the head in lower case
    _headers: Headers | None = None
    _text: str | None = None
    _judged = False

    def __init__(
        self,
        asked: Request,
        name: str,
        context: Mapping[str, Any],
        cookies: CookieJar,
        report: Callable[["ShopperResponse"], None],
    ) -> None:
        self.method = asked.method
        self.name = name
        self.context = context
        self.cookies = cookies
        self._asked = asked
        self._report = report

    def complete(
        self, reader: AnswerReader, connection: Connection, began: float, first_byte_at: float, ended: float
    ) -> None:
        """Take over a whole answer and when it came, by instants of `time.monotonic`.

        A body that cannot be decoded becomes the `error`.
        """
        self.ttfb_us = int((first_byte_at - began) * 1_000_000)
        self.service_us = int((ended - began) * 1_000_000)
        self.ended_at = ended
        if connection.connect_us:
            self.connect_us, self.tls_us = connection.connect_us, connection.tls_us
        self.status_code = reader.status
        self.body_bytes = reader.body_bytes
        body = reader.body
        self.content = body[0] if len(body) == 1 else b"".join(body)
        head = self.head = reader.head
        self.cache_control, self.cache_status, coding, cookies = note(head)
        if cookies:
            self._take_cookies(cookies)
        if coding:
            self._decode(coding.decode("latin-1"))

    def _take_cookies(self, lines: tuple[bytes, ...]) -> None:
        self.sets_cookie = True
        for line in lines:
            self.cookies.take_in(line.decode("latin-1"), self._asked.host.name, self._asked.path)

    def _decode(self, coding: str) -> None:
        try:
            self.content = decoded(self.content or b"", coding)
        except BadAnswer as error:
            self.content, self.error = None, error.with_traceback(None)  # as in `fail`

    def fail(self, error: BaseException, began: float) -> None:
        """Note why there is no answer, and that nobody waits for one any more."""
        self.error = error.with_traceback(None)  # whose frames would hold this response, and it them
        self.ended_at = time.monotonic()
        self.service_us = int((self.ended_at - began) * 1_000_000)

    @property
    def url(self) -> str:
        """What was asked for, after redirects."""
        return f"http{'s' if self.host.secure else ''}://{self.host.header}{self.path}"

    @property
    def host(self) -> Host:
        """Whom it was asked of."""
        return self._asked.host

    @property
    def path(self) -> str:
        """Path and query that were asked for."""
        return self._asked.path

    @property
    def start_time(self) -> float:
        """When the request was sent, in seconds since the epoch."""
        return time.time() - (time.monotonic() - self.ended_at) - self.service_us / 1_000_000

    @property
    def headers(self) -> Headers:
        """The answer's header fields; empty when there is no answer."""
        if self._headers is None:
            self._headers = Headers(self.head)
        return self._headers

    def header(self, name: str) -> str:
        """A header's value; empty when it is not there. Cheaper than `headers` for a few of them."""
        if self._folded is None:
            self._folded = self.head.lower()
        return field_values(self.head, self._folded, _field(name)).decode("latin-1")

    @property
    def text(self) -> str:
        """The body as text, by the charset that the answer names, else UTF-8; empty when there is no answer."""
        if self._text is None:
            charset = self.header("content-type").lower().partition("charset=")[2].partition(";")[0].strip(' "')
            self._text = as_text(self.content or b"", self.encoding or charset or "utf-8")
        return self._text

    def json(self) -> Any:
        """The body as JSON; json.JSONDecodeError when it is none."""
        return json.loads(self.text)

    @property
    def ok(self) -> bool:
        """Whether an answer came, with a status below 400."""
        return 0 < self.status_code < 400

    @property
    def elapsed(self) -> timedelta:
        """The time to the first byte."""
        return timedelta(microseconds=self.ttfb_us)

    @property
    def request_meta(self) -> dict[str, Any]:
        """What Locust's `request` event says of it; times in milliseconds."""
        return {
            "request_type": self.method,
            "name": self.name,
            "context": self.context,
            "response": self,
            "exception": self.exception,
            "start_time": self.start_time,
            "url": self.url,
            "response_length": len(self.content) if self.content is not None else 0,
            "response_time": self.service_us / 1000,
        }

    def raise_for_status(self) -> None:
        """Raise what went wrong on the way, or BadStatus for a status of 400 and above."""
        if self.error is not None:
            raise self.error
        if self.status_code >= 400:
            raise BadStatus(f"status {self.status_code}")

    def success(self) -> None:
        """Call it a success, whatever its status."""
        self._judge(None)

    def failure(self, why: str | Exception) -> None:
        """Call it a failure, whatever its status."""
        self._judge(why if isinstance(why, Exception) else CatchResponseError(why))

    def report(self) -> None:
        """Hand the sample in, once: from here on nothing changes it."""
        if self._report is _already:
            return
        if not self._judged and self.exception is None:
            if self.error is not None:
                self.exception = self.error
            elif self.status_code >= 400:
                self.exception = BadStatus(f"status {self.status_code}")
        report, self._report = self._report, _already
        report(self)

    def __enter__(self) -> "ShopperResponse":
        return self

    def __exit__(
        self, exc: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        # Neither Exception nor judged: the session was cut, or the process ends, and the answer stands as it came.
        judged = self._judged
        if isinstance(value, Exception) and not judged:
            self._judge(value)
        self.report()
        return isinstance(value, ResponseError) and not judged  # as in Locust: raising one is a way to judge

    def __del__(self) -> None:
        if self._report is not _already:  # catch_response=True without a `with` block: the shop served it all the same
            self.report()

    def _judge(self, exception: Exception | None) -> None:
        if self._report is _already:
            raise LocustError("the sample is reported: to judge a response, use a with block and catch_response=True")
        if exception is not None and exception.__cause__ is None:
            exception.__cause__ = self.error  # what happened on the wire decides its class
        self._judged, self.exception = True, exception


def _already(_response: ShopperResponse) -> None:
    """In the place of `report` once it has been called."""


@lru_cache(maxsize=256)
def _field(name: str) -> bytes:
    return b"\n%b:" % name.lower().encode("latin-1")
