"""Merchants change prices, promotions and stock while the shop is open, and the books stay right."""

import asyncio
import random

import pytest

from reference_shop.backoffice.changes import Change, Kind, draw_change, rounded_price
from reference_shop.backoffice.office import carry_out
from reference_shop.repository.database import Database
from tests.shop import database
from tests.shop.operator import begin_sale, stock_of
from tests.shop.processes import SCHEMA, Postgres, Program
from tests.shop.shopper import Shopper, on_body


def make(postgres: Postgres, *changes: Change) -> list[bool]:
    async def run() -> list[bool]:
        async with Database(postgres.url, SCHEMA, name="test") as shop:
            return [await carry_out(shop, change) for change in changes]

    return asyncio.run(run())


def test_the_same_seed_decides_the_same_and_wanted_products_more_often() -> None:
    first, second = ([draw_change(random.Random(3), 1000) for _ in range(2)] for _ in range(2))
    assert first == second
    rng = random.Random(4)
    drawn = [draw_change(rng, 1000) for _ in range(3000)]
    assert {change.kind for change in drawn} == set(Kind)
    assert all(1 <= change.product_id <= 1000 for change in drawn)
    # Log-uniform: a third of the ranks of one to a thousand lies in each power of ten.
    assert sum(change.product_id < 10 for change in drawn) / 3000 == pytest.approx(1 / 3, abs=0.03)


def test_prices_are_whole_hundreds() -> None:
    assert [rounded_price(amount) for amount in (12.0, 12_345.6, 99_999)] == [1000, 12_300, 100_000]


def test_a_new_price_and_a_promotion_show_on_the_page(shopper: Shopper, postgres: Postgres) -> None:
    before = int(database.ask(postgres.url, "SELECT list_price_idr FROM products WHERE product_id = 640"))
    assert make(postgres, Change(Kind.PRICE, 640, factor=1.05)) == [True]
    dearer = rounded_price(before * 1.05)
    assert database.ask(postgres.url, "SELECT list_price_idr FROM products WHERE product_id = 640") == dearer
    assert make(postgres, Change(Kind.PROMOTION, 640, factor=0.8)) == [True]
    cheaper = rounded_price(dearer * 0.8)
    row = database.ask(postgres.url, "SELECT (price_idr, list_price_idr)::text FROM products WHERE product_id = 640")
    assert row == f"({cheaper},{dearer})"


def test_deliveries_and_withdrawals_are_in_the_books(shop: Program, postgres: Postgres) -> None:
    database.put_on_shelf(postgres.url, 641, 5)
    assert make(postgres, Change(Kind.STOCK, 641, units=7), Change(Kind.STOCK, 641, units=-2)) == [True, True]
    assert stock_of(shop.url, 641) == (10, 0, 0, 0)


def test_nothing_is_withdrawn_that_is_not_there(shop: Program, postgres: Postgres) -> None:
    database.put_on_shelf(postgres.url, 642, 2)
    assert make(postgres, Change(Kind.STOCK, 642, units=-3)) == [False]
    assert database.on_hand(postgres.url, 642) == 2


def test_a_product_in_a_flash_sale_is_left_alone(shop: Program, postgres: Postgres) -> None:
    begin_sale(shop.url, 643, 4)
    assert make(postgres, Change(Kind.STOCK, 643, units=9), Change(Kind.PRICE, 643, factor=0.9)) == [False, False]
    assert stock_of(shop.url, 643) == (4, 0, 0, 0)


def test_the_page_follows(shopper: Shopper, postgres: Postgres) -> None:
    database.put_on_shelf(postgres.url, 644, 3)
    make(postgres, Change(Kind.STOCK, 644, units=4))
    assert on_body(shopper.get("/product/644"), "stock") == "7"
