"""A shop that never errs is never accused, and each way of going wrong breaks just the invariants that it should."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analysis.little_shop import Line, LittleShop, broken, open_, passed

ALL = {
    *("acknowledged_orders", "one_charge_per_key", "paid_iff_order", "order_totals", "own_orders", "order_states"),
    *("no_oversell", "stock_balance", "coupons", "customer_limits", "reservations", "shown_stock"),
}
STEPS = (
    "buy",
    "discounted",
    "decline",
    "refuse",
    "unknown",
    "lose",
    "send back",
    "deliver",
    "hold",
    "buy held",
    "let go",
)


def busy() -> LittleShop:
    """One of everything."""
    shop = LittleShop()
    coupon = shop.offer_coupon("HEMAT", allowed=40, amount_idr=700)
    card = shop.offer_gift_card(4_000)  # less than the second order of it, more than the third
    sale = shop.offer_sale(4, units=30, limit=9)
    shop.buy({1: 2, 2: 1})
    shop.buy({1: 1}, told="retried")
    shop.buy({2: 3}, ends="cancelled", coupon=coupon, gift_card=card)
    shop.buy({3: 1}, coupon=coupon, gift_card=card)
    shop.send_back(shop.buy({2: 2}))
    shop.buy({4: 2}, kept=(shop.hold(sale, "cart 1", 2),))
    shop.hold(sale, "account 2")
    return shop


@st.composite
def shops(draw: st.DrawFn) -> LittleShop:
    """A shop in which one of everything happened, and then much else."""
    shop = busy()
    for step, number in draw(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 99)), max_size=20)):
        act(shop, step, number)
    return shop


def act(shop: LittleShop, step: str, number: int) -> None:
    ((coupon, _),), ((card, _),), ((sale, _),) = shop.coupons.items(), shop.gift_cards.items(), shop.sales.items()
    product = 1 + number % 3
    held = [one for one, what in shop.reservations.items() if what["state"] == "held"]
    if shop.stock[product]["on_hand"] < 8 or shop.stock[4]["on_hand"] < 3 or step == "deliver":
        shop.now += 1
        shop.move("deliver", product, 10 + number)
    elif step in ("buy", "unknown", "discounted", "decline"):
        vouchers = {"coupon": coupon, "gift_card": card} if step == "discounted" else {}
        ends = "cancelled" if step == "decline" else "paid"
        told = "unknown" if step == "unknown" else "retried" if number % 3 == 0 else "ok"
        shop.buy({product: 1 + number % 4, 1 + product % 3: 2}, ends=ends, told=told, **vouchers)
    elif step == "lose":
        shop.buy({product: 1}, ends="pending", told="unknown" if number % 2 else None)
    elif step == "refuse":
        shop.refuse({product: 1})
    elif step == "send back":
        paid = [one["order_id"] for one in acknowledged(shop, shop.books)]
        if len(paid) > 4:
            shop.send_back(paid[number % len(paid)], until=("returned", "returning", "given back")[number % 3])
    elif step == "hold":
        shop.hold(sale, f"cart {100 + len(shop.reservations)}", 1 + number % 2)
    elif len(held) > 1 and step == "buy held":
        one = held[number % len(held)]
        shop.buy({4: shop.reservations[one]["quantity"], product: 1}, kept=(one,))
    elif len(held) > 1:
        shop.let_go(held[number % len(held)])


@given(shops())
def test_a_shop_that_never_errs_is_never_accused(shop):
    found = shop.audit()
    assert (broken(found), open_(found), passed(found)) == ({}, {}, ALL)
    assert found.outcome == "pass"


# A corruption changes the books or the ledger, and names the invariants that it must break.
Corruption = Callable[[LittleShop, list[Line], Random], set[str]]
CORRUPTIONS: dict[str, Corruption] = {}


def corruption(change: Corruption) -> Corruption:
    CORRUPTIONS[change.__name__] = change
    return change


def of(books: list[Line], kind: str, **wanted: object) -> list[Line]:
    return [line for line in books if line["type"] == kind and wanted.items() <= line.items()]


def acknowledged(shop: LittleShop, books: list[Line]) -> list[Line]:
    """Paid orders with a charge that the shopper knows of."""
    told = {line.idempotency_key for line in shop.ledger if line.outcome == "ok"}
    return [one for one in of(books, "order", state="paid") if one["idempotency_key"] in told and one["charge_idr"]]


def charge_of(books: list[Line], order: Line) -> Line:
    return of(books, "charge", order_id=order["order_id"])[0]


@corruption
def a_charge_never_happened(shop, books, rng):
    books.remove(charge_of(books, rng.choice(acknowledged(shop, books))))
    return {"paid_iff_order"}


@corruption
def a_key_was_charged_twice(shop, books, rng):
    books.append(dict(charge_of(books, rng.choice(acknowledged(shop, books)))))
    return {"one_charge_per_key"}


@corruption
def an_order_was_charged_under_a_second_key(shop, books, rng):
    books.append({**charge_of(books, rng.choice(acknowledged(shop, books))), "idempotency_key": "another"})
    return {"one_charge_per_key"}


@corruption
def a_charge_was_of_another_amount(shop, books, rng):
    charge_of(books, rng.choice(acknowledged(shop, books)))["amount_idr"] += 1
    return {"paid_iff_order"}


@corruption
def the_shop_wrote_down_another_payment(shop, books, rng):
    rng.choice(of(books, "payment"))["amount_idr"] += 1
    return {"paid_iff_order"}


@corruption
def the_shop_wrote_down_no_payment(shop, books, rng):
    books.remove(rng.choice(of(books, "payment", state="captured")))
    return {"paid_iff_order"}


@corruption
def a_declined_order_was_charged(shop, books, rng):
    rng.choice(of(books, "charge", state="declined"))["state"] = "captured"
    return {"paid_iff_order"}


@corruption
def somebody_was_charged_without_an_order(shop, books, rng):
    charge = charge_of(books, rng.choice(acknowledged(shop, books)))
    books.append({**charge, "order_id": 99_999, "idempotency_key": "nobody's"})
    return {"paid_iff_order"}


@corruption
def a_returned_order_was_not_refunded(shop, books, rng):
    order = rng.choice(of(books, "order", state="returned"))
    charge_of(books, order)["state"] = "captured"
    return {"paid_iff_order"}


@corruption
def a_total_is_not_its_sum(shop, books, rng):
    rng.choice(of(books, "order"))["total_idr"] += 1
    return {"order_totals"}


@corruption
def a_coupon_went_below_nothing(shop, books, rng):
    order = rng.choice([one for one in of(books, "order") if one["discount_idr"] == 0])
    sum_idr = order["total_idr"]
    order["discount_idr"] = sum_idr + 5
    return {"order_totals"}


@corruption
def a_shopper_agreed_to_another_amount(shop, books, rng):
    index = rng.choice([index for index, line in enumerate(shop.ledger) if line.outcome == "ok"])
    shop.ledger[index] = replace(shop.ledger[index], amount_idr=1)
    return {"order_totals"}


@corruption
def units_vanished_from_the_shelf(shop, books, rng):
    rng.choice([one for one in of(books, "stock") if one["on_hand"]])["on_hand"] -= 1
    return {"stock_balance"}


@corruption
def a_sale_was_never_counted(shop, books, rng):
    rng.choice([one for one in of(books, "stock") if one["sold"]])["sold"] -= 1
    return {"stock_balance"}


@corruption
def more_was_sold_than_there_was(shop, books, rng):
    stock = rng.choice(of(books, "stock"))
    stock["sold"] += stock["on_hand"] + 1
    return {"stock_balance", "no_oversell"}


@corruption
def a_shelf_held_less_than_nothing(shop, books, rng):
    rng.choice(of(books, "movement"))["on_hand_after"] = -1
    return {"stock_balance", "no_oversell"}


@corruption
def a_sale_went_beyond_its_units(shop, books, rng):
    sale = rng.choice(of(books, "sale"))
    back = sum(line["quantity"] for line in of(books, "movement", change="return", product_id=sale["product_id"]))
    sale["sold_count"] = sale["units"] + back + 1
    return {"no_oversell"}


@corruption
def units_are_reserved_for_nobody(shop, books, rng):
    rng.choice(of(books, "stock"))["held"] += 1
    return {"stock_balance"}


@corruption
def an_update_of_the_shelf_was_lost(shop, books, rng):
    """Two writers saw the same count, and later writes went on from the second one's; the sum was mended by hand."""
    product = rng.choice([1, 2])
    entries = of(books, "movement", product_id=product)
    index = rng.randrange(1, len(entries))
    for entry in entries[index:]:
        entry["on_hand_after"] += 1
    (stock,) = of(books, "stock", product_id=product)
    stock["on_hand"] += 1
    stock["initial"] += 1
    of(books, "shown", product_id=product)[0]["on_hand"] += 1
    of(books, "shown", product_id=product)[0]["shown"] += 1
    return {"stock_balance"}


