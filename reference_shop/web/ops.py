"""The operators' doors: is the worker alive, can it sell, and what does it hold to be true.

`/ops/truth?since=EPOCH` streams JSON lines (docs/reference-shop.md) to a program on this machine that knows the token
and speaks to the worker without an edge between.
"""

import hmac
import json
import math
import time
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from reference_shop.domain.errors import InvalidInput, NotFound, Unavailable
from reference_shop.repository.database import Database
from reference_shop.services.truth import tell
from reference_shop.web.peers import came_directly_from_here

_LINES_PER_CHUNK = 200


class OpsDoors:
    """Handlers for operators."""

    def __init__(self, database: Database, token: str) -> None:
        """Guard the truth with this token."""
        self._database = database
        self._expected = f"Bearer {token}".encode()

    async def healthy(self, _request: Request) -> Response:
        """Answer `/healthz`: this process serves."""
        return PlainTextResponse("ok\n")

    async def ready(self, _request: Request) -> Response:
        """Answer `/readyz`: the database answers too."""
        try:
            async with self._database.connection() as connection:
                await connection.fetchval("SELECT 1")
        except Unavailable:
            return PlainTextResponse("the database does not answer\n", 503)
        return PlainTextResponse("ok\n")

    async def truth(self, request: Request) -> Response:
        """Answer `/ops/truth`: 404 to anyone elsewhere, 401 without the token."""
        if not came_directly_from_here(request.scope):
            raise NotFound
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), self._expected):
            return PlainTextResponse("this needs the stack's token\n", 401, {"www-authenticate": "Bearer"})
        since = _since(request.query_params.get("since", "0"))
        return StreamingResponse(self._lines(since), media_type="application/x-ndjson")

    async def _lines(self, since: float) -> AsyncIterator[bytes]:
        lines: list[str] = []
        async for fact in tell(self._database, since, time.time()):
            lines.append(json.dumps(fact, separators=(",", ":")))
            if len(lines) == _LINES_PER_CHUNK:
                yield ("\n".join(lines) + "\n").encode()
                lines.clear()
        yield ("\n".join(lines) + "\n").encode()


def _since(text: str) -> float:
    try:
        since = float(text)
    except ValueError:
        since = math.nan
    if not 0 <= since < 1e11:
        raise InvalidInput({"since": "since harus detik sejak 1970."})
    return since
