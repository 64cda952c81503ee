"""What surrounds every answer of the provider: a line in its access log, and its metrics, which `/metrics` tells."""

import asyncio
from contextlib import suppress
from time import perf_counter

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reference_shop import metrics
from reference_shop.access_log import AccessLog
from reference_shop.instruments import CONTENT_TYPE

_METRICS_PATH = "/metrics"


def request_kind(method: str, path: str) -> str:
    """Return what is asked: `charge`, `books`, `question`, `void`, `refund`, `ops`, or `other` for what is unknown."""
    match path.split("/"):
        case ["", "charges"]:
            return "charge" if method == "POST" else "books"
        case ["", "charges", _]:
            return "question"
        case ["", "charges", _, "void" | "refund" as action]:
            return action
        case ["", "healthz" | "readyz" | "metrics"]:
            return "ops"
    return "other"


class Observed:
    """The outermost ASGI application."""

    def __init__(self, app: ASGIApp, log: AccessLog | None) -> None:
        """Wrap `app` and begin to count; raises OSError where metrics are to be shared but cannot be written."""
        self._app = app
        self._log = log
        metrics.payment.open()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the server's whole life."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = perf_counter()
        kind = request_kind(scope["method"], scope["path"])
        status, body_bytes = 0, 0

        async def send_counted(message: Message) -> None:
            nonlocal status, body_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body":
                body_bytes += len(message.get("body", b""))
            await send(message)

        metrics.provider_in_progress.rise(kind)
        try:
            answer = await _metrics_page(scope) if scope["path"] == _METRICS_PATH else self._app
            await answer(scope, receive, send_counted)
        finally:
            duration_s = perf_counter() - started
            metrics.provider_in_progress.fall(kind)
            metrics.provider_requests.add(kind, metrics.status_class(status))
            metrics.provider_durations.observe(duration_s, kind)
            if self._log is not None:
                request_id = self._log.request_id(Headers(scope=scope).get("x-request-id"))
                self._log.note(kind, status, body_bytes, duration_s, request_id)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        tasks = [asyncio.create_task(metrics.payment.keep_sampling())]
        if self._log is not None:
            tasks.append(asyncio.create_task(self._log.keep_flushing()))
        try:
            await self._app(scope, receive, send)
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            if self._log is not None:
                self._log.flush()


async def _metrics_page(scope: Scope) -> Response:
    """What was counted, for who asks directly; the provider listens on loopback only, so that is somebody here."""
    if "x-forwarded-for" in Headers(scope=scope):
        return JSONResponse({"error": "Not Found"}, 404)
    return Response(await metrics.payment.text(), media_type=CONTENT_TYPE)
