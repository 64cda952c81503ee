"""The same seed makes the same shop, and one that could be in Indonesia."""

import json
from itertools import islice
from pathlib import Path

import pytest

from reference_shop.seed.catalogue import PICTURES_PER_SHELF, Plan, ProductRow, invent_products, plan_catalogue
from reference_shop.seed.pictures import draw_pictures, picture_path
from reference_shop.seed.shapes import Placement, outline
from reference_shop.seed.vocabulary import Vocabulary, load_vocabulary
from tests.shop.database import ask
from tests.shop.processes import PRODUCT_COUNT, SEED, Postgres, Workshop, seed_shop

VOCABULARY = load_vocabulary()


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
    assert {line["step"] for line in progress} == {"products", "indexes", "pictures"}
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
