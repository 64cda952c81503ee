"""The rules of selling, each as a shopper would notice it."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import requests

from tests.shop.database import ask, on_hand, put_on_shelf
from tests.shop.processes import Postgres, Program, Workshop, wait_until
from tests.shop.shopper import ADDRESS, BAD_CARD, Shopper, fact, on_body, order_id_of, truths

_UNITS = ("initial", "on_hand", "reserved", "sold", "returned")


def test_a_guest_buys_without_an_account(shop: Program, shopper: Shopper, postgres: Postgres) -> None:
    put_on_shelf(postgres.url, 101, 5)
    key = shopper.prepare(101, 2)
    order_id = order_id_of(shopper.pay(key))
    confirmation = shopper.get(f"/orders/{order_id}/confirmation")
    total = int(on_body(confirmation, "total-idr"))
    assert on_body(confirmation, "order-id") == str(order_id)
    assert on_body(confirmation, "order-state") == "paid"
    assert on_body(shopper.get("/cart"), "cart-count") == "0"
    assert on_hand(postgres.url, 101) == 3
    (order,) = truths(shop.url, "order", idempotency_key=key)
    assert order["total_idr"] == total
    assert order["lines"] == [{"product_id": 101, "quantity": 2, "price_idr": total // 2}]


def test_ten_units_are_sold_to_ten_of_fifty_buyers(shop: Program, postgres: Postgres) -> None:
    put_on_shelf(postgres.url, 102, 10)

    with ThreadPoolExecutor(15) as crowd:  # below what the checkout bulkhead takes at once
        answers = list(crowd.map(lambda number: _buy_or_miss(shop.url, 102), range(50)))
    sold = [answer for answer in answers if answer.status_code == 303]
    lost = [answer for answer in answers if answer.status_code == 409]
    assert (len(sold), len(lost)) == (10, 40)
    assert {on_body(answer, "product-id") for answer in lost} == {"102"}
    assert on_hand(postgres.url, 102) == 0
    paid = [order for order in truths(shop.url, "order", state="paid") if _holds(order, 102)]
    assert {order["order_id"] for order in paid} == {order_id_of(answer) for answer in sold}


def _buy_or_miss(url: str, product_id: int) -> requests.Response:
    """Buy, or return the refusal at the cart."""
    with Shopper(url) as buyer:
        added = buyer.add(product_id)
        if added.status_code != 303:
            return added
        buyer.post("/checkout", dict(ADDRESS))
        return buyer.pay(buyer.key())


def _holds(order: dict[str, object], product_id: int) -> bool:
    lines = order["lines"]
    assert isinstance(lines, list)
    return any(line["product_id"] == product_id for line in lines)


def test_baskets_that_overlap_in_opposite_order_do_not_block_each_other(shop: Program, postgres: Postgres) -> None:
    for product_id in (103, 104):
        put_on_shelf(postgres.url, product_id, 100)

    def buy_both(number: int) -> int:
        with Shopper(shop.url) as buyer:
            for product_id in (103, 104) if number % 2 else (104, 103):
                buyer.add(product_id)
            buyer.post("/checkout", dict(ADDRESS))
            return buyer.pay(buyer.key()).status_code

    with ThreadPoolExecutor(20) as crowd:
        assert set(crowd.map(buy_both, range(40))) == {303}
    assert (on_hand(postgres.url, 103), on_hand(postgres.url, 104)) == (60, 60)


def test_a_replayed_payment_charges_once_and_gets_the_same_answer(
    shop: Program, shopper: Shopper, postgres: Postgres
) -> None:
    put_on_shelf(postgres.url, 105, 9)
    key = shopper.prepare(105)
    with ThreadPoolExecutor(8) as clicks:
        answers = list(clicks.map(lambda _: shopper.pay(key), range(8)))
    answers.append(shopper.pay(key))
    assert len({order_id_of(answer) for answer in answers}) == 1
    assert len(truths(shop.url, "order", idempotency_key=key)) == 1
    assert len(truths(shop.url, "payment", idempotency_key=key)) == 1
    assert on_hand(postgres.url, 105) == 8


def test_a_declined_card_returns_the_stock_and_keeps_the_cart(
    shop: Program, shopper: Shopper, postgres: Postgres
) -> None:
    put_on_shelf(postgres.url, 106, 4)
    key = shopper.prepare(106, 3)
    refusal = shopper.pay(key, BAD_CARD)
    assert (refusal.status_code, on_body(refusal, "error")) == (402, "payment_declined")
    assert shopper.pay(key, BAD_CARD).status_code == 402
    assert on_hand(postgres.url, 106) == 4
    assert on_body(shopper.get("/cart"), "cart-count") == "3"
    assert [order["state"] for order in truths(shop.url, "order", idempotency_key=key)] == ["cancelled"]
    assert [payment["state"] for payment in truths(shop.url, "payment", idempotency_key=key)] == ["declined"]


def test_after_a_decline_another_card_buys(shopper: Shopper, postgres: Postgres) -> None:
    put_on_shelf(postgres.url, 107, 4)
    key = shopper.prepare(107)
    shopper.pay(key, BAD_CARD)
    fresh = shopper.key()
    assert fresh != key
    order_id_of(shopper.pay(fresh))
    assert on_hand(postgres.url, 107) == 3


def test_a_key_that_paid_with_one_card_is_refused_with_another(shopper: Shopper, postgres: Postgres) -> None:
    put_on_shelf(postgres.url, 108, 4)
    key = shopper.prepare(108)
    order_id_of(shopper.pay(key))
    again = shopper.pay(key, "tok_another_card")
    assert (again.status_code, on_body(again, "error")) == (400, "checkout_expired")


def test_stock_that_went_meanwhile_is_named_and_nothing_is_placed(
    shop: Program, shopper: Shopper, postgres: Postgres
) -> None:
    put_on_shelf(postgres.url, 109, 2)
    key = shopper.prepare(109, 2)
    put_on_shelf(postgres.url, 109, 1)
    refusal = shopper.pay(key)
    assert (refusal.status_code, on_body(refusal, "error")) == (409, "out_of_stock")
    assert on_body(refusal, "product-id") == "109"
    assert truths(shop.url, "order", idempotency_key=key) == []
    assert on_hand(postgres.url, 109) == 1


def test_what_was_put_into_the_cart_while_paying_stays_there(workshop: Workshop, postgres: Postgres) -> None:
    slow = workshop.payment(latency_ms=1000, journal="slow")
    worker = workshop.web(slow.url)
    put_on_shelf(postgres.url, 110, 9)
    put_on_shelf(postgres.url, 111, 9)
    with Shopper(worker.url) as shopper, ThreadPoolExecutor(1) as paying:
        key = shopper.prepare(110, 2)
        payment = paying.submit(shopper.pay, key)
        wait_until(lambda: truths(worker.url, "order", idempotency_key=key), "placing the order")
        shopper.add(110, 1)
        shopper.add(111, 1)
        order_id_of(payment.result())
        assert on_body(shopper.get("/cart"), "cart-count") == "2"


@pytest.mark.parametrize("how", ["no cookie", "another shopper", "another account"])
def test_only_its_owner_sees_an_order(shop: Program, shopper: Shopper, postgres: Postgres, how: str) -> None:
    put_on_shelf(postgres.url, 112, 9)
    shopper.register()
    order_id = order_id_of(shopper.pay(shopper.prepare(112)))
    with Shopper(shop.url) as other:
        if how == "another shopper":
            other.add(113)
        if how == "another account":
            other.register()
        foreign = other.get(f"/orders/{order_id}/confirmation")
        assert foreign.status_code == 404
        assert foreign.text.count(ADDRESS["street"]) == 0
        assert f'data-order-id="{order_id}"' not in other.get("/orders").text


def test_an_account_keeps_its_history_when_the_cart_cookie_is_lost(
    shop: Program, shopper: Shopper, postgres: Postgres
) -> None:
    put_on_shelf(postgres.url, 114, 9)
    email = shopper.register()
    order_id = order_id_of(shopper.pay(shopper.prepare(114)))
    with Shopper(shop.url) as elsewhere:
        assert elsewhere.post("/login", {"email": email, "password": "rahasia-sekali"}).status_code == 303
        assert f'data-order-id="{order_id}"' in elsewhere.get("/orders").text
        assert elsewhere.get(f"/orders/{order_id}/confirmation").status_code == 200


def test_a_key_that_the_shop_did_not_make_buys_nothing(shop: Program, shopper: Shopper) -> None:
    shopper.prepare(115)
    forged = str(uuid4())
    assert on_body(shopper.pay(forged), "error") == "checkout_expired"
    with Shopper(shop.url) as thief:
        thief.prepare(116)
        assert thief.pay(shopper.key()).status_code == 400
    assert truths(shop.url, "order", idempotency_key=forged) == []


def test_another_shoppers_paid_key_acknowledges_nothing(shop: Program, shopper: Shopper) -> None:
    key = shopper.prepare(117)
    order_id_of(shopper.pay(key))
    with Shopper(shop.url) as thief:
        thief.prepare(118)
        assert thief.pay(key).status_code == 400


def test_the_cart_changes_and_forgets_lines(shopper: Shopper) -> None:
    shopper.add(120, 2)
    shopper.add(121, 1)
    shopper.add(120, 3)
    assert on_body(shopper.get("/cart"), "cart-count") == "6"
    shopper.post("/cart/lines", {"product_id": 120, "quantity": 1})
    shopper.post("/cart/lines", {"product_id": 121, "quantity": 0})
    cart = shopper.get("/cart")
    price = int(fact(cart, r'data-product-id="120" data-quantity="1" data-price-idr="(\d+)"'))
    assert (on_body(cart, "cart-count"), on_body(cart, "cart-total-idr")) == ("1", str(price))


def test_the_same_lines_cost_the_same_everywhere(shop: Program, shopper: Shopper, postgres: Postgres) -> None:
    put_on_shelf(postgres.url, 122, 9)
    key = shopper.prepare(122, 3)
    shown = int(on_body(shopper.get("/cart"), "cart-total-idr"))
    asked = int(on_body(shopper.get("/checkout/payment"), "total-idr"))
    order_id_of(shopper.pay(key))
    (payment,) = truths(shop.url, "payment", idempotency_key=key)
    assert shown == asked == payment["amount_idr"]


def test_stock_adds_up_after_everything(shop: Program) -> None:
    for stock in truths(shop.url, "stock"):
        initial, left, reserved, sold, returned = (stock[name] for name in _UNITS)
        assert left + reserved + sold - returned == initial, stock


def test_no_connection_is_held_while_the_provider_thinks(workshop: Workshop, postgres: Postgres) -> None:
    slow = workshop.payment(latency_ms=1500, journal="thinking")
    worker = workshop.web(slow.url)
    put_on_shelf(postgres.url, 123, 99)
    with ThreadPoolExecutor(30) as crowd:
        payments = [crowd.submit(_buy_or_miss, worker.url, 123) for _ in range(18)]
        while not any(payment.done() for payment in payments):
            waiting = ask(
                postgres.url,
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'lonjak%' AND state LIKE 'idle in%'",
            )
            assert waiting <= 10
            with Shopper(worker.url) as visitor:
                assert visitor.get("/product/123").elapsed.total_seconds() < 1.4
        assert {payment.result().status_code for payment in payments} == {303}
