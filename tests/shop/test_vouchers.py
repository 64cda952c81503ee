"""Coupons take something off, gift cards pay; neither is spent beyond what it holds, and money adds up."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
import requests

from reference_shop.domain.vouchers import Coupon, GiftCard, bill
from tests.shop.operator import book, offer
from tests.shop.processes import Program
from tests.shop.shopper import BAD_CARD, Shopper, on_body, order_id_of

_numbers = count(1)
SALE = {"product_id": 1, "units": 1, "limit_per_customer": 1, "starts_at": 5, "ends_at": 6, "reservation_s": 9}


def coupon(url: str, uses: int = 10, amount_idr: int = 1000) -> str:
    code = f"KUPON-{next(_numbers)}"
    made = offer(url, {"coupons": [{"code": code, "amount_idr": amount_idr, "uses": uses}]})
    assert made.status_code == 200, made.text
    return code


def gift_card(url: str, balance_idr: int) -> str:
    code = f"KADO-{next(_numbers)}"
    made = offer(url, {"gift_cards": [{"code": code, "balance_idr": balance_idr}]})
    assert made.status_code == 200, made.text
    return code


def apply(shopper: Shopper, coupon: str = "", gift_card: str = "") -> requests.Response:
    return shopper.post("/checkout/voucher", {"coupon": coupon, "gift_card": gift_card})


@pytest.mark.parametrize(
    ("lines_idr", "amount_idr", "balance_idr", "expected"),
    [
        (10_000, None, None, (0, 10_000, 0, 10_000)),
        (10_000, 3_000, None, (3_000, 7_000, 0, 7_000)),
        (10_000, 9_000, None, (5_000, 5_000, 0, 5_000)),  # half of the price at most
        (10_000, 3_000, 2_000, (3_000, 7_000, 2_000, 5_000)),
        (10_000, 3_000, 50_000, (3_000, 7_000, 7_000, 0)),
        (1, 5, None, (0, 1, 0, 1)),
    ],
)
def test_a_bill_adds_up(
    lines_idr: int, amount_idr: int | None, balance_idr: int | None, expected: tuple[int, ...]
) -> None:
    coupon = Coupon(1, "X", amount_idr, 1, 0) if amount_idr else None
    due = bill(lines_idr, coupon, GiftCard(1, balance_idr) if balance_idr else None)
    assert (due.discount_idr, due.total_idr, due.gift_idr, due.charge_idr) == expected


def test_the_payment_form_shows_what_is_off_and_the_order_costs_that(shopper: Shopper) -> None:
    code, card = coupon(shopper.url), gift_card(shopper.url, 1500)
    shopper.prepare(620, 2)
    assert apply(shopper, code, card).headers["location"] == "/checkout/payment"
    form = shopper.get("/checkout/payment")
    order = book(shopper.url, "order", order_id=order_id_of(shopper.pay(shopper.key())))
    [line] = order["lines"]
    assert order["discount_idr"] == 1000 == int(on_body(form, "discount-idr"))
    assert order["total_idr"] == 2 * line["price_idr"] - 1000 == int(on_body(form, "total-idr"))
    assert order["gift_idr"] == 1500 == int(on_body(form, "gift-idr"))
    assert book(shopper.url, "payment", order_id=order["order_id"])["amount_idr"] == order["charge_idr"]
    assert book(shopper.url, "charge", order_id=order["order_id"])["amount_idr"] == order["charge_idr"]


def test_a_gift_card_that_covers_all_needs_no_charge(shopper: Shopper) -> None:
    card = gift_card(shopper.url, 900_000_000)
    shopper.prepare(621)
    apply(shopper, gift_card=card)
    order = book(shopper.url, "order", order_id=order_id_of(shopper.pay(shopper.key())))
    assert (order["charge_idr"], order["gift_idr"]) == (0, order["total_idr"])
    held = book(shopper.url, "gift_card", gift_card_id=order["gift_card_id"])
    assert held["balance_idr"] == 900_000_000 - order["total_idr"]
    assert held["spent_idr"] == order["total_idr"]


@pytest.mark.parametrize("code", ["NIEMALS", "x" * 41, "a b", "'; DROP", "%00"])
def test_a_code_that_nobody_issued_changes_nothing(shopper: Shopper, code: str) -> None:
    shopper.prepare(622)
    before = on_body(shopper.get("/checkout/payment"), "total-idr")
    assert apply(shopper, code).status_code in {400, 409}
    assert on_body(shopper.get("/checkout/payment"), "total-idr") == before


def test_twenty_buyers_with_five_coupons(shop: Program) -> None:
    code = coupon(shop.url, uses=5)
    buyers = [Shopper(shop.url) for _ in range(20)]
    keys = []
    for buyer in buyers:
        buyer.prepare(623)
        assert apply(buyer, code).status_code == 303
        keys.append(buyer.key())
    with ThreadPoolExecutor(20) as paying:
        answers = list(paying.map(lambda pair: pair[0].pay(pair[1]), zip(buyers, keys, strict=True)))
    assert sorted(answer.status_code for answer in answers) == [303] * 5 + [409] * 15
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert on_body(refused, "error") == "voucher_refused"
    held = book(shop.url, "coupon", code=code)
    assert (held["allowed_count"], held["used_count"], held["order_count"]) == (5, 5, 5)
    loser = buyers[[answer.status_code for answer in answers].index(409)]
    assert on_body(loser.get("/checkout/payment"), "discount-idr") == "0"  # it was taken off
    order_id_of(loser.pay(loser.key()))
    for buyer in buyers:
        buyer.session.close()


def test_a_declined_card_gives_coupon_and_gift_card_back(shopper: Shopper) -> None:
    code, card = coupon(shopper.url, uses=1), gift_card(shopper.url, 700)
    shopper.prepare(624)
    apply(shopper, code, card)
    assert shopper.pay(shopper.key(), BAD_CARD).status_code == 402
    assert book(shopper.url, "coupon", code=code)["used_count"] == 0
    order = book(shopper.url, "order", order_id=order_id_of(shopper.pay(shopper.key())))
    held = book(shopper.url, "gift_card", gift_card_id=order["gift_card_id"])
    assert (held["balance_idr"], held["spent_idr"]) == (0, 700)


def test_a_code_that_is_issued_again_begins_anew(shopper: Shopper) -> None:
    document = {"coupons": [{"code": "LAGI", "amount_idr": 500, "uses": 1}]}
    for _ in range(2):
        assert offer(shopper.url, document).status_code == 200
        shopper.prepare(625)
        apply(shopper, "LAGI")
        order_id_of(shopper.pay(shopper.key()))
    refused = shopper.prepare(625) and apply(shopper, "LAGI")
    assert on_body(refused, "error") == "voucher_refused"


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"coupon": []},
        {"coupons": {}},
        {"coupons": [{"code": "A", "amount_idr": 0, "uses": 1}]},
        {"coupons": [{"code": "A", "amount_idr": True, "uses": 1}]},
        {"coupons": [{"code": "A B", "amount_idr": 1, "uses": 1}]},
        {"gift_cards": [{"code": "A", "balance_idr": 10**30}]},
        {"gift_cards": [{"code": "A", "balance_idr": 1.5}]},
        {"flash_sale": {"product_id": 1}},
        {"flash_sale": SALE | {"ends_at": 5}},
        {"flash_sale": SALE | {"ends_at": 1e99}},
        {"flash_sale": SALE | {"units": 0}},
        {"flash_sale": SALE | {"starts_at": 1, "ends_at": 1.0000001}},
    ],
)
def test_offers_that_make_no_sense_are_refused_in_a_sentence(shop: Program, document: object) -> None:
    refused = offer(shop.url, document)
    assert refused.status_code == 400
    assert len(refused.json()["error"]) > 10


def test_a_sale_of_nothing_there_is_refused_in_a_sentence(shop: Program) -> None:
    refused = offer(shop.url, {"flash_sale": SALE | {"product_id": 99_999}})
    assert (refused.status_code, refused.json()) == (404, {"error": "there is no such product"})


def test_operators_who_offer_the_same_codes_at_once_wait_for_each_other(shop: Program) -> None:
    codes = [{"code": code, "amount_idr": 5, "uses": 1} for code in ("SERENTAK-1", "SERENTAK-2")]
    with ThreadPoolExecutor(8) as operators:
        answers = operators.map(lambda turn: offer(shop.url, {"coupons": codes[:: 1 if turn % 2 else -1]}), range(8))
        assert {answer.status_code for answer in answers} == {200}


def test_a_coupon_put_on_later_leaves_the_gift_card_on(shopper: Shopper) -> None:
    code, card = coupon(shopper.url), gift_card(shopper.url, 500)
    shopper.prepare(627)
    shopper.post("/checkout/voucher", {"gift_card": card})
    shopper.post("/checkout/voucher", {"coupon": code})
    form = shopper.get("/checkout/payment")
    assert (on_body(form, "gift-idr"), on_body(form, "discount-idr")) == ("500", "1000")


def test_offers_are_the_operators_alone(shop: Program) -> None:
    assert requests.post(f"{shop.url}/ops/offers", json={}, timeout=10).status_code == 401


def test_a_price_that_changed_is_not_charged_without_asking(shopper: Shopper) -> None:
    key = shopper.prepare(626)
    agreed = on_body(shopper.get("/checkout/payment"), "total-idr")
    now = int(agreed) + 500
    form: dict[str, object] = {"idempotency_key": key, "card_token": "tok_approved", "total_idr": now}
    refused = shopper.post("/checkout/payment", form)
    assert (refused.status_code, on_body(refused, "error")) == (409, "price_changed")
    order_id_of(shopper.post("/checkout/payment", form | {"total_idr": agreed}))
