"""A paid order can be sent back, once, by its owner; money, gift card and goods return."""

import requests

from tests.shop.operator import book, offer, stock_of
from tests.shop.shopper import BAD_CARD, Shopper, on_body, order_id_of


def send_back(shopper: Shopper, order_id: int) -> requests.Response:
    return shopper.post(f"/orders/{order_id}/return", {})


def state(shopper: Shopper, order_id: int) -> str:
    return on_body(shopper.get(f"/orders/{order_id}/confirmation"), "order-state")


def test_goods_and_money_come_back(shopper: Shopper) -> None:
    offer(shopper.url, {"gift_cards": [{"code": "KADO-KEMBALI", "balance_idr": 900}]})
    shopper.prepare(630, 3)
    shopper.post("/checkout/voucher", {"coupon": "", "gift_card": "KADO-KEMBALI"})
    order_id = order_id_of(shopper.pay(shopper.key()))
    on_hand = stock_of(shopper.url, 630)[0]
    assert send_back(shopper, order_id).status_code == 303
    assert state(shopper, order_id) == "returned"
    assert stock_of(shopper.url, 630) == (on_hand + 3, 0, 3, 3)
    order = book(shopper.url, "order", order_id=order_id)
    assert book(shopper.url, "payment", order_id=order_id)["state"] == "refunded"
    assert book(shopper.url, "charge", order_id=order_id)["state"] == "refunded"
    assert book(shopper.url, "gift_card", gift_card_id=order["gift_card_id"])["balance_idr"] == 900


def test_twice_is_once(shopper: Shopper) -> None:
    order_id = order_id_of(shopper.pay(shopper.prepare(631)))
    on_hand = stock_of(shopper.url, 631)[0]
    assert [send_back(shopper, order_id).status_code for _ in range(2)] == [303, 303]
    assert stock_of(shopper.url, 631)[0] == on_hand + 1


def test_what_was_never_paid_cannot_be_sent_back(shopper: Shopper) -> None:
    key = shopper.prepare(632)
    shopper.pay(key, BAD_CARD)
    order_id = book(shopper.url, "order", idempotency_key=key)["order_id"]
    refused = send_back(shopper, int(str(order_id)))
    assert (refused.status_code, on_body(refused, "error")) == (409, "not_returnable")


def test_nobody_elses(shopper: Shopper) -> None:
    order_id = order_id_of(shopper.pay(shopper.prepare(633)))
    with Shopper(shopper.url) as thief:
        assert send_back(thief, order_id).status_code == 404
        assert send_back(thief, 10**17).status_code == 404
    assert state(shopper, order_id) == "paid"
