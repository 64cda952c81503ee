"""Pages of one shopper's own: each is held against what the shopper knows, so that another's is noticed."""

import pytest

from scenarios import reference_personal as personal
from scenarios.answers import Answer, ContentMismatch
from scenarios.outcomes import Outcome
from scenarios.storefront import Cart
from tests.scenarios import shop_pages as shop
from tests.scenarios.shop_pages import answer

OWN = "pembeli@example.com"


def holds(**units: int):
    """Judges a cart: exactly these units, named p7 for product 7."""
    wanted = {int(name[1:]): count for name, count in units.items()}
    return lambda shown: dict(shown) == wanted


def counts(unit_count: int):
    return lambda shown: shown == unit_count


def payment_form(recipient: str | None = shop.RECIPIENT):
    return personal.read_payment_form(holds(p7=1), recipient)


def confirmation(order_id: int = 41, amount_idr: int = 150_000, **known):
    return personal.read_confirmation(order_id, amount_idr, **known)


def test_a_cart_holds_what_was_put_in():
    read = personal.read_cart(holds(p7=2, p8=1))(answer("cart", shop.cart({7: 2, 8: 1})))
    assert (read.cart, read.lines) == (Cart(unit_count=3, total_idr=450_000), ((7, 2), (8, 1)))


def test_the_payment_form_names_key_amount_and_what_is_paid_for():
    read = payment_form()(answer("payment", shop.payment(amount_idr=450_000)))
    assert (read.idempotency_key, read.amount_idr, read.lines) == (shop.KEY, 450_000, ((7, 1),))


def test_a_confirmation_is_of_the_order_its_amount_its_goods_and_its_address():
    read = confirmation(lines=((7, 1),), recipient=shop.RECIPIENT)
    assert read(answer("confirmation", shop.confirmation())).order_id == 41


def test_an_order_on_its_way_back_is_shown_as_that():
    read = confirmation(states=("returning", "returned"))
    assert read(answer("confirmation", shop.confirmation(state="returning"))).ok


def test_the_waiting_room_tells_when_to_look_again():
    read = personal.read_waiting_room(7)(answer("waiting_room", shop.waiting_room(), refresh="2"))
    assert (read.outcome, read.wait_s) == (Outcome.HELD_BACK, 2.0)
    read = personal.read_waiting_room(7)(
        answer("waiting_room", shop.waiting_room(), refresh="3; url=/waiting-room?product_id=7")
    )
    assert read.wait_s == 3.0


@pytest.mark.parametrize(("state", "outcome"), [("sold_out", Outcome.OUT_OF_STOCK), ("over", Outcome.SALE_OVER)])
def test_the_waiting_room_tells_when_waiting_is_no_use(state: str, outcome: Outcome):
    assert personal.read_waiting_room(7)(answer("waiting_room", shop.waiting_room(state))).outcome is outcome


def test_the_waiting_room_lets_in_by_leading_to_its_product():
    assert personal.read_waiting_room(7)(answer("waiting_room", "", 303, "/product/7")).ok


def test_the_order_history_lists_what_was_bought():
    assert personal.read_orders([41], all_known=True)(answer("orders", shop.orders(41))).ok
    assert personal.read_orders([41], all_known=False)(answer("orders", shop.orders(41, 12))).ok


def test_the_header_greets_who_is_logged_in():
    read = personal.read_fragment(counts(2), "Pembeli a1")
    assert read(answer("fragment", shop.fragment(2, "Pembeli a1"))) == 2
    assert personal.read_fragment(counts(0), personal.NOBODY)(answer("fragment", shop.fragment(0))) == 0


def test_a_header_of_which_nobody_is_sure_is_taken_as_it_is():
    read = personal.read_fragment(lambda _shown: True, None)
    assert read(answer("fragment", shop.fragment(3, "Pembeli a1"))) == 3


NO_KEY = shop.payment().replace("idempotency_key", "key")


