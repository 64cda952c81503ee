"""The provider's HTTP face, JSON in and out.

POST /charges               {"amount_idr": int, "card_token": str, "order_id": int}, header Idempotency-Key (a UUID)
                            200 {"state": "captured" | "declined" | "refunded", ...};
                                409 for a voided key; 422 for a key that was used with another amount, card or order
POST /charges/{key}/void    200 {"state": ...}: from now on the key cannot be charged, if it was not
POST /charges/{key}/refund  200 {"state": "refunded", ...}: the captured charge was given back, now or earlier;
                                409 for any other charge; 404 for an unknown key
GET  /charges/{key}         200 {"state": ...}; 404 for an unknown key
GET  /charges?since=EPOCH   200 JSON lines, one per charge that was decided or refunded since (default: ever), as it
                                stands now, then {"type": "end", "lines": charges}
GET  /healthz, /readyz      200
"""

import json
import math
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple
from uuid import UUID

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from reference_shop.payment.journal import Charge
from reference_shop.payment.ledger import KeyReused, Ledger
from reference_shop.payment.tracing import RequestIdEcho

_MAX_BODY_BYTES = 4096
_MAX_AMOUNT_IDR = 10**12
_MAX_ORDER_ID = 2**63 - 1
_LINES_PER_CHUNK = 200


def create_app(ledger: Ledger) -> Starlette:
    """Serve this ledger."""
    doors = _Doors(ledger)
    return Starlette(
        routes=[
            Route("/charges", doors.create_charge, methods=["POST"]),
            Route("/charges", doors.list_charges),
            Route("/charges/{key}", doors.show_charge),
            Route("/charges/{key}/void", doors.void_charge, methods=["POST"]),
            Route("/charges/{key}/refund", doors.refund_charge, methods=["POST"]),
            Route("/healthz", _ready),
            Route("/readyz", _ready),
        ],
        middleware=[Middleware(RequestIdEcho)],
        exception_handlers={HTTPException: _refusal},
        max_body_size=_MAX_BODY_BYTES,
    )


class _Doors:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def create_charge(self, request: Request) -> Response:
        key = _key_of(request.headers.get("idempotency-key", ""))
        asked = _charge_in(await request.body())
        try:
            charge = await self._ledger.charge(key, asked.amount_idr, asked.card_token, asked.order_id)
        except KeyReused:
            raise HTTPException(422, "this key was used with another amount, card or order") from None
        return JSONResponse(_document(charge), 409 if charge.state == "voided" else 200)

    async def void_charge(self, request: Request) -> Response:
        return JSONResponse(_document(await self._ledger.void(_key_in(request))))

    async def refund_charge(self, request: Request) -> Response:
        charge = _known(await self._ledger.refund(_key_in(request)))
        return JSONResponse(_document(charge), 200 if charge.state == "refunded" else 409)

    async def show_charge(self, request: Request) -> Response:
        return JSONResponse(_document(_known(await self._ledger.find(_key_in(request)))))

    async def list_charges(self, request: Request) -> Response:
        charges = self._ledger.since(_since(request.query_params.get("since", "0")))
        return StreamingResponse(_lines(charges), media_type="application/x-ndjson")


async def _ready(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _document(charge: Charge) -> dict[str, object]:
    return {
        "idempotency_key": charge.key,
        "state": charge.state,
        "amount_idr": charge.amount_idr,
        "order_id": charge.order_id,
    }


async def _lines(charges: Sequence[Charge]) -> AsyncIterator[bytes]:
    for start in range(0, len(charges), _LINES_PER_CHUNK):
        facts = (
            {"type": "charge", **_document(each), "at": each.at} for each in charges[start : start + _LINES_PER_CHUNK]
        )
        yield "".join(f"{json.dumps(fact, separators=(',', ':'))}\n" for fact in facts).encode()
    yield f'{{"type":"end","lines":{len(charges)}}}\n'.encode()


def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for nothing else)
    return JSONResponse({"error": error.detail}, error.status_code)


def _known(charge: Charge | None) -> Charge:
    if charge is None:
        raise HTTPException(404, "no charge has this key")
    return charge


def _key_in(request: Request) -> UUID:
    return _key_of(request.path_params["key"])


def _key_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise HTTPException(400, "the idempotency key must be a UUID") from None


def _since(text: str) -> float:
    try:
        since = float(text)
    except ValueError:
        since = math.nan
    if not 0 <= since < 1e11:
        raise HTTPException(400, "since must be seconds since 1970")
    return since


class _Asked(NamedTuple):
    amount_idr: int
    card_token: str
    order_id: int


def _charge_in(body: bytes) -> _Asked:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):  # the latter for brackets in brackets in brackets
        document = None
    match document:
        case {"amount_idr": int() as amount_idr, "card_token": str() as card_token, "order_id": int() as order_id} if (
            _is_within(amount_idr, _MAX_AMOUNT_IDR)
            and 0 < len(card_token) <= 100
            and _is_within(order_id, _MAX_ORDER_ID)
        ):
            return _Asked(amount_idr, card_token, order_id)
    raise HTTPException(
        400, f"the body must be JSON with amount_idr (1 to {_MAX_AMOUNT_IDR}), card_token and order_id (at least 1)"
    )


def _is_within(number: int, limit: int) -> bool:
    return not isinstance(number, bool) and 1 <= number <= limit
