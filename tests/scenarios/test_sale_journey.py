"""What shoppers do at a flash sale and at a payment form with vouchers: no HTTP, no time."""

from pathlib import Path
from random import Random

import pytest

from scenarios.deals import Deals
from scenarios.journeys import take
from scenarios.mix import LEAVE, Mix, State, Step
from scenarios.mixes import MIXES, flash_sale
from scenarios.outcomes import Outcome
from scenarios.think_times import Countdown, Uniform
from tests.scenarios.test_shopper import OPEN, PAUSE, SALE_ID, SOLD_OUT, UPCOMING, ScriptedShop, pays, visit_to, walked

SALE = Deals(product_id=SALE_ID)
VOUCHERS = Deals(coupons=("PAYDAY",), gift_cards=("KADO-1", "KADO-2"), coupon_ratio=1.0, gift_card_ratio=1.0)


def visit_at_sale(shop: ScriptedShop, seed: int = 1):
    return visit_to(shop, seed, deals=SALE)


@pytest.mark.parametrize(
    ("sale", "outcome"),
    [
        (UPCOMING, Outcome.SALE_NOT_OPEN),
        (OPEN, Outcome.SALE_OPEN),
        (SOLD_OUT, Outcome.OUT_OF_STOCK),
    ],
)
def test_a_shopper_sees_how_the_sale_stands(sale, outcome: Outcome):
    assert take(visit_at_sale(ScriptedShop(sales=(sale,))), Step.DEAL) is outcome


def test_a_share_of_those_who_land_come_for_the_sale():
    landed = []
    for seed in range(400):
        shop = ScriptedShop(product_count=10)
        take(visit_to(shop, seed, deals=Deals(product_id=SALE_ID, deal_ratio=0.2)), Step.LANDING)
        landed.append(shop.arguments["product"])
    assert landed.count(SALE_ID) / 400 == pytest.approx(0.2, abs=0.06)


def test_before_it_begins_a_product_on_sale_is_not_put_into_the_cart_by_who_just_passes():
    shop = ScriptedShop(sales=(UPCOMING,))
    visit = visit_at_sale(shop)
    take(visit, Step.DEAL)
    assert visit.memory.product is None


def test_who_rushes_does_not_look_again():
    shop = ScriptedShop(sales=(UPCOMING,))
    visit = visit_at_sale(shop)
    take(visit, Step.DEAL)
    take(visit, Step.RUSH)
    assert shop.asked == ["product", "add_to_cart"]


def test_a_few_ask_for_more_than_the_limit_until_they_are_told():
    asked = []
    for seed in range(600):
        shop = ScriptedShop(sales=(OPEN,))
        visit = visit_at_sale(shop, seed)
        take(visit, Step.DEAL)
        take(visit, Step.RUSH)
        asked.append(shop.arguments["add_to_cart"][1])
    assert set(asked) == {1, 2}
    assert asked.count(2) / 600 == pytest.approx(0.05, abs=0.03)
    shop = ScriptedShop(sales=(OPEN,), add_to_cart=[Outcome.SALE_LIMIT])
    visit = visit_at_sale(shop, seed=asked.index(2))
    for step in (Step.DEAL, Step.RUSH, Step.RUSH):
        take(visit, step)
    assert (shop.asked, shop.arguments["add_to_cart"][1]) == (["product", "add_to_cart", "add_to_cart"], 1)


def test_who_has_it_in_the_cart_and_saw_no_page_looks_there_and_asks_for_no_more():
    shop = ScriptedShop(sales=(OPEN,), cart=[Outcome.OVERLOADED])
    shop.basket_count = 1
    visit = visit_at_sale(shop)
    take(visit, Step.DEAL)
    assert take(visit, Step.RUSH) is Outcome.OVERLOADED
    assert take(visit, Step.RUSH) is Outcome.OK
    assert shop.asked == ["product", "cart", "cart"]


def test_who_may_not_have_even_one_looks_into_the_cart_and_finds_it_or_not():
    shop = ScriptedShop(sales=(OPEN,), add_to_cart=[Outcome.SALE_LIMIT])
    visit = visit_at_sale(shop)
    take(visit, Step.DEAL)
    assert [take(visit, Step.RUSH) for _ in range(2)] == [Outcome.SALE_LIMIT, Outcome.SALE_LIMIT]
    shop.basket_count = 1
    assert take(visit, Step.RUSH) is Outcome.OK
    assert shop.asked == ["product", "add_to_cart", "cart", "cart"]


