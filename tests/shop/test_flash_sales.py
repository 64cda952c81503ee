"""A flash sale keeps what it promises: when it begins, how many units there are, how many for each, for how long."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.shop.operator import begin_sale, book, stock_of
from tests.shop.processes import Program, Workshop, wait_until
from tests.shop.shopper import ADDRESS, BAD_CARD, Shopper, fact, on_body, order_id_of


@pytest.fixture(scope="module")
def open_shop(workshop: Workshop, provider: Program) -> Program:
    """A worker without a waiting room."""
    return workshop.web(provider.url, protections=[])


@pytest.fixture
def buyer(open_shop: Program) -> Iterator[Shopper]:
    with Shopper(open_shop.url) as one:
        yield one


def test_before_it_begins_nobody_can_buy_and_the_page_says_when_it_does(buyer: Shopper) -> None:
    starts_at = time.time() + 300
    begin_sale(buyer.url, 601, 5, starts_at=starts_at, ends_at=starts_at + 60)
    page = buyer.get("/product/601")
    assert on_body(page, "sale-state") == "upcoming"
    assert float(on_body(page, "sale-starts-at")) == pytest.approx(starts_at, abs=0.001)
    assert 'action="/cart/items"' not in page.text
    assert page.headers["cache-control"] == "public, max-age=0, s-maxage=1"
    refused = buyer.add(601)
    assert (refused.status_code, on_body(refused, "error")) == (409, "sale_not_open")


def test_putting_into_the_cart_reserves_and_paying_sells(buyer: Shopper) -> None:
    begin_sale(buyer.url, 602, 5, limit_per_customer=3, price_idr=5000)
    assert on_body(buyer.get("/product/602"), "sale-state") == "open"
    key = buyer.prepare(602, 2)
    assert stock_of(buyer.url, 602) == (3, 2, 0, 0)
    order_id = order_id_of(buyer.pay(key))
    assert stock_of(buyer.url, 602) == (3, 0, 2, 0)
    assert book(buyer.url, "order", order_id=order_id)["total_idr"] == 10_000
    assert book(buyer.url, "sale", product_id=602)["sold_count"] == 2


def test_who_comes_too_late_is_told_that_it_is_sold_out(buyer: Shopper) -> None:
    begin_sale(buyer.url, 603, 1)
    assert buyer.add(603).status_code == 303
    with Shopper(buyer.url) as late:
        refused = late.add(603)
        assert (refused.status_code, on_body(refused, "error")) == (409, "out_of_stock")
        assert on_body(late.get("/product/603"), "sale-state") == "sold_out"


def test_nobody_gets_more_than_the_limit_however_often_they_ask(buyer: Shopper) -> None:
    begin_sale(buyer.url, 604, 9, limit_per_customer=2)
    assert buyer.add(604, 2).status_code == 303
    again = buyer.add(604)
    assert (again.status_code, on_body(again, "error")) == (409, "sale_limit")
    order_id_of(buyer.pay(_key(buyer)))
    assert on_body(buyer.add(604), "error") == "sale_limit"
    assert stock_of(buyer.url, 604) == (7, 0, 2, 0)


def test_an_account_has_one_limit_in_all_its_browsers(open_shop: Program) -> None:
    begin_sale(open_shop.url, 605, 9)
    with Shopper(open_shop.url) as at_home, Shopper(open_shop.url) as on_the_road:
        email = at_home.register()
        on_the_road.post("/login", {"email": email, "password": "rahasia-sekali"})
        assert at_home.add(605).status_code == 303
        assert on_body(on_the_road.add(605), "error") == "sale_limit"


def test_clicking_at_the_same_time_does_not_get_round_the_limit(buyer: Shopper) -> None:
    begin_sale(buyer.url, 606, 50)
    assert buyer.add(607).status_code == 303  # a cart is there
    with ThreadPoolExecutor(8) as clicks:
        statuses = sorted(answer.status_code for answer in clicks.map(lambda _: buyer.add(606), range(8)))
    assert statuses == [303] + [409] * 7


def test_what_is_not_paid_in_time_goes_back_to_the_shelf_and_out_of_the_cart(buyer: Shopper) -> None:
    begin_sale(buyer.url, 608, 2, reservation_s=1)
    key = buyer.prepare(608)
    assert stock_of(buyer.url, 608) == (1, 1, 0, 0)
    wait_until(lambda: stock_of(buyer.url, 608) == (2, 0, 0, 0), "the return of the reservation")
    refused = buyer.pay(key)
    assert on_body(refused, "error") in {"reservation_expired", "checkout_expired"}
    assert on_body(buyer.get("/cart"), "cart-count") == "0"


def test_a_declined_card_keeps_the_reservation_for_another_card(buyer: Shopper) -> None:
    begin_sale(buyer.url, 609, 3)
    assert buyer.pay(buyer.prepare(609), BAD_CARD).status_code == 402
    assert stock_of(buyer.url, 609) == (2, 1, 0, 0)
    order_id_of(buyer.pay(buyer.key()))
    assert stock_of(buyer.url, 609) == (2, 0, 1, 0)


def test_taking_it_out_of_the_cart_frees_it_at_once(buyer: Shopper) -> None:
    begin_sale(buyer.url, 610, 3)
    buyer.add(610)
    assert buyer.post("/cart/lines", {"product_id": 610, "quantity": 0}).status_code == 303
    assert stock_of(buyer.url, 610) == (3, 0, 0, 0)
    assert buyer.add(610).status_code == 303  # and it no longer counts towards the limit


def test_more_cannot_be_had_by_changing_the_cart(buyer: Shopper) -> None:
    begin_sale(buyer.url, 611, 3)
    buyer.add(611)
    assert buyer.post("/cart/lines", {"product_id": 611, "quantity": 3}).status_code == 400
    assert stock_of(buyer.url, 611) == (2, 1, 0, 0)


def test_what_was_in_the_cart_before_the_sale_is_not_sold_past_it(buyer: Shopper) -> None:
    key = buyer.prepare(612, 2)
    begin_sale(buyer.url, 612, 5)
    assert on_body(buyer.pay(key), "error") == "reservation_expired"
    assert stock_of(buyer.url, 612)[1:] == (0, 0, 0)


def test_after_its_end_the_product_is_an_ordinary_one(buyer: Shopper) -> None:
    begin_sale(buyer.url, 613, 5, ends_at=time.time() + 1)
    wait_until(lambda: "data-sale-state" not in buyer.get("/product/613").text, "the end of the sale")
    order_id_of(buyer.pay(buyer.prepare(613, 3)))
    assert stock_of(buyer.url, 613) == (2, 0, 3, 0)


@pytest.mark.parametrize("card", ["tok_approved", BAD_CARD])
def test_what_is_held_when_the_sale_ends_can_only_be_paid_or_taken_out_whole(buyer: Shopper, card: str) -> None:
    product_id = 617 if card == BAD_CARD else 618
    begin_sale(buyer.url, product_id, 4, limit_per_customer=2, ends_at=time.time() + 2)
    buyer.add(product_id, 2)
    wait_until(lambda: "data-sale-state" not in buyer.get(f"/product/{product_id}").text, "the end of the sale")
    assert buyer.post("/cart/lines", {"product_id": product_id, "quantity": 1}).status_code == 400
    paid = buyer.pay(_key(buyer), card)
    assert stock_of(buyer.url, product_id) == ((2, 0, 2, 0) if paid.status_code == 303 else (2, 2, 0, 0))


def test_what_is_taken_out_after_the_end_goes_along_with_no_other_order(buyer: Shopper) -> None:
    begin_sale(buyer.url, 619, 3, ends_at=time.time() + 2)
    buyer.add(619)
    wait_until(lambda: "data-sale-state" not in buyer.get("/product/619").text, "the end of the sale")
    assert buyer.post("/cart/lines", {"product_id": 619, "quantity": 0}).status_code == 303
    order_id_of(buyer.pay(buyer.prepare(650)))
    assert stock_of(buyer.url, 619) == (3, 0, 0, 0)


def test_units_of_an_earlier_sale_that_come_back_are_none_of_the_next(buyer: Shopper) -> None:
    begin_sale(buyer.url, 651, 4, limit_per_customer=2, reservation_s=2)
    buyer.add(651, 2)
    sale_id = begin_sale(buyer.url, 651, 2)
    wait_until(lambda: stock_of(buyer.url, 651)[:2] == (4, 0), "the return of the first sale's units")
    answers = []
    for _ in range(3):
        with Shopper(buyer.url) as one:
            answers.append(one.add(651).status_code)
    assert answers == [303, 303, 409]
    assert book(buyer.url, "sale", sale_id=sale_id)["sold_count"] == 0


def test_a_guest_in_several_carts_who_pays_from_one_account_is_one_customer(open_shop: Program) -> None:
    begin_sale(open_shop.url, 652, 9)
    with Shopper(open_shop.url) as first, Shopper(open_shop.url) as second:
        keys = [guest.prepare(652) for guest in (first, second)]
        email = first.register()
        second.post("/login", {"email": email, "password": "rahasia-sekali"})
        order_id_of(first.pay(keys[0]))
        refused = second.pay(keys[1])
        assert (refused.status_code, on_body(refused, "error")) == (409, "sale_limit")
    assert stock_of(open_shop.url, 652) == (7, 1, 1, 0)


def test_the_waiting_room_lets_shoppers_in_by_number(shop: Program) -> None:
    begin_sale(shop.url, 614, 500, starts_at=time.time() - 0.2)
    with Shopper(shop.url) as buyer:
        held_back = buyer.add(614)
        assert (held_back.status_code, held_back.headers["location"]) == (303, "/waiting-room?product_id=614")
        admitted = buyer.get("/waiting-room?product_id=614")
        assert (admitted.status_code, admitted.headers["location"]) == (303, "/product/614")
        assert buyer.add(614).status_code == 303
        assert stock_of(shop.url, 614) == (499, 1, 0, 0)


def test_whose_turn_it_is_not_waits_with_a_number(shop: Program) -> None:
    begin_sale(shop.url, 615, 500, starts_at=time.time() + 2)
    tickets = [_ticket(shop.url, 615) for _ in range(102)]
    positions = [int(on_body(page, "position")) for page in tickets if page.status_code == 200]
    assert positions == [1, 2]
    assert tickets[-1].headers["refresh"] == "2"
    assert tickets[0].headers["location"] == "/product/615"
    assert "mulai" in tickets[-1].text


@pytest.mark.parametrize("cookie", ["", "1", "1.1", "1.1.", "x.y.z", "1.1." + "0" * 32, "." * 90])
def test_a_forged_ticket_is_none(shop: Program, cookie: str) -> None:
    begin_sale(shop.url, 616, 500)
    with Shopper(shop.url) as forger:
        forger.session.cookies.set("lonjak_ticket", cookie)
        answer = forger.add(616)
        assert answer.headers["location"] == "/waiting-room?product_id=616"


def _ticket(url: str, product_id: int) -> requests.Response:
    with Shopper(url) as one:
        return one.get(f"/waiting-room?product_id={product_id}")


def _key(buyer: Shopper) -> str:
    assert buyer.post("/checkout", dict(ADDRESS)).status_code == 303
    return fact(buyer.get("/checkout/payment"), r'name="idempotency_key" value="([^"]+)"')
