"""The operators' doors: is the worker alive, can it sell, and what does it hold to be true.

`/ops/truth?since=EPOCH` streams JSON lines, `/ops/offers` takes what is to be on offer (docs/reference-shop.md): for
programs on this machine that know the token and speak to the worker without an edge between.
"""

import hmac
import json
import math
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from reference_shop.domain.errors import InvalidInput, NotFound, Unavailable
from reference_shop.repository.database import Database
from reference_shop.services.offers import make_offers
from reference_shop.services.truth import Books
from reference_shop.web.offers import offers_in
from reference_shop.web.peers import came_directly_from_here

_LINES_PER_CHUNK = 200


class OpsDoors:
    """Handlers for operators."""

    def __init__(self, database: Database, books: Books, token: str) -> None:
        """Guard truth and offers with this token."""
        self._database = database
        self._books = books
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
        if (refusal := self._refuse(request)) is not None:
            return refusal
        since = _since(request.query_params.get("since", "0"))
        return StreamingResponse(self._lines(since), media_type="application/x-ndjson")

    async def offers(self, request: Request) -> Response:
        """Answer POST `/ops/offers`: 404 to anyone elsewhere, 401 without the token, 400 for what makes no sense."""
        if (refusal := self._refuse(request)) is not None:
            return refusal
        try:
            offers = offers_in(await request.body())
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        try:
            made = await make_offers(self._database, offers)
        except NotFound:
            return JSONResponse({"error": "there is no such product"}, 404)
        sale = None
        if made is not None:
            sale = {"sale_id": made[0].sale_id, "product_id": made[0].product_id, "price_idr": made[1]}
        return JSONResponse({"flash_sale": sale})

    def _refuse(self, request: Request) -> Response | None:
        if not came_directly_from_here(request.scope):
            raise NotFound
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), self._expected):
            return PlainTextResponse("this needs the stack's token\n", 401, {"www-authenticate": "Bearer"})
        return None

    async def _lines(self, since: float) -> AsyncIterator[bytes]:
        lines: list[str] = []
        async for fact in self._books.tell(since):
            lines.append(json.dumps(fact, separators=(",", ":")))
            if len(lines) == _LINES_PER_CHUNK:
                yield ("\n".join(lines) + "\n").encode()
                lines.clear()
        if lines:
            yield ("\n".join(lines) + "\n").encode()


def _since(text: str) -> float:
    try:
        since = float(text)
    except ValueError:
        since = math.nan
    if not 0 <= since < 1e11:
        raise InvalidInput({"since": "since harus detik sejak 1970."})
    return since