def test_who_is_let_in_sees_the_product_and_may_buy_it():
    shop = ScriptedShop(sales=(OPEN,), wait=[Outcome.HELD_BACK])
    visit = visit_at_sale(shop)
    take(visit, Step.DEAL)
    assert take(visit, Step.WAIT) is Outcome.HELD_BACK
    assert take(visit, Step.WAIT) is Outcome.SALE_OPEN
    assert take(visit, Step.RUSH) is Outcome.OK


def ends(shop: ScriptedShop, *steps: Step) -> tuple[str, str | None]:
    visit = visit_at_sale(shop)
    for step in steps:
        take(visit, step)
    return visit.chase.end(cut=False)


BUYING = (Step.DEAL, Step.RUSH, Step.CHECKOUT, Step.ADDRESS, Step.PAY)


@pytest.mark.parametrize(
    ("scripted", "steps", "end"),
    [
        ({}, BUYING, ("ok", None)),
        ({}, BUYING[:-1], ("fail", "gave_up")),
        ({"add_to_cart": [Outcome.OUT_OF_STOCK]}, BUYING[:2], ("fail", "sold_out")),
        ({"add_to_cart": [Outcome.SALE_LIMIT]}, BUYING[:2], ("fail", "sale_limit")),
        ({"add_to_cart": [Outcome.HELD_BACK]}, BUYING[:2], ("fail", "gave_up")),
        (
            {"add_to_cart": [Outcome.HELD_BACK], "wait": [Outcome.OUT_OF_STOCK]},
            (*BUYING[:2], Step.WAIT),
            ("fail", "sold_out"),
        ),
        ({"send_address": [Outcome.RESERVATION_EXPIRED]}, BUYING[:4], ("fail", "reservation_expired")),
        ({"pay": [Outcome.RESERVATION_EXPIRED]}, BUYING, ("fail", "reservation_expired")),
        ({"pay": [Outcome.PAYMENT_DECLINED]}, BUYING, ("fail", "payment_declined")),
        ({"pay": [Outcome.PAYMENT_DECLINED]}, (*BUYING, Step.PAY), ("ok", None)),
        ({"pay": [Outcome.FAILED]}, BUYING, ("unknown", "no answer")),
        ({"home": [Outcome.FAILED]}, (*BUYING, Step.HOME), ("ok", None)),
        (
            {"add_to_cart": [Outcome.OUT_OF_STOCK], "home": [Outcome.FAILED]},
            (*BUYING[:2], Step.HOME),
            ("fail", "sold_out"),
        ),
    ],
)
def test_every_shopper_ends_knowing(scripted, steps, end):
    assert ends(ScriptedShop(sales=(OPEN,), **scripted), *steps) == end


def test_who_never_wanted_the_sale_has_no_end_of_it():
    shop = ScriptedShop(sales=(OPEN,))
    visit = visit_at_sale(shop)
    pays(visit)
    assert visit.chase is None


def test_a_countdown_waits_for_the_instant_and_then_rushes():
    # The clock of the visit stands 12 s before the sale.
    states = {
        "look": State(
            Step.DEAL, Countdown(0.3, Uniform(0.1, 0.5)), {LEAVE: 1.0}, {Outcome.SALE_NOT_OPEN: {"rush": 1.0}}
        ),
        "rush": State(Step.RUSH, PAUSE, {LEAVE: 1.0}),
    }
    shop = ScriptedShop(sales=(UPCOMING,))
    _, thought_s = walked(Mix("m", "", {"look": 1.0}, states, {}), shop, scale=0.1, deals=SALE)
    assert shop.asked == ["product", "add_to_cart"]
    assert thought_s == pytest.approx(12.0, abs=0.3)


def test_the_waiting_room_is_asked_when_it_says_and_an_overloaded_shop_not_before():
    # Both ask for 2 s; the thoughts between would take 9 s and 0.5 s.
    states = {
        "look": State(Step.DEAL, Uniform(1.0, 1.0), {}, {Outcome.SALE_OPEN: {"rush": 1.0}}),
        "rush": State(Step.RUSH, Uniform(9.0, 9.0), {LEAVE: 1.0}, {Outcome.HELD_BACK: {"wait": 1.0}}),
        "wait": State(Step.WAIT, Uniform(0.5, 0.5), {LEAVE: 1.0}, {Outcome.OVERLOADED: {"wait": 1.0}}),
    }
    shop = ScriptedShop(sales=(OPEN,), add_to_cart=[Outcome.HELD_BACK], wait=[Outcome.OVERLOADED])
    _, thought_s = walked(Mix("m", "", {"look": 1.0}, states, {}), shop, deals=SALE)
    assert shop.asked == ["product", "add_to_cart", "wait", "wait", "product"]
    assert thought_s == 1.0 + 2.0 + 2.0


