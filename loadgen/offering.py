"""Tells the shop, at its operators' door and before any traffic, what a scenario offers.

Codes of gift cards are money: they stand in the request and nowhere else.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import requests

from loadgen.config import Scenario
from loadgen.errors import EnvironmentProblem, StackMissing
from loadgen.offers import FlashSale, gift_card_codes
from loadgen.records import Json
from loadgen.stack import Stack

_TIMEOUT_S = 10.0
_LEADS_S = (1.0, 5.0, 15.0)  # from the request to second 0 of the run: a slow shop is told again, with a later start


@dataclass(frozen=True, slots=True)
class OffersMade:
    """When second 0 of the run is to be, in seconds since the epoch, and what the run's history says of the offers."""

    started_at: float
    detail: Mapping[str, Json]


def check_offers(scenario: Scenario, stack: Stack | None) -> None:
    """Raise StackMissing when there is something to offer and no shop known that takes it."""
    if scenario.makes_offers and (stack is None or not stack.ops_url or not stack.ops_token):
        what = "a flash sale" if scenario.flash_sale else "coupons or gift cards"
        raise StackMissing(
            f"the scenario plans {what}, but no stack with an ops_url is known to offer it in: start one with "
            "`lonjak shop up --detach`, name its stack.json with --stack FILE, or leave the tables [flash_sale] and "
            "[offers] and their ratios out"
        )


def make_offers(
    scenario: Scenario, stack: Stack, lead_s: float = 0.0, *, now: Callable[[], float] = time.time
) -> OffersMade:
    """Put everything on offer at the shop; the run may begin `lead_s` after this, or later.

    Raises EnvironmentProblem when the shop does not take it, or takes longer than there is time for.
    """
    for offer_lead_s in _LEADS_S:
        started_at = now() + offer_lead_s + lead_s
        sale = _post(stack, _document(scenario, started_at)).get("flash_sale") or {}
        if now() + lead_s <= started_at:
            return OffersMade(started_at, _detail(scenario, sale, started_at))
    raise EnvironmentProblem(
        f"the shop at {stack.url} took longer than {_LEADS_S[-1]:g} s to put the scenario's offers up: "
        "see what keeps it busy, and run again"
    )


def _document(scenario: Scenario, started_at: float) -> dict[str, Any]:
    sale, offers = scenario.flash_sale, scenario.offers
    codes = gift_card_codes(offers, scenario.load.seed)
    return {
        **({"flash_sale": _sale(sale, scenario, started_at)} if sale else {}),
        "coupons": [
            {"code": coupon.code, "amount_idr": coupon.amount_idr, "uses": coupon.uses} for coupon in offers.coupons
        ],
        "gift_cards": [
            {"code": code, "balance_idr": balance_idr}
            for code, balance_idr in zip(codes, offers.balances_idr, strict=True)
        ],
    }


def _sale(sale: FlashSale, scenario: Scenario, started_at: float) -> dict[str, Json]:
    end_s = scenario.load.duration_s + scenario.load.drain_s
    ends_at_s = sale.ends_at_s if sale.ends_at_s is not None else max(end_s, sale.starts_at_s + 1.0)
    return {
        "product_id": sale.product_id,
        "units": sale.units,
        "limit_per_customer": sale.limit_per_customer,
        "price_idr": sale.price_idr,
        "starts_at": started_at + sale.starts_at_s,
        "ends_at": started_at + ends_at_s,
        "reservation_s": sale.reservation_s,
    }


def _detail(scenario: Scenario, made: Mapping[str, Any], started_at: float) -> dict[str, Json]:
    offers = scenario.offers
    sale = _sale(scenario.flash_sale, scenario, started_at) if scenario.flash_sale else {}
    return {
        **sale,
        **{name: made[name] for name in ("sale_id", "price_idr") if sale and name in made},
        "coupon_count": len(offers.coupons),
        "gift_card_count": len(offers.balances_idr),
    }


def _post(stack: Stack, document: dict[str, Any]) -> dict[str, Any]:
    url = urljoin(stack.ops_url or "", "offers")
    try:
        answer = requests.post(
            url,
            json=document,
            headers={"Authorization": f"Bearer {stack.ops_token}"},
            timeout=_TIMEOUT_S,
            allow_redirects=False,
        )
        if answer.status_code != 200:
            raise EnvironmentProblem(f"{url} did not take the scenario's offers: {_said(answer, document)}")
        made = answer.json()
    except (OSError, ValueError) as error:  # whose text may hold the request's address, but never its body
        raise EnvironmentProblem(f"the scenario's offers were not made at {url}: {error}") from None
    return made if isinstance(made, dict) else {}


def _said(answer: requests.Response, document: Mapping[str, Any]) -> str:
    sale = document.get("flash_sale")
    if answer.status_code == 404 and sale:
        return f"it answered 404, as for a shop without a product {sale['product_id']} or without offers"
    try:
        why = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        why = ""
    return f"it answered {answer.status_code}" + (f" ({why!s:.200})" if why else "")
