"""Reads what operators post to `/ops/offers`; docs/reference-shop.md names the fields."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from reference_shop.domain.catalogue import MAX_PRODUCT_ID
from reference_shop.domain.offers import CouponOffer, GiftCardOffer, Offers, SaleOffer
from reference_shop.domain.vouchers import MAX_CODE_CHARACTERS

_CODE = re.compile(rf"[A-Za-z0-9-]{{1,{MAX_CODE_CHARACTERS}}}")
_MOST_VOUCHERS = 200  # far below what a body may hold
_MOST_IDR = 10**9
_MOST_UNITS = 10**6
_LAST_INSTANT = 1e11  # far in the future, and a date that Python can hold


def offers_in(body: bytes) -> Offers:
    """Return what a document offers; ValueError says in one sentence what is wrong with it."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    fields = _object(document, "the body", {"flash_sale", "coupons", "gift_cards"})
    sale = fields.get("flash_sale")
    return Offers(
        flash_sale=None if sale is None else _sale(sale),
        coupons=tuple(map(_coupon, _list(fields, "coupons"))),
        gift_cards=tuple(map(_gift_card, _list(fields, "gift_cards"))),
    )


def _sale(value: object) -> SaleOffer:
    names = {"product_id", "units", "limit_per_customer", "price_idr", "starts_at", "ends_at", "reservation_s"}
    fields = _object(value, "flash_sale", names)
    starts_at, ends_at = (_number(fields, name, 0, _LAST_INSTANT) for name in ("starts_at", "ends_at"))
    begins, ends = (datetime.fromtimestamp(instant, UTC) for instant in (starts_at, ends_at))
    if not begins < ends:
        raise ValueError(f"ends_at is {ends_at}: it must be after starts_at, {starts_at}")
    return SaleOffer(
        product_id=_whole(fields, "product_id", 1, MAX_PRODUCT_ID),
        units=_whole(fields, "units", 1, _MOST_UNITS),
        limit_per_customer=_whole(fields, "limit_per_customer", 1, 20),
        starts_at=begins,
        ends_at=ends,
        reservation_s=_number(fields, "reservation_s", 0.1, 3600),
        price_idr=None if fields.get("price_idr") is None else _whole(fields, "price_idr", 1, _MOST_IDR),
    )


def _coupon(value: object) -> CouponOffer:
    fields = _object(value, "a coupon", {"code", "amount_idr", "uses"})
    return CouponOffer(
        _code(fields), _whole(fields, "amount_idr", 1, _MOST_IDR), _whole(fields, "uses", 1, _MOST_UNITS)
    )


def _gift_card(value: object) -> GiftCardOffer:
    fields = _object(value, "a gift card", {"code", "balance_idr"})
    return GiftCardOffer(_code(fields), _whole(fields, "balance_idr", 1, _MOST_IDR))


def _object(value: object, what: str, names: set[str]) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object")
    if unknown := set(value) - names:
        raise ValueError(f"{what} holds {sorted(unknown)[0]!r}, which is none of {', '.join(sorted(names))}")
    return value


def _list(fields: Mapping[str, object], name: str) -> list[object]:
    value = [] if fields.get(name) is None else fields[name]
    if not isinstance(value, list) or len(value) > _MOST_VOUCHERS:
        raise ValueError(f"{name} must be a list of at most {_MOST_VOUCHERS}")
    return value


def _code(fields: Mapping[str, object]) -> str:
    code = fields.get("code")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise ValueError(f"code must be 1 to {MAX_CODE_CHARACTERS} letters, digits or hyphens")
    return code


def _present(fields: Mapping[str, object], name: str) -> object:
    if name not in fields:
        raise ValueError(f"{name} is missing")
    return fields[name]


def _whole(fields: Mapping[str, object], name: str, least: int, most: int) -> int:
    value = _present(fields, name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}: it must be a whole number from {least} to {most}")
    return value


def _number(fields: Mapping[str, object], name: str, least: float, most: float) -> float:
    value = _present(fields, name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} is {value!r}: it must be a number from {least} to {most}")
    return float(value)
