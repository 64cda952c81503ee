"""What surrounds every answer: page kind, request id, security headers, a safe default for caches, a line in the access
log, and the metrics of all requests.

`/metrics` is answered here, outside of all that may refuse or delay a request: a shop in trouble must still be seen.
"""

from time import perf_counter

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_shop import metrics
from reference_shop.access_log import AccessLog
from reference_shop.domain.errors import ShopError
from reference_shop.request_id import current_request_id
from reference_shop.web import metrics_page
from reference_shop.web.caching import PRIVATE, may_be_shared
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
        """Wrap `app` and begin to count; `behind_edge` says whether a request id that came along is to be believed.

        Raises OSError where metrics are to be shared but cannot be written.
        """
        metrics.shop.open()
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
        request_id = self._log.request_id(Headers(scope=scope).get("x-request-id") if self._behind_edge else None)
        # Stays set: the server's own word about an accident comes after this, in the same context.
        current_request_id.set(request_id)
        status, body_bytes = 0, 0
        key: str | None = None

        async def send_sealed(message: Message) -> None:
            nonlocal status, body_bytes, key
            if message["type"] == "http.response.start":
                status = message["status"]
                if may_be_shared(status, _seal(message, kind, request_id)):
                    key = _key_of(scope)
            elif message["type"] == "http.response.body":
                body_bytes += len(message.get("body", b""))
            await send(message)

        metrics.requests_in_progress.rise()
        try:
            await self._serve(scope, receive, send_sealed)
        finally:
            duration_s = perf_counter() - started
            metrics.requests_in_progress.fall()
            metrics.requests.add(kind, metrics.status_class(status))
            metrics.request_durations.observe(duration_s, kind)
            self._log.note(kind, status, body_bytes, duration_s, request_id, key=key)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._app
        try:
            refuse_other_sites(scope)
            if scope["path"] == metrics_page.PATH:
                answer = await metrics_page.tell_metrics(scope)
        except ShopError as refusal:
            answer = await self._failures.refuse(Request(scope), refusal)
        await answer(scope, receive, send)


def _seal(message: Message, kind: str, request_id: str) -> bytes | None:
    """Add what every answer carries; return what this one said of caches by itself."""
    headers: list[tuple[bytes, bytes]] = message["headers"]
    cache_control = next((value for name, value in headers if name == b"cache-control"), None)
    headers.append((b"x-page-kind", kind.encode()))
    headers.append((b"x-request-id", request_id.encode()))
    headers += _SECURITY_HEADERS
    if cache_control is None:
        headers.append(_DEFAULT_CACHING)
    return cache_control


def _key_of(scope: Scope) -> str:
    """Path and query as they came, which is what a cache keeps the answer under."""
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")