@corruption
def a_movement_is_missing(shop, books, rng):
    product = rng.choice([1, 2])
    entries = [one for one in of(books, "movement", product_id=product)[1:] if one["change"] != "sell"]
    books.remove(rng.choice(entries))
    return {"stock_balance"}


@corruption
def a_coupon_was_used_too_often(shop, books, rng):
    coupon = rng.choice(of(books, "coupon"))
    coupon["used_count"] = coupon["order_count"] = coupon["allowed_count"] + 1
    return {"coupons"}


@corruption
def a_use_of_a_coupon_was_lost(shop, books, rng):
    rng.choice(of(books, "coupon"))["used_count"] -= 1
    return {"coupons"}


@corruption
def a_gift_card_was_spent_twice(shop, books, rng):
    rng.choice(of(books, "gift_card"))["balance_idr"] += 1000
    return {"coupons"}


@corruption
def a_reservation_never_ended(shop, books, rng):
    rng.choice(of(books, "reservation"))["expires_at"] = shop.now + 4
    return {"reservations"}


@corruption
def a_customer_got_more_than_the_limit(shop, books, rng):
    rng.choice(of(books, "customer"))["units"] = 10
    return {"customer_limits"}


@corruption
def the_catalogue_showed_an_old_stock(shop, books, rng):
    rng.choice(of(books, "shown"))["shown"] += 1
    return {"shown_stock"}


