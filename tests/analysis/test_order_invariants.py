"""What shoppers were told against the orders of the books: hand-made histories."""

from dataclasses import replace

import pytest

from loadgen.records import LedgerLine
from tests.analysis.little_shop import SINCE, LittleShop, broken, open_, passed, sentence, two_orders


@pytest.fixture
def shop() -> LittleShop:
    return two_orders()


# acknowledged_orders


def test_an_order_that_came_back_was_paid_all_the_same(shop):
    shop.send_back(501)
    shop.send_back(502, until="returning")
    found = shop.audit()
    assert (found.outcome, found.missing_count, found.paid_in_truth_count) == ("pass", 0, 2)


def test_an_order_that_was_acknowledged_while_it_is_pending_is_missing(shop):
    shop.buy({1: 1}, ends="pending", told="ok")
    assert broken(shop.audit()) == {"acknowledged_orders": 1}


def test_an_unknown_order_is_resolved_either_way(shop):
    shop.buy({1: 1}, told="unknown")
    shop.buy({1: 1}, ends="pending", told="unknown")
    shop.ledger.append(LedgerLine(SINCE + 30, "place_order", "unknown", 9, "never arrived"))
    found = shop.audit()
    assert (found.outcome, found.resolved_placed_count, found.resolved_absent_count) == ("pass", 1, 2)


def test_an_unknown_order_without_key_or_number_stays_open(shop):
    shop.ledger.append(LedgerLine(SINCE + 30, "place_order", "unknown", 9))
    found = shop.audit()
    assert (found.outcome, open_(found)) == ("unknown", {"acknowledged_orders": 1})


# own_orders


def test_somebody_elses_goods_are_wrong(shop):
    shop.orders[501]["lines"], shop.orders[502]["lines"] = shop.orders[502]["lines"], shop.orders[501]["lines"]
    assert broken(shop.audit())["own_orders"] == 2


def test_a_number_given_to_two_shoppers_is_wrong(shop):
    shop.ledger[1] = replace(shop.ledger[1], order_id=501)
    found = shop.audit()
    assert sentence(found, "own_orders") == (
        "1 order booked under another number than the shopper was given: order 501; "
        "1 order given as their own to more than one shopper: order 501."
    )


def test_what_went_into_the_cart_without_an_answer_may_be_in_the_order(shop):
    shop.buy({1: 1, 2: 3})
    session = shop.ledger[-1].session
    shop.ledger[-1] = replace(shop.ledger[-1], items=((1, 1),))
    assert broken(shop.audit()) == {"own_orders": 1}
    shop.ledger.append(LedgerLine(SINCE + 1, "add_to_cart", "unknown", session, items=((2, 3),)))
    assert broken(shop.audit()) == {}


def test_what_an_earlier_order_without_an_answer_held_may_be_missing(shop):
    shop.ledger[1] = replace(shop.ledger[1], items=((1, 1), (2, 4)))
    assert broken(shop.audit()) == {"own_orders": 1}
    earlier = LedgerLine(SINCE + 1, "place_order", "unknown", shop.ledger[1].session, "k-earlier", items=((2, 4),))
    shop.ledger.append(earlier)
    assert broken(shop.audit()) == {}


def test_what_a_flash_sale_held_for_a_while_may_be_missing(shop):
    shop.offer_sale(3, units=9, limit=2)
    shop.ledger[1] = replace(shop.ledger[1], items=((1, 1), (3, 1)))
    assert broken(shop.audit()) == {}


def test_a_ledger_that_names_no_goods_is_compared_by_number(shop):
    shop.ledger = [replace(line, items=()) for line in shop.ledger]
    assert "own_orders" in passed(shop.audit())


def test_an_attempt_that_became_two_orders_is_wrong(shop):
    shop.orders[503] = {**shop.orders[502], "order_id": 503}
    assert sentence(shop.audit(), "own_orders") == "1 order booked more than once for one attempt: key k502."


# order_states


@pytest.mark.parametrize(
    "wrong",
    [
        {"from": "pending", "to": "returned"},
        {"from": "cancelled", "to": "paid"},
        {"from": "paid", "to": "paid"},
        {"from": None, "to": "paid"},
    ],
)
def test_a_move_that_is_not_allowed_is_wrong(shop, wrong):
    shop.transitions[-1] |= wrong
    assert "order_states" in broken(shop.audit())


def test_a_paid_order_without_a_ledger_is_wrong(shop):
    shop.transitions = [line for line in shop.transitions if line["order_id"] != 502]
    assert sentence(shop.audit(), "order_states") == "1 order without a ledger of states: order 502."


def test_two_writers_that_both_found_an_order_pending_are_told_by_its_ledger(shop):
    shop.transitions.append({**shop.transitions[-1], "entry_id": 99, "to": "cancelled"})
    assert broken(shop.audit()) == {"order_states": 1}


def test_orders_from_before_are_followed_from_where_the_books_begin(shop):
    entry = {"type": "transition", "entry_id": 1, "at": SINCE + 30, "order_id": 7}
    shop.transitions.append({**entry, "from": "paid", "to": "returning"})
    assert shop.audit().outcome == "pass"
    shop.transitions.append({**entry, "entry_id": 2, "from": "paid", "to": "returning"})
    assert broken(shop.audit()) == {"order_states": 1}


def test_an_order_that_left_only_its_ledger_is_wrong(shop):
    entry = {"type": "transition", "entry_id": 99, "at": SINCE + 30, "order_id": 600, "from": None, "to": "pending"}
    shop.transitions.append(entry)
    assert sentence(shop.audit(), "order_states") == (
        "1 order with a ledger of states, but not in the shop's books: order 600."
    )
