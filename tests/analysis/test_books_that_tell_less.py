"""Books of other shops, cut-off books, and how findings are told."""

import pytest

from tests.analysis.little_shop import LittleShop, broken, open_, passed, sentence, two_orders


@pytest.fixture
def shop() -> LittleShop:
    return two_orders()


def test_a_foreign_shops_orders_and_payments_are_all_that_is_checked(shop):
    books = [line for line in shop.books if line["type"] in ("order", "payment")]
    for line in books:
        for name in ("discount_idr", "gift_idr", "charge_idr", "lines"):
            line.pop(name, None)
    found = shop.audit(books, charges_known=None)
    assert passed(found) == {"acknowledged_orders", "one_charge_per_key", "order_totals", "own_orders"}
    assert {one.invariant for one in found.findings if one.outcome == "none"} == {
        *("paid_iff_order", "order_states", "no_oversell", "stock_balance"),
        *("coupons", "customer_limits", "reservations", "shown_stock"),
    }


def test_books_cut_off_leave_open_all_that_they_would_have_told(shop):
    found = shop.audit(lines=999)
    assert (found.outcome, broken(found), found.doubts) == (
        "unknown",
        {},
        ("2 orders were acknowledged, but truth.jsonl is cut off: whether they exist was not checked.",),
    )
    assert open_(found)["stock_balance"] == 2


def test_books_cut_off_are_a_doubt_even_when_nobody_ordered():
    shop = LittleShop()
    shop.move("deliver", 1, 5)
    assert shop.audit().outcome == "pass"
    assert shop.audit(lines=999).outcome == "unknown"


def test_a_shop_in_which_nothing_happened_has_nothing_to_audit():
    found = LittleShop().audit()
    assert (found.outcome, found.findings[0].outcome) == ("none", "none")


def test_examples_are_three_however_many_there_are(shop):
    for _ in range(5):
        shop.buy({1: 1}, ends="pending", told="ok")
    assert sentence(shop.audit(), "acknowledged_orders") == (
        "5 orders acknowledged to a shopper but not paid in the shop's books: "
        "order 503, order 504, order 505 and 2 more."
    )


def test_every_broken_invariant_is_told_in_a_sentence_of_its_own(shop):
    shop.stock[2]["on_hand"] -= 1
    shop.buy({1: 1}, ends="pending", told="ok")
    found = shop.audit()
    assert [one.split(" ")[1] for one in found.violations] == ["order", "product"]
    assert found.sentence == found.violations[0]


def test_the_summary_names_the_counts_of_what_was_checked_only(shop):
    shop.stock[2]["on_hand"] -= 1
    told = shop.audit().as_json()
    assert told["stock_balance"] == {"checked_count": 2, "violations_count": 2, "unresolved_count": 0}
    assert "coupons" not in told
    assert "findings" not in told
