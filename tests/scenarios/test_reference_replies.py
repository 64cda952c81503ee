import pytest

from scenarios.answers import Answer, ContentMismatch
from scenarios.outcomes import Outcome
from scenarios.reference_replies import Sent, finds_nothing_to_buy, overload_in, read_payment, read_put, read_sent
from tests.scenarios import shop_pages as shop
from tests.scenarios.shop_pages import answer


def test_a_form_is_taken_when_it_leads_where_it_should():
    assert read_sent("/cart")(answer("cart", "", 303, "/cart")) == Sent(Outcome.OK)


def test_the_redirect_of_a_payment_names_the_order():
    assert read_payment(answer("payment", "", 303, "/orders/41/confirmation")) == Sent(Outcome.OK, order_id=41)


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        ("payment_declined", 402, Outcome.PAYMENT_DECLINED),
        ("out_of_stock", 409, Outcome.OUT_OF_STOCK),
        ("price_changed", 409, Outcome.PRICE_CHANGED),
        ("voucher_refused", 409, Outcome.VOUCHER_REFUSED),
        ("voucher_refused", 400, Outcome.VOUCHER_REFUSED),
        ("sale_not_open", 409, Outcome.SALE_NOT_OPEN),
        ("sale_limit", 409, Outcome.SALE_LIMIT),
        ("reservation_expired", 409, Outcome.RESERVATION_EXPIRED),
        ("not_returnable", 409, Outcome.NOT_RETURNABLE),
    ],
)
def test_a_refusal_that_a_shopper_understands_is_an_outcome(code: str, status: int, outcome: Outcome):
    assert read_payment(answer("payment", shop.error("payment", code, status), status)) == Sent(outcome)


@pytest.mark.parametrize(
    "given",
    [
        answer("cart", "", 303, "/login"),
        answer("cart", shop.cart({})),
        answer("cart", shop.error("cart", "invalid_input", 400), 400),
        answer("login", shop.error("login", "email_taken", 409), 409),
        answer("cart", "", 409),
    ],
)
def test_any_other_answer_to_a_form_is_refused(given: Answer):
    with pytest.raises(ContentMismatch):
        read_sent("/cart")(given)


def test_a_payment_that_leads_elsewhere_is_no_acknowledgement():
    with pytest.raises(ContentMismatch, match="elsewhere than to a confirmation"):
        read_payment(answer("payment", "", 303, "/checkout"))


def test_a_product_of_a_sale_may_lead_to_its_waiting_room():
    given = answer("cart", "", 303, "/waiting-room?product_id=7")
    assert read_put(7)(given) == Sent(Outcome.HELD_BACK)
    with pytest.raises(ContentMismatch, match="elsewhere than to /cart"):
        read_put(8)(given)
    assert read_put(7)(answer("cart", "", 303, "/cart")) == Sent(Outcome.OK)


@pytest.mark.parametrize(
    ("status", "error", "overload"),
    [
        (503, "overloaded", "overloaded"),
        (503, "payments_unavailable", "payments_unavailable"),
        (503, "unavailable", ""),
        (500, "overloaded", ""),
        (200, "overloaded", ""),
    ],
)
def test_only_a_shop_that_says_so_has_done_nothing(status: int, error: str, overload: str):
    assert overload_in(status, shop.error("cart", error, status)) == overload


@pytest.mark.parametrize(
    ("given", "nothing"),
    [
        (answer("checkout", "", 303, "/cart"), True),
        (answer("payment", "", 303, "/checkout"), True),
        (answer("payment", "", 303, "/orders/41/confirmation"), False),
        (answer("payment", shop.error("payment", "checkout_expired", 400), 400), True),
        (answer("payment", shop.error("payment", "invalid_input", 400), 400), False),
        (answer("checkout", shop.address_form()), False),
    ],
)
def test_a_checkout_says_when_the_cart_is_empty(given: Answer, nothing: bool):
    assert finds_nothing_to_buy(given) is nothing