@corruption
def a_step_of_an_order_is_missing(shop, books, rng):
    books.remove(rng.choice(of(books, "transition")))
    return {"order_states"}


@corruption
def two_writers_moved_an_order(shop, books, rng):
    step = rng.choice(of(books, "transition", to="paid"))
    books.append({**step, "entry_id": 10_000 + step["entry_id"], "to": "cancelled"})
    return {"order_states"}


@corruption
def a_paid_order_was_cancelled_silently(shop, books, rng):
    rng.choice(acknowledged(shop, books))["state"] = "cancelled"
    return {"acknowledged_orders", "paid_iff_order", "order_states"}


@corruption
def an_acknowledged_order_is_gone(shop, books, rng):
    order = rng.choice(acknowledged(shop, books))
    for line in [line for line in books if line.get("order_id") == order["order_id"] and line["type"] != "charge"]:
        if line["type"] != "movement":
            books.remove(line)
    return {"acknowledged_orders", "paid_iff_order"}


@corruption
def an_order_was_told_to_nobody(shop, books, rng):
    key = rng.choice(acknowledged(shop, books))["idempotency_key"]
    shop.ledger = [line for line in shop.ledger if line.idempotency_key != key]
    return {"acknowledged_orders"}


@corruption
def a_shopper_was_given_somebody_elses_number(shop, books, rng):
    mine, yours = rng.sample(acknowledged(shop, books), 2)
    shop.ledger = [
        replace(line, order_id=yours["order_id"])
        if line.idempotency_key == mine["idempotency_key"] and line.outcome == "ok"
        else line
        for line in shop.ledger
    ]
    return {"acknowledged_orders", "own_orders"}


@corruption
def two_shoppers_got_each_others_goods(shop, books, rng):
    line = rng.choice(acknowledged(shop, books))["lines"][0]
    line["product_id"] += 10
    return {"own_orders"}


@corruption
def one_attempt_became_two_orders(shop, books, rng):
    order = rng.choice(acknowledged(shop, books))
    books.append({**order, "order_id": 9_999})
    return {"own_orders", "paid_iff_order", "order_states"}


@pytest.mark.parametrize("name", CORRUPTIONS)
@settings(max_examples=20)
@given(shop=shops(), rng=st.randoms(use_true_random=False))
def test_each_way_of_going_wrong_breaks_just_the_invariants_that_it_should(name, shop, rng):
    books = shop.books
    expected = CORRUPTIONS[name](shop, books, rng)
    found = shop.audit(books)
    assert (set(broken(found)), open_(found), found.outcome) == (expected, {}, "fail")


def test_every_invariant_is_broken_by_something():
    named: set[str] = set()
    for change in CORRUPTIONS.values():
        shop = busy()
        named |= change(shop, shop.books, Random(1))
    assert named == ALL
