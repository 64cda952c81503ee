"""What surrounds every answer: page kind, security headers, a safe default for caches, and a line in the access log."""

from time import perf_counter

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_shop.domain.errors import Forbidden
from reference_shop.web.access_log import AccessLog
from reference_shop.web.caching import PRIVATE
from reference_shop.web.failures import Failures
from reference_shop.web.kinds import page_kind
from reference_shop.web.peers import refuse_other_sites

_SECURITY_HEADERS = [
    # Everything a page needs is ours; no page of another site may frame it or be posted to by it.
    (
        b"content-security-policy",
        b"default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    # Not no-referrer: browsers would then post with "Origin: null", which is refused.
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
_DEFAULT_CACHING = (b"cache-control", PRIVATE.encode())


class Envelope:
    """The outermost ASGI application."""

    def __init__(self, app: ASGIApp, failures: Failures, log: AccessLog, *, behind_edge: bool) -> None:
        """Wrap `app`; `behind_edge` says whether a request id that came along is to be believed."""
        self._app = app
        self._failures = failures
        self._log = log
        self._behind_edge = behind_edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        kind = page_kind(scope["path"])
        status, body_bytes = 0, 0

        async def send_sealed(message: Message) -> None:
            nonlocal status, body_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                _seal(message, kind)
            elif message["type"] == "http.response.body":
                body_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._serve(scope, receive, send_sealed)
        finally:
            given = Headers(scope=scope).get("x-request-id") if self._behind_edge else None
            self._log.note(kind, status, body_bytes, perf_counter() - started, self._log.request_id(given))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            refuse_other_sites(scope)
        except Forbidden as refusal:
            response = await self._failures.refuse(Request(scope), refusal)
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _seal(message: Message, kind: str) -> None:
    headers = message["headers"]
    headers.append((b"x-page-kind", kind.encode()))
    headers += _SECURITY_HEADERS
    if not any(name == b"cache-control" for name, _ in headers):
        headers.append(_DEFAULT_CACHING)
