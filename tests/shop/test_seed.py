"""The same seed makes the same shop, and one that could be in Indonesia."""

import asyncio
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice, pairwise
from pathlib import Path

import pytest

from reference_shop.domain.accounts import password_matches
from reference_shop.repository.database import Database
from reference_shop.seed.__main__ import SeedSettings
from reference_shop.seed.catalogue import (
    OPENED_AT,
    PICTURES_PER_SHELF,
    Plan,
    ProductRow,
    invent_products,
    plan_catalogue,
)
from reference_shop.seed.load import load_shop
from reference_shop.seed.past_orders import PastOrder, invent_orders, plan_past
from reference_shop.seed.pictures import draw_pictures, picture_path
from reference_shop.seed.schema import load_statements, prepare_schema
from reference_shop.seed.shapes import Placement, outline
from reference_shop.seed.vocabulary import Vocabulary, load_vocabulary
from reference_shop.services.catalogue import load_picture_numbers
from tests.shop.database import ask
from tests.shop.processes import PRODUCT_COUNT, SEED, Postgres, Workshop, listen, port_of, seed_shop

VOCABULARY = load_vocabulary()
PAST_COUNT = 3000
WITH_PAST = "shop_with_a_past"


def plan(seed: int = SEED) -> Plan:
    return plan_catalogue(VOCABULARY, PRODUCT_COUNT, seed)


@pytest.fixture(scope="module")
def products() -> list[ProductRow]:
    return list(invent_products(plan()))


def test_the_same_seed_gives_the_same_products_and_another_seed_others(products: list[ProductRow]) -> None:
    assert list(invent_products(plan())) == products
    assert list(invent_products(plan(SEED + 1)))[:5] != products[:5]


def test_a_larger_catalogue_begins_like_the_smaller_one(products: list[ProductRow]) -> None:
    larger = plan_catalogue(VOCABULARY, 10 * PRODUCT_COUNT, SEED)
    assert list(islice(invent_products(larger), PRODUCT_COUNT)) == products


def test_every_category_has_products_and_nearly_everything_is_in_stock(products: list[ProductRow]) -> None:
    assert {product.category_id for product in products} == set(range(1, 61))
    sold_out = sum(product.stock == 0 for product in products)
    assert 0 < sold_out < 0.05 * len(products)
    assert min(product.stock for product in products[:500]) >= 300


def test_prices_are_rupiah_that_a_shop_would_write(products: list[ProductRow]) -> None:
    for product in products:
        assert product.price_idr % 100 == 0
        assert 1_000 <= product.price_idr <= product.list_price_idr <= 60_000_000
        low, high = VOCABULARY.shelves[product.category_id - 1].price_idr
        assert 0.9 * low <= product.price_idr <= 1.1 * high


def test_pictures_belong_to_their_category(products: list[ProductRow]) -> None:
    for product in products:
        assert product.picture_number // PICTURES_PER_SHELF == product.category_id - 1


def test_what_the_database_holds_is_what_was_invented(
    workshop: Workshop, postgres: Postgres, products: list[ProductRow]
) -> None:
    for product in products[::200]:
        stored = ask(
            postgres.url,
            "SELECT (name, price_idr, seller)::text FROM products WHERE product_id = $1",
            product.product_id,
        )
        assert product.name in stored
        assert str(product.price_idr) in stored


def test_seeding_again_leaves_the_same_shop(workshop: Workshop, postgres: Postgres) -> None:
    digest = "SELECT md5(string_agg(p::text, '' ORDER BY product_id)) FROM again.products p"
    seed_shop(postgres.url, workshop.images, "again", 300)
    first = ask(postgres.url, digest)
    progress = [json.loads(line) for line in seed_shop(postgres.url, workshop.images, "again", 300)]
    assert ask(postgres.url, digest) == first
    assert {line["step"] for line in progress} == {"products", "stock", "indexes", "pictures"}
    assert progress[-1] == {"step": "pictures", "done": 240, "total": 240}


def test_the_same_seed_draws_the_same_pictures(tmp_path: Path) -> None:
    few = Vocabulary(VOCABULARY.shelves[:1], VOCABULARY.series, VOCABULARY.motifs)
    for name in ("once", "twice"):
        assert list(draw_pictures(few, tmp_path / name, SEED)) == [1, 2, 3, 4]
    for number in range(4):
        for size in ("thumb", "full"):
            once, twice = (picture_path(tmp_path / name, number, size) for name in ("once", "twice"))
            assert once.read_bytes() == twice.read_bytes()


