"""The provider's HTTP face, JSON in and out.

POST /charges               {"amount_idr": int, "card_token": str}, header Idempotency-Key (a UUID)
                            200 {"state": "captured" | "declined", ...};
                                409 for a voided key; 422 for a key that was used with another amount or card
POST /charges/{key}/void    200 {"state": ...}: from now on the key cannot be charged, if it was not
GET  /charges/{key}         200 {"state": ...}; 404 for an unknown key
GET  /healthz, /readyz      200
"""

import json
from uuid import UUID

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from reference_shop.payment.journal import Charge
from reference_shop.payment.ledger import KeyReused, Ledger

_MAX_BODY_BYTES = 4096
_MAX_AMOUNT_IDR = 10**12


def create_app(ledger: Ledger) -> Starlette:
    """Serve this ledger."""

    async def create_charge(request: Request) -> Response:
        key = _key_of(request.headers.get("idempotency-key", ""))
        amount_idr, card_token = _charge_in(await request.body())
        try:
            return _answer(await ledger.charge(key, amount_idr, card_token))
        except KeyReused:
            raise HTTPException(422, "this key was used with another amount or card") from None

    async def void_charge(request: Request) -> Response:
        return JSONResponse(_document(await ledger.void(_key_of(request.path_params["key"]))))

    async def show_charge(request: Request) -> Response:
        charge = await ledger.find(_key_of(request.path_params["key"]))
        if charge is None:
            raise HTTPException(404, "no charge has this key")
        return JSONResponse(_document(charge))

    async def ready(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/charges", create_charge, methods=["POST"]),
            Route("/charges/{key}", show_charge),
            Route("/charges/{key}/void", void_charge, methods=["POST"]),
            Route("/healthz", ready),
            Route("/readyz", ready),
        ],
        exception_handlers={HTTPException: _refusal},
        max_body_size=_MAX_BODY_BYTES,
    )


def _answer(charge: Charge) -> Response:
    return JSONResponse(_document(charge), 409 if charge.state == "voided" else 200)


def _document(charge: Charge) -> dict[str, object]:
    return {"idempotency_key": charge.key, "state": charge.state, "amount_idr": charge.amount_idr}


def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for nothing else)
    return JSONResponse({"error": error.detail}, error.status_code)


def _key_of(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise HTTPException(400, "the idempotency key must be a UUID") from None


def _charge_in(body: bytes) -> tuple[int, str]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):  # the latter for brackets in brackets in brackets
        document = None
    match document:
        case {"amount_idr": int() as amount_idr, "card_token": str() as card_token} if (
            not isinstance(amount_idr, bool) and 0 < amount_idr <= _MAX_AMOUNT_IDR and 0 < len(card_token) <= 100
        ):
            return amount_idr, card_token
    raise HTTPException(400, f"the body must be JSON with amount_idr (1 to {_MAX_AMOUNT_IDR}) and card_token")
