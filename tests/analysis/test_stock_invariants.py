"""Stock, flash sales and what the catalogue shows: hand-made histories."""

import pytest

from tests.analysis.little_shop import LittleShop, broken, open_, passed, sentence, two_orders


@pytest.fixture
def shop() -> LittleShop:
    return two_orders()


# no_oversell


def test_the_last_unit_may_be_sold(shop):
    shop.move("withdraw", 3, 49)
    shop.buy({3: 1})
    assert shop.stock[3]["on_hand"] == 0
    assert shop.audit().outcome == "pass"


def test_a_unit_that_was_not_there_is_oversold(shop):
    shop.move("withdraw", 3, 50)
    shop.buy({3: 1})
    assert broken(shop.audit()) == {"no_oversell": 1}


def test_a_shelf_that_was_below_nothing_for_a_moment_is_oversold(shop):
    shop.move("withdraw", 3, 50)
    shop.buy({3: 1})
    shop.move("deliver", 3, 5)
    found = shop.audit()
    assert sentence(found, "no_oversell") == "1 product with fewer than no units on the shelf: product 3."


def test_units_given_out_beyond_what_came_in_are_oversold(shop):
    shop.stock[1] |= {"sold": 51, "on_hand": 47}
    assert sentence(shop.audit(), "no_oversell") == "1 product given out more often than it was there: product 1."


def test_a_flash_sale_may_sell_what_came_back_to_it(shop):
    sale = shop.offer_sale(3, units=1, limit=2)
    shop.send_back(shop.buy({3: 1}, kept=(shop.hold(sale, "cart 1"),)))
    shop.buy({3: 1}, kept=(shop.hold(sale, "cart 2"),))
    assert shop.audit().outcome == "pass"


def test_a_flash_sale_beyond_its_units_is_oversold(shop):
    sale = shop.offer_sale(3, units=1, limit=2)
    shop.move("deliver", 3, 1)
    for cart in ("cart 1", "cart 2"):
        shop.buy({3: 1}, kept=(shop.hold(sale, cart),))
    assert broken(shop.audit()) == {"no_oversell": 1}


# stock_balance


def test_every_kind_of_movement_keeps_the_balance(shop):
    shop.move("deliver", 1, 5)
    shop.move("withdraw", 1, 3)
    shop.buy({1: 1}, ends="cancelled")
    shop.buy({1: 1}, ends="pending", told=None)
    shop.send_back(502)
    changes = {line["change"] for line in shop.movements}
    assert changes == {"deliver", "withdraw", "reserve", "release", "sell", "return"}
    assert shop.audit().outcome == "pass"


def test_a_lost_update_breaks_the_chain_although_the_sum_is_right(shop):
    """Two orders read 47 and wrote 46; the later one's count stayed, and a unit appeared."""
    shop.buy({1: 1})
    books = shop.books
    *_, entry = (line for line in books if line["type"] == "movement" and line["change"] == "reserve")
    (stock,) = (line for line in books if line["type"] == "stock" and line["product_id"] == 1)
    for line in books:
        if line["type"] == "movement" and line["product_id"] == 1 and line["entry_id"] >= entry["entry_id"]:
            line["on_hand_after"] += 1
    (shown,) = (line for line in books if line["type"] == "shown" and line["product_id"] == 1)
    stock |= {"on_hand": 47, "initial": 51}
    shown |= {"on_hand": 47, "shown": 47}
    found = shop.audit(books)
    assert found.violations == ("1 product with a break in the ledger of stock (a lost update): product 1.",)


def test_a_shelf_that_is_not_what_the_last_movement_left_is_a_break(shop):
    shop.stock[2] |= {"on_hand": 48, "initial": 49}
    assert broken(shop.audit()) == {"stock_balance": 1}


def test_movements_are_read_in_the_order_of_their_entries(shop):
    shop.movements.reverse()
    assert shop.audit().outcome == "pass"


def test_units_reserved_for_no_order_are_wrong(shop):
    shop.move("reserve", 3, 2)
    assert sentence(shop.audit(), "stock_balance") == (
        "1 product with other units reserved than orders and reservations hold: product 3."
    )


def test_a_product_that_moved_without_an_entry_is_wrong(shop):
    shop.stock[3]["moved_at"] = shop.now
    assert (
        sentence(shop.audit(), "stock_balance") == "1 product moved without an entry in the ledger of stock: product 3."
    )


def test_a_movement_of_an_unknown_kind_is_taken_as_it_is(shop):
    shop.movements.append({**shop.movements[-1], "entry_id": 999, "change": "count", "on_hand_after": 40})
    shop.stock[1] |= {"on_hand": 40, "initial": 43}
    assert shop.audit().outcome == "pass"


# reservations


@pytest.mark.parametrize(("over_s", "accused"), [(-60, False), (0, False), (5, False), (5.1, True)])
def test_a_reservation_is_held_no_longer_than_it_takes_to_sweep(shop, over_s, accused):
    one = shop.hold(shop.offer_sale(3, units=9, limit=2), "cart 1")
    shop.reservations[one]["expires_at"] = shop.now + 10 - over_s
    assert bool(broken(shop.audit())) == accused


def test_a_reservation_that_a_cancelled_order_has_just_given_back_is_open(shop):
    one = shop.hold(shop.offer_sale(3, units=9, limit=2), "cart 1")
    shop.buy({3: 1}, kept=(one,), ends="cancelled")
    shop.reservations[one]["expires_at"] = shop.now
    shop.transitions[-1]["at"] = shop.now + 9.5
    assert open_(shop.audit()) == {"reservations": 1}


def test_a_sale_of_which_nothing_is_held_any_more_is_right(shop):
    shop.let_go(shop.hold(shop.offer_sale(3, units=9, limit=2), "cart 1"))
    assert {"reservations", "customer_limits"} <= passed(shop.audit())


# customer_limits


def test_a_customer_may_reach_the_limit_and_not_exceed_it(shop):
    sale = shop.offer_sale(3, units=9, limit=2)
    shop.buy({3: 1}, kept=(shop.hold(sale, "cart 1"),))
    shop.hold(sale, "cart 1")
    assert shop.audit().outcome == "pass"
    shop.hold(sale, "cart 1")
    assert shop.audit().violations == ("1 customer with more of a flash sale than each may have: cart 1 in sale 11.",)


def test_a_customer_of_an_unknown_sale_is_open(shop):
    books = [*shop.books, {"type": "customer", "sale_id": 5, "customer": "cart 1", "units": 9}]
    assert open_(shop.audit(books)) == {"customer_limits": 1}


# shown_stock


@pytest.mark.parametrize(("moved_s_before", "accused"), [(60, True), (5, True), (4.9, False), (-1, False)])
def test_the_catalogue_may_lag_for_a_moment_only(shop, moved_s_before, accused):
    books = [line for line in shop.books if line["type"] != "shown"]
    shown = {"type": "shown", "product_id": 1, "shown": 48, "on_hand": 47, "shown_at": shop.now}
    found = shop.audit([*books, {**shown, "moved_at": shop.now - moved_s_before}])
    assert bool(broken(found)) == accused
