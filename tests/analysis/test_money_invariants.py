"""Charges, totals, coupons and gift cards: hand-made histories."""

from dataclasses import replace

import pytest

from loadgen.records import LedgerLine
from tests.analysis.little_shop import SINCE, LittleShop, broken, open_, passed, sentence, two_orders


@pytest.fixture
def shop() -> LittleShop:
    return two_orders()


# one_charge_per_key


def test_a_retry_under_the_same_key_is_one_order_and_one_charge(shop):
    shop.buy({2: 1}, told="retried")
    assert [line.outcome for line in shop.ledger[-2:]] == ["unknown", "ok"]
    assert (shop.audit().outcome, shop.audit().unknown_count) == ("pass", 0)


def test_a_second_charge_counts_even_when_it_was_given_back(shop):
    books = shop.books
    books.append({"type": "charge", **shop.charges[502], "state": "refunded"})
    found = shop.audit(books)
    assert broken(found)["one_charge_per_key"] == 1
    assert sentence(found, "one_charge_per_key") == "1 order charged more than once: order 502."


def test_without_the_providers_books_the_shops_own_payments_are_counted(shop):
    books = [line for line in shop.books if line["type"] != "charge"]
    books.append({"type": "payment", **shop.payments[502]})
    assert broken(shop.audit(books, charges_known=False)) == {"one_charge_per_key": 1}


def test_declined_charges_under_one_key_are_no_second_charge(shop):
    shop.buy({2: 1}, ends="cancelled")
    books = shop.books
    books.append({"type": "charge", **shop.charges[503]})
    assert shop.audit(books).outcome == "pass"


# paid_iff_order


def test_a_declined_order_owes_nothing(shop):
    shop.buy({2: 1}, ends="cancelled")
    assert shop.audit().outcome == "pass"


def test_a_gift_card_that_covers_all_needs_no_charge(shop):
    card = shop.offer_gift_card(9_000)
    shop.buy({2: 1}, gift_card=card)
    assert 503 not in shop.charges
    assert passed(shop.audit()) >= {"paid_iff_order", "order_totals", "coupons"}


def test_a_charge_of_an_order_that_a_gift_card_covers_is_one_too_many(shop):
    card = shop.offer_gift_card(9_000)
    shop.buy({2: 1}, gift_card=card)
    books = shop.books
    books.append({"type": "charge", **shop.charges[502], "order_id": 503, "idempotency_key": "k503"})
    assert broken(shop.audit(books)) == {"paid_iff_order": 1}


def test_a_captured_charge_of_a_pending_order_is_open(shop):
    shop.buy({1: 1}, ends="charged", told="unknown")
    found = shop.audit()
    assert (found.outcome, open_(found)) == ("unknown", {"paid_iff_order": 1})
    assert found.doubts == ("1 charge captured for an order that is still pending: order 503.",)


def test_a_charge_after_the_snapshot_needs_no_order_yet(shop):
    charge = {"type": "charge", **shop.charges[502], "order_id": 503, "idempotency_key": "k503"}
    assert shop.audit([*shop.books, {**charge, "at": shop.now + 10.01}]).outcome == "pass"


def test_a_charge_just_before_the_snapshot_and_without_an_order_is_open(shop):
    charge = {"type": "charge", **shop.charges[502], "order_id": 503, "idempotency_key": "k503"}
    assert open_(shop.audit([*shop.books, {**charge, "at": shop.now + 9.9}])) == {"paid_iff_order": 1}
    assert broken(shop.audit([*shop.books, {**charge, "at": shop.now + 4.9}])) == {"paid_iff_order": 1}


def test_a_charge_after_the_snapshot_explains_an_order_that_was_paid_in_it(shop):
    shop.charges[502]["at"] = shop.now + 10.01
    assert shop.audit().outcome == "pass"


@pytest.mark.parametrize(
    ("number", "after_s", "key", "accused"),
    [
        (77, 60, "k77", False),  # a number below all others: an order from before
        (999, 2, "k999", False),  # in the first seconds nobody can tell
        (999, 6, "k999", True),
        (999, 2, "mine", True),  # but a shopper of this run used the key
        (None, 60, "k999", True),
    ],
)
def test_only_charges_of_orders_from_before_are_left_out(shop, number, after_s, key, accused):
    shop.now += 100
    shop.ledger.append(LedgerLine(SINCE + 1, "place_order", "unknown", 9, "mine"))
    charge = {"idempotency_key": key, "order_id": number, "amount_idr": 5, "state": "captured", "at": SINCE + after_s}
    assert bool(broken(shop.audit([*shop.books, {"type": "charge", **charge}]))) == accused


def test_a_voided_key_is_no_charge(shop):
    line = {"type": "charge", "idempotency_key": "k1", "order_id": 0, "amount_idr": 0, "state": "voided"}
    assert shop.audit([*shop.books, {**line, "at": SINCE + 60}]).outcome == "pass"


def test_money_given_back_for_an_order_that_stands_is_wrong(shop):
    shop.charges[502]["state"] = "refunded"
    assert broken(shop.audit()) == {"paid_iff_order": 1}