@pytest.mark.parametrize(
    ("reader", "given", "sentence"),
    [
        (personal.read_cart(holds(p7=1)), answer("cart", shop.cart({8: 1})), "does not hold what was put in"),
        (personal.read_cart(holds(p7=1)), answer("cart", shop.cart({})), "does not hold what was put in"),
        (
            personal.read_cart(holds(p7=1)),
            answer("cart", shop.cart({7: 1}).replace('data-cart-count="1"', 'data-cart-count="2"')),
            "count is not that of its lines",
        ),
        (personal.read_address_form, answer("checkout", shop.page("checkout", 'data-cart-count="0"')), "empty cart"),
        (payment_form(), answer("payment", shop.payment(amount_idr=0)), "names no amount"),
        (payment_form(), answer("payment", NO_KEY), "no idempotency key"),
        (payment_form(), answer("payment", shop.payment(agreed_idr=9)), "agrees to another amount than it shows"),
        (payment_form(), answer("payment", shop.payment(gift_idr=150_001)), "pays more than the order costs"),
        (payment_form(), answer("payment", shop.payment(lines={8: 1})), "for something else than what was put in"),
        (payment_form("Pembeli 13"), answer("payment", shop.payment()), "goes to somebody else"),
        (confirmation(42), answer("confirmation", shop.confirmation(41)), "another order"),
        (confirmation(amount_idr=1), answer("confirmation", shop.confirmation()), "not what was to be paid"),
        (confirmation(), answer("confirmation", shop.confirmation(state="pending")), "not shown as paid"),
        (
            confirmation(states=("returning", "returned")),
            answer("confirmation", shop.confirmation()),
            "not shown as returning or returned",
        ),
        (confirmation(lines=((7, 2),)), answer("confirmation", shop.confirmation()), "does not hold what was paid for"),
        (confirmation(recipient="Pembeli 1"), answer("confirmation", shop.confirmation()), "goes to somebody else"),
        (
            personal.read_waiting_room(7),
            answer("waiting_room", shop.waiting_room()),
            "does not say when it will be shown again",
        ),
        (
            personal.read_waiting_room(7),
            answer("waiting_room", shop.waiting_room("later"), refresh="2"),
            "does not say how the sale stands",
        ),
        (personal.read_waiting_room(7), answer("waiting_room", "", 303, "/product/8"), "elsewhere than to its product"),
        (personal.read_account(OWN), answer("account", shop.page("account", 'data-logged-in="false"')), "nobody"),
        (personal.read_account(OWN), answer("account", shop.account("x@example.com")), "is somebody else's"),
        (personal.read_orders([], all_known=True), answer("orders", "", 303, "/login"), "asked for orders, got status"),
        (
            personal.read_orders([41], all_known=False),
            answer("orders", shop.orders(12)),
            "lacks an order that was paid",
        ),
        (personal.read_orders([41], all_known=True), answer("orders", shop.orders(41, 12)), "somebody else's order"),
        (
            personal.read_orders([], all_known=False),
            answer("orders", shop.orders(41).replace('order-count="1"', 'order-count="2"')),
            "count is not that of its lines",
        ),
        (personal.read_fragment(counts(2), None), answer("fragment", shop.fragment(1)), "badge does not count"),
        (personal.read_fragment(counts(0), None), answer("fragment", "<p>hello</p>"), "cart-count is no number"),
        (
            personal.read_fragment(counts(0), personal.NOBODY),
            answer("fragment", shop.fragment(0, "Pembeli a1")),
            "wrong about who is logged in",
        ),
        (personal.read_fragment(counts(0), "Pembeli a1"), answer("fragment", shop.fragment(0)), "wrong about who"),
        (
            personal.read_fragment(counts(0), "Pembeli a1"),
            answer("fragment", shop.fragment(0, "Pembeli b2")),
            "greets another",
        ),
    ],
)
def test_a_page_that_is_not_the_shoppers_own_is_refused(reader, given: Answer, sentence: str):
    with pytest.raises(ContentMismatch, match=sentence):
        reader(given)