def test_every_motif_can_be_drawn() -> None:
    place = Placement(1.0, 0.0, 50.0)
    assert {shelf.motif for shelf in VOCABULARY.shelves} <= set(VOCABULARY.motifs)
    for shapes in VOCABULARY.motifs.values():
        for shape in shapes:
            kind, _tone, *numbers = shape.split()
            assert len(outline(kind, [float(number) for number in numbers], place).points) >= 2


def test_a_shape_that_nobody_can_draw_is_named() -> None:
    with pytest.raises(ValueError, match="'star' with 2 numbers"):
        outline("star", [1.0, 2.0], Placement(1.0, 0.0, 50.0))


@pytest.fixture(scope="module")
def past() -> list[PastOrder]:
    return list(invent_orders(plan_past(PAST_COUNT, SEED), range(1000, 1000 + PRODUCT_COUNT)))


def test_the_same_seed_gives_the_same_past_and_another_seed_another(past: list[PastOrder]) -> None:
    prices = range(1000, 1000 + PRODUCT_COUNT)
    assert list(invent_orders(plan_past(PAST_COUNT, SEED), prices)) == past
    assert next(invent_orders(plan_past(PAST_COUNT, SEED + 1), prices)) != past[0]


def test_the_past_is_spread_over_two_years_before_the_opening_in_order(past: list[PastOrder]) -> None:
    instants = [order.placed_at for order in past]
    assert all(earlier <= later for earlier, later in pairwise(instants))
    assert timedelta(days=729) < OPENED_AT - instants[0] <= timedelta(days=730)
    assert timedelta(0) < OPENED_AT - instants[-1] < timedelta(days=1)
    assert instants[PAST_COUNT // 2] - instants[0] == pytest.approx(timedelta(days=365), abs=timedelta(days=1))


def test_an_order_of_the_past_costs_what_its_lines_cost_at_the_products_prices(past: list[PastOrder]) -> None:
    for order in past:
        assert 1 <= len(order.lines) <= 3
        assert {price_idr - product_id for product_id, _, price_idr in order.lines} == {999}
        assert order.total_idr == sum(quantity * price_idr for _, quantity, price_idr in order.lines)
    assert len({order.key for order in past}) == PAST_COUNT


def test_the_past_bought_by_popularity(past: list[PastOrder]) -> None:
    lines = [product_id for order in past for product_id, *_ in order.lines]
    for most in (1, 10, 100):
        share = math.log(most + 1) / math.log(PRODUCT_COUNT + 1)
        assert sum(product_id <= most for product_id in lines) / len(lines) == pytest.approx(share, abs=0.02)


def test_two_orders_in_five_belong_to_an_account_that_came_before_or_comes_again(past: list[PastOrder]) -> None:
    owned = [order for order in past if order.account_id is not None]
    assert len(owned) / len(past) == pytest.approx(0.4, abs=0.03)
    assert len({order.account_id for order in owned}) == pytest.approx(PAST_COUNT / 10, rel=0.05)
    assert all(order.cart_id == order.account_id for order in owned)
    guests = [order.cart_id for order in past if order.account_id is None]
    assert guests == list(range(PAST_COUNT // 10 + 1, PAST_COUNT // 10 + 1 + len(guests)))


@pytest.fixture(scope="module")
def shop_with_a_past(postgres: Postgres) -> str:
    """The address of a database whose schema `WITH_PAST` is filled."""

    async def fill() -> None:
        statements = load_statements()
        await prepare_schema(postgres.url, WITH_PAST, statements.names)
        async with Database(postgres.url, WITH_PAST, name="test") as database:
            await load_shop(database, statements, plan(), plan_past(PAST_COUNT, SEED), lambda *_: None)

    asyncio.run(fill())
    return postgres.url


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("SELECT count(*) FROM orders WHERE state = 'paid' AND discount_idr = 0 AND gift_idr = 0", PAST_COUNT),
        ("SELECT count(*) FROM orders", PAST_COUNT),
        (
            """SELECT count(*) FROM orders o JOIN payments p USING (order_id, idempotency_key)
               WHERE p.state = 'captured' AND p.amount_idr = o.total_idr AND p.settled_at > o.placed_at""",
            PAST_COUNT,
        ),
        (
            """SELECT count(*) FROM orders o WHERE total_idr =
               (SELECT sum(quantity * price_idr) FROM order_lines l WHERE l.order_id = o.order_id)""",
            PAST_COUNT,
        ),
        ("SELECT count(*) FROM order_lines l JOIN products p USING (product_id) WHERE l.price_idr <> p.price_idr", 0),
        (
            """SELECT count(*) FROM stock WHERE sold <>
               (SELECT coalesce(sum(quantity), 0) FROM order_lines l WHERE l.product_id = stock.product_id)""",
            0,
        ),
        ("SELECT count(*) FROM stock WHERE on_hand + reserved + sold - returned <> initial", 0),
        ("SELECT sum(reserved + returned) FROM stock", 0),
        ("SELECT count(*) FROM ledger", 0),
        ("SELECT count(*) FROM accounts", PAST_COUNT // 10),
        ("SELECT nextval(pg_get_serial_sequence('orders', 'order_id'))", PAST_COUNT + 1),
        ("SELECT nextval(pg_get_serial_sequence('carts', 'cart_id')) - max(cart_id) FROM carts", 1),
        ("SELECT nextval(pg_get_serial_sequence('accounts', 'account_id'))", PAST_COUNT // 10 + 1),
    ],
)  # fmt: skip
def test_the_books_of_the_past_agree(shop_with_a_past: str, question: str, answer: int) -> None:
    assert ask(shop_with_a_past, question, schema=WITH_PAST) == answer


def test_a_past_leaves_the_same_units_on_hand(
    workshop: Workshop, shop_with_a_past: str, products: list[ProductRow]
) -> None:
    on_hand = ask(shop_with_a_past, "SELECT array_agg(on_hand ORDER BY product_id) FROM stock", schema=WITH_PAST)
    assert on_hand == [product.stock for product in products]


def test_nobody_shops_on_in_the_past(shop_with_a_past: str) -> None:
    stored = ask(shop_with_a_past, "SELECT DISTINCT password_hash FROM accounts", schema=WITH_PAST)
    assert not password_matches("", stored)
    longest_digest = "SELECT max(length(token_digest)) FROM carts"
    assert ask(shop_with_a_past, longest_digest, schema=WITH_PAST) < 32  # SHA-256's


def test_a_worker_holds_the_picture_of_every_product_in_two_bytes(
    shop_with_a_past: str, products: list[ProductRow]
) -> None:
    async def read() -> Sequence[int]:
        async with Database(shop_with_a_past, WITH_PAST, name="test") as database:
            return await load_picture_numbers(database)

    numbers = asyncio.run(read())
    assert list(numbers) == [product.picture_number for product in products]
    assert memoryview(numbers).nbytes == 2 * PRODUCT_COUNT  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"), [("products", 0), ("products", 1_000_001), ("past_orders", -1), ("past_orders", 1_000_001)]
)
def test_numbers_that_nobody_can_want_are_refused(name: str, value: int) -> None:
    settings = {"database_url": "", "schema": "shop", "products": 1, "seed": 1, "images_dir": "", name: value}
    with pytest.raises(ValueError, match=f"{name} is {value}, it must be between"):
        SeedSettings(**settings)


def test_no_table_refers_to_one_that_is_made_after_it() -> None:
    statements = load_statements()
    assert len(statements.names) == statements.tables.count("CREATE TABLE")
    for name in statements.names:
        before, _, own = statements.tables.partition(f"CREATE TABLE {name} ")
        for other in set(statements.names) - {name}:
            assert f"REFERENCES {other}" not in own.partition(";")[0] or f"CREATE TABLE {other} " in before


def test_a_database_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    with listen() as nobody:
        url = f"postgresql://x@127.0.0.1:{port_of(nobody)}/x"
    settings = {"database_url": url, "schema": "s", "products": 1, "seed": 1, "images_dir": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "reference_shop.seed"],
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("seed: the shop could not be filled: ")
    assert len(ended.stderr.splitlines()) == 1