def test_money_given_back_about_the_time_of_the_snapshot_is_open_or_later(shop):
    shop.charges[502] |= {"state": "refunded", "at": shop.now + 8}
    assert open_(shop.audit()) == {"paid_iff_order": 1}
    shop.charges[502]["at"] = shop.now + 11
    assert shop.audit().outcome == "pass"


def test_a_returning_order_may_have_its_money_or_not(shop):
    shop.send_back(501, until="returning")
    shop.send_back(502, until="given back")
    assert shop.audit().outcome == "pass"


def test_a_returned_order_whose_payment_still_counts_as_income_is_wrong(shop):
    shop.send_back(502)
    shop.payments[502]["state"] = "captured"
    assert broken(shop.audit()) == {"paid_iff_order": 1}


def test_a_provider_that_did_not_answer_leaves_paid_orders_open(shop):
    books = [line for line in shop.books if line["type"] != "charge"]
    found = shop.audit(books, charges_known=False)
    assert (found.outcome, open_(found)) == ("unknown", {"one_charge_per_key": 2, "paid_iff_order": 2})


def test_a_provider_that_charged_nobody_accuses_every_paid_order(shop):
    books = [line for line in shop.books if line["type"] != "charge"]
    assert broken(shop.audit(books, charges_known=True))["paid_iff_order"] == 2


# order_totals


def test_a_coupon_and_a_gift_card_leave_the_rest_to_the_card(shop):
    shop.buy({1: 9}, coupon=shop.offer_coupon("HEMAT", allowed=1, amount_idr=700), gift_card=shop.offer_gift_card(300))
    order = shop.orders[503]
    assert (order["total_idr"], order["gift_idr"], order["charge_idr"]) == (8300, 300, 8000)
    assert shop.audit().outcome == "pass"


@pytest.mark.parametrize(
    ("field", "by"), [("total_idr", 1), ("discount_idr", 1), ("discount_idr", -1), ("gift_idr", -1)]
)
def test_parts_of_an_order_that_do_not_add_up_are_wrong(shop, field, by):
    shop.orders[502][field] += by
    assert broken(shop.audit()).keys() == {"order_totals"}


def test_a_gift_card_that_pays_more_than_the_total_is_wrong(shop):
    shop.orders[502] |= {"gift_idr": 1100, "charge_idr": -100}
    assert "order_totals" in broken(shop.audit())


def test_an_amount_that_the_shopper_did_not_agree_to_is_wrong(shop):
    shop.ledger[0] = replace(shop.ledger[0], amount_idr=1)
    found = shop.audit()
    assert (broken(found), found.amount_mismatch_count) == ({"order_totals": 1}, 1)
    assert found.violations == (
        "1 order with an amount that differs between shopper, shop and payment provider: order 501.",
    )


def test_a_refused_attempt_agreed_to_nothing(shop):
    shop.refuse({1: 1})
    assert shop.audit().outcome == "pass"


def test_a_shop_that_names_no_discount_may_add_to_its_totals(shop):
    books = shop.books
    for line in books:
        for name in ("discount_idr", "gift_idr", "charge_idr") if line["type"] == "order" else ():
            del line[name]
        if line["type"] == "order":
            line["lines"] = [{"sku": "shirt"}]
    found = shop.audit(books)
    assert (found.outcome, "order_totals" in passed(found)) == ("pass", True)


# coupons


def test_a_coupon_used_to_its_end_and_given_back_by_a_cancelled_order_is_right(shop):
    coupon = shop.offer_coupon("HEMAT", allowed=1, amount_idr=700)
    shop.buy({1: 1}, coupon=coupon, ends="cancelled")
    shop.buy({1: 1}, coupon=coupon)
    assert "coupons" in passed(shop.audit())


def test_a_coupon_used_by_two_at_once_is_wrong(shop):
    coupon = shop.offer_coupon("HEMAT", allowed=1, amount_idr=700)
    shop.buy({1: 1}, coupon=coupon)
    shop.buy({1: 1}, coupon=coupon)
    found = shop.audit()
    assert found.violations == ("1 voucher used more often than allowed: coupon HEMAT.",)


def test_a_gift_card_of_a_returned_order_has_its_money_back(shop):
    card = shop.offer_gift_card(300)
    shop.send_back(shop.buy({1: 1}, gift_card=card))
    assert shop.gift_cards[card]["balance_idr"] == 300
    assert shop.audit().outcome == "pass"


def test_a_gift_card_spent_in_two_places_is_wrong(shop):
    card = shop.offer_gift_card(300)
    shop.buy({1: 1}, gift_card=card)
    shop.gift_cards[card]["balance_idr"] = 300
    assert broken(shop.audit()) == {"coupons": 1}


def test_an_overdrawn_gift_card_is_wrong(shop):
    card = shop.offer_gift_card(300)
    shop.buy({1: 1}, gift_card=card)
    shop.gift_cards[card] |= {"initial_idr": 200, "balance_idr": -100}
    assert sentence(shop.audit(), "coupons") == f"1 voucher overdrawn: gift card {card}."