def test_who_has_not_seen_the_product_looks_before_rushing():
    shop = ScriptedShop(sales=(OPEN,))
    visit = visit_at_sale(shop)
    assert take(visit, Step.RUSH) is Outcome.SALE_OPEN
    assert shop.asked == ["product"]


def test_the_crowd_of_a_flash_sale_buys_or_learns_why_not():
    sold_out = ScriptedShop(sales=(UPCOMING, UPCOMING, OPEN), add_to_cart=[Outcome.OUT_OF_STOCK] * 99)
    walked(MIXES["flash-sale"], sold_out, deals=SALE)
    assert "add_to_cart" in sold_out.asked
    assert "pay" not in sold_out.asked
    endings = set()
    for seed in range(40):
        shop = ScriptedShop(sales=(UPCOMING, UPCOMING, OPEN))
        walked(MIXES["flash-sale"], shop, seed, deals=SALE)
        endings.add(shop.asked[-1])
    assert "pay" in endings


def test_shares_of_a_flash_sales_crowd_are_as_documented():
    text = (Path(__file__).parents[2] / "docs" / "mixes.md").read_text(encoding="utf-8")
    for state, share in flash_sale.MIX.start.items():
        assert f"| {state.replace('_', ' ')} | {100 * share:.0f} % |" in text


def test_a_coupon_and_a_gift_card_are_tried_at_the_payment_form():
    shop = ScriptedShop()
    visit = visit_to(shop, deals=VOUCHERS)
    assert pays(visit) is Outcome.OK
    coupon, gift_card = shop.arguments["use_vouchers"]
    assert (coupon, gift_card in VOUCHERS.gift_cards) == ("PAYDAY", True)


def test_who_brings_no_voucher_sends_none():
    shop = ScriptedShop()
    pays(visit_to(shop, deals=Deals(coupons=("PAYDAY",), gift_cards=("KADO-1",))))
    assert "use_vouchers" not in shop.asked


def test_a_share_of_those_who_pay_try_a_coupon():
    tried = []
    for seed in range(300):
        shop = ScriptedShop()
        pays(visit_to(shop, seed, deals=Deals(coupons=("PAYDAY",), coupon_ratio=0.5)))
        tried.append("use_vouchers" in shop.asked)
    assert sum(tried) / 300 == pytest.approx(0.5, abs=0.09)


@pytest.mark.parametrize("refusal", [Outcome.PRICE_CHANGED, Outcome.VOUCHER_REFUSED])
def test_who_is_told_another_price_asks_for_a_fresh_form_and_pays(refusal: Outcome):
    shop = ScriptedShop(pay=[refusal])
    visit = visit_to(shop)
    assert pays(visit) is refusal
    assert MIXES["marketplace"].row("pay", refusal) == {"pay_again": 0.8, LEAVE: 0.2}
    assert take(visit, Step.PAY) is Outcome.OK
    assert shop.asked[-2:] == ["payment_form", "pay"]


def test_what_is_regretted_is_sent_back_after_a_thought_and_before_leaving():
    states = {"buy": State(Step.PAY, Uniform(3.0, 3.0), {LEAVE: 1.0})}
    shop = ScriptedShop()
    shop.basket_count = 1
    _, thought_s = walked(Mix("m", "", {"buy": 1.0}, states, {}), shop, deals=Deals(return_ratio=1.0))
    assert shop.asked == ["payment_form", "pay", "send_back"]
    assert (shop.arguments["send_back"], thought_s) == (41, 3.0)


def test_an_order_that_was_refused_is_not_sent_back():
    shop = ScriptedShop(pay=[Outcome.PAYMENT_DECLINED])
    shop.basket_count = 1
    states = {"buy": State(Step.PAY, PAUSE, {LEAVE: 1.0})}
    walked(Mix("m", "", {"buy": 1.0}, states, {}), shop, deals=Deals(return_ratio=1.0))
    assert "send_back" not in shop.asked


def test_offers_that_nobody_takes_up_change_nobodys_walk():
    with_offers, without = ScriptedShop(), ScriptedShop()
    unwanted = Deals(product_id=SALE_ID, coupons=("PAYDAY",), gift_cards=("KADO-1",))
    walked(MIXES["tpcw-shopping"], with_offers, seed=4, deals=unwanted)
    walked(MIXES["tpcw-shopping"], without, seed=4)
    assert with_offers.asked == without.asked


def test_draws_for_the_sale_leave_other_products_alone():
    visit = visit_to(ScriptedShop())
    take(visit, Step.LANDING)
    before = visit.rng.getstate()
    expected = Random()
    expected.setstate(before)
    take(visit, Step.ADD_TO_CART)
    expected.choice((1, 1, 1, 1, 1, 1, 1, 1, 2, 3))
    assert visit.rng.getstate() == expected.getstate()
