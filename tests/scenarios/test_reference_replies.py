import pytest

from scenarios.answers import Answer, ContentMismatch
from scenarios.outcomes import Outcome
from scenarios.reference_replies import Sent, read_payment, read_sent
from tests.scenarios import shop_pages as shop
from tests.scenarios.shop_pages import answer


def test_a_form_is_taken_when_it_leads_where_it_should():
    assert read_sent("/cart")(answer("cart", "", 303, "/cart")) == Sent(Outcome.OK)


def test_the_redirect_of_a_payment_names_the_order():
    assert read_payment(answer("payment", "", 303, "/orders/41/confirmation")) == Sent(Outcome.OK, order_id=41)


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [("payment_declined", 402, Outcome.PAYMENT_DECLINED), ("out_of_stock", 409, Outcome.OUT_OF_STOCK)],
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
