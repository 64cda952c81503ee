"""The tables [flash_sale] and [offers], the ratios of [shoppers] that go with them, and the codes of gift cards."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from loadgen.config import Scenario, resolve, to_toml
from loadgen.errors import ConfigProblem
from loadgen.load import Load
from loadgen.offers import Coupon, FlashSale, GiftCards, Offers, gift_card_codes
from loadgen.shoppers import Shoppers

SALE = {"product_id": 3, "units": 50, "limit_per_customer": 2, "starts_at_s": 12.5, "reservation_s": 20}
OFFERS = {
    "coupons": [{"code": "PAYDAY", "amount_idr": 25000, "uses": 5}],
    "gift_cards": [{"balance_idr": 100000, "count": 2}, {"balance_idr": 50000}],
}
RATIOS = {"deal_ratio": 0.2, "coupon_ratio": 0.5, "gift_card_ratio": 0.1, "return_ratio": 0.05}


def scenario(duration: str | None = None, **tables: Any) -> Scenario:
    overrides = {"duration": ("--duration", duration)} if duration else {}
    return resolve({"load": {"duration": "60s"}, **tables}, "mine", overrides)


def problems_of(**tables: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigProblem) as caught:
        scenario(**tables)
    return caught.value.problems


def test_a_scenario_offers_nothing_unless_it_says_so() -> None:
    plain = scenario()
    assert (plain.flash_sale, plain.offers, plain.makes_offers) == (None, Offers(), False)
    assert "flash_sale" not in to_toml(plain)
    assert "[offers]" not in to_toml(plain)


def test_everything_on_offer_is_read() -> None:
    read = scenario(flash_sale={**SALE, "price_idr": 99000, "ends_at_s": 40}, offers=OFFERS, shoppers=RATIOS)
    assert read.flash_sale == FlashSale(3, 50, 2, 12.5, 20.0, ends_at_s=40.0, price_idr=99000)
    assert read.offers.coupons == (Coupon("PAYDAY", 25000, 5),)
    assert read.offers.gift_cards == (GiftCards(100000, 2), GiftCards(50000, 1))
    assert read.offers.balances_idr == (100000, 100000, 50000)
    assert (read.shoppers.deal_ratio, read.shoppers.return_ratio) == (0.2, 0.05)


def test_an_empty_table_is_a_sale_of_the_most_wanted_product_at_half_time() -> None:
    assert scenario(flash_sale={}).flash_sale == FlashSale(1, 100, 1, 30.0, 60.0)


@pytest.mark.parametrize(
    "tables",
    [
        {"flash_sale": SALE},
        {"flash_sale": {**SALE, "price_idr": 99000, "ends_at_s": 40}},
        {"offers": OFFERS},
        {"offers": {"coupons": OFFERS["coupons"]}},
        {"flash_sale": SALE, "offers": OFFERS, "shoppers": RATIOS},
    ],
)
@pytest.mark.parametrize("duration", [None, "7s"])
def test_offers_survive_being_written_and_read(tables: dict[str, Any], duration: str | None) -> None:
    written = scenario(duration, **tables)
    assert resolve(tomllib.loads(to_toml(written)), "again", {}) == written


def test_another_duration_stretches_the_sales_timetable_but_not_its_rules() -> None:
    sale = scenario("30s", flash_sale={**SALE, "ends_at_s": 40}).flash_sale
    assert sale is not None
    assert (sale.starts_at_s, sale.ends_at_s, sale.reservation_s) == (6.25, 20.0, 20.0)


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ({"flash_sale": {"units": 0}}, "[flash_sale] units is 0, but must be a whole number from 1 to 1000000"),
        ({"flash_sale": {"starts_at_s": 61}}, "[flash_sale] starts_at_s is 61, but must be a number from 0 to 60"),
        (
            {"flash_sale": {"starts_at_s": 30, "ends_at_s": 30}},
            "[flash_sale] ends_at_s is 30, but must be later than starts_at_s, which is 30",
        ),
        (
            {"flash_sale": {"price_idr": 0}},
            "[flash_sale] price_idr is 0, but must be a whole number from 1 to 1000000000",
        ),
        ({"flash_sale": 3}, "flash_sale is 3, but must be a table"),
        (
            {"offers": {"coupons": [{"code": "PAY DAY", "amount_idr": 1}]}},
            "[offers] [[coupons]] code is 'PAY DAY', but must be 1 to 40 letters, digits or hyphens",
        ),
        (
            {"offers": {"coupons": [OFFERS["coupons"][0], OFFERS["coupons"][0]]}},
            "[offers] coupons name PAYDAY more than once: each needs a code of its own",
        ),
        (
            {"offers": {"gift_cards": [{"code": "KADO-1", "balance_idr": 5}]}},
            "[offers] [[gift_cards]] code is not a key; known: balance_idr, count",
        ),
        (
            {"offers": {"gift_cards": [{"balance_idr": 5, "count": 199}, {"balance_idr": 5, "count": 2}]}},
            "[offers] gift_cards are 201 in all, but may be 200",
        ),
        (
            {"shoppers": {"deal_ratio": 0.2}},
            "[shoppers] deal_ratio is 0.2, but the scenario has no [flash_sale]: add them, or leave it out",
        ),
        (
            {"shoppers": {"gift_card_ratio": 0.2}, "offers": {"coupons": OFFERS["coupons"]}},
            "[shoppers] gift_card_ratio is 0.2, but the scenario has no gift_cards in [offers]: "
            "add them, or leave it out",
        ),
        ({"shoppers": {"return_ratio": 1.5}}, "[shoppers] return_ratio is 1.5, but must be a number from 0 to 1"),
    ],
)
def test_an_offer_that_cannot_be_is_refused(tables: dict[str, Any], problem: str) -> None:
    assert problems_of(**tables) == (f"scenario mine: {problem}",)


def test_all_problems_of_offers_are_told_at_once() -> None:
    told = problems_of(flash_sale={"units": 0, "colour": "red"}, offers={"coupons": [{"code": "A", "uses": 0}]})
    assert len(told) == 4  # units, colour, amount_idr (missing), uses


def test_codes_of_gift_cards_follow_from_the_seed_and_stand_nowhere() -> None:
    offers = Offers(gift_cards=(GiftCards(100000, 2), GiftCards(50000, 1)))
    codes = gift_card_codes(offers, 7)
    assert all(re.fullmatch(r"KADO-[0-9A-F]{12}", code) for code in codes)
    assert len(set(codes)) == 3
    assert gift_card_codes(offers, 7) == codes
    assert set(gift_card_codes(offers, 8)).isdisjoint(codes)
    text = to_toml(scenario(offers=OFFERS, load={"duration": "60s", "seed": 7}))
    assert not any(code in text for code in codes)


@pytest.mark.parametrize("table", [Load, Shoppers, FlashSale, Coupon, GiftCards])
def test_every_key_of_a_scenario_is_documented(table: type[Any]) -> None:
    text = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    written_otherwise = {"duration_s": "duration", "warmup_s": "warmup", "drain_s": "drain"}
    names = [written_otherwise.get(field.name, field.name) for field in fields(table)]
    assert [name for name in names if not re.search(rf"`[^`]*\b{name}\b[^`]*`", text)] == []
