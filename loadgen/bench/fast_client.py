"""Locust's fast client in the place of ours: the call shape that sessions use, on FastHttpSession."""

from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any

from locust.contrib.fasthttp import FastHttpSession, ResponseContextManager
from locust.event import EventHook

from loadgen.http.request import HeaderLines


class FastAnswer:
    """An answer of Locust's fast client, with the few words more that ours has."""

    __slots__ = ("_answer", "failure", "status_code", "success")

    def __init__(self, answer: ResponseContextManager) -> None:
        self._answer = answer
        self.status_code = answer.status_code
        self.success, self.failure = answer.success, answer.failure

    @property
    def text(self) -> str:
        """The body as text; empty when there is no answer."""
        return self._answer.text or ""

    @property
    def content(self) -> bytes | None:
        """The body; None when there is no answer."""
        content: bytes | None = self._answer.content
        return content

    def header(self, name: str) -> str:
        """A header's value; empty when it is not there."""
        headers = self._answer.headers
        return str(headers.get(name) or "") if headers else ""

    def __enter__(self) -> "FastAnswer":
        self._answer.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, exc: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        judged: bool | None = self._answer.__exit__(exc, value, traceback)  # type: ignore[no-untyped-call]
        return judged


class FastClient:
    """One shopper's client, with cookies and connections of its own."""

    def __init__(self, base_url: str, request_event: EventHook) -> None:
        self._session = FastHttpSession(base_url, request_event, None)

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | HeaderLines | None = None, **how: Any
    ) -> FastAnswer:
        """Send one request."""
        given = _fields(headers) if isinstance(headers, HeaderLines) else headers
        return FastAnswer(self._session.request(method, url, headers=dict(given or {}), **how))

    def close(self) -> None:
        """Close the shopper's connections."""
        self._session.client.close()


@lru_cache(maxsize=4096)
def _fields(lines: HeaderLines) -> Mapping[str, str]:
    """Header lines as Locust wants them; kept, as taking them apart again is not its client's doing."""
    return dict(line.split(": ", 1) for line in lines.text.split("\r\n") if line)
