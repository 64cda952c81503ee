"""Templates by themselves: cards that were drawn once are kept, but only for as long as they say the same."""

from dataclasses import replace

import pytest

from reference_shop.domain.catalogue import Category, Listing, ProductCard, Sort
from reference_shop.web.files import StaticFiles
from reference_shop.web.pages import Pages

CATEGORY = Category(1, "kopi", "Kopi", "Makanan", 1)
CARD = ProductCard(7, "Kopi <Gayo>", 25_000, 30_000, 48, 12, "Medan", 5)


@pytest.fixture(scope="module")
def pages() -> Pages:
    pages = Pages(StaticFiles())
    pages.open_shop((CATEGORY,))
    return pages


def drawn(pages: Pages, *cards: ProductCard) -> str:
    listing = Listing(cards, 1, len(cards))
    values = {"category": CATEGORY, "sort": Sort.POPULAR, "sorts": {}, "listing": listing, "address": "/category/kopi"}
    return pages.draw("category.html", **values).decode()


def test_the_same_cards_are_drawn_the_same_again(pages: Pages) -> None:
    assert drawn(pages, CARD) == drawn(pages, replace(CARD))
    assert "Kopi &lt;Gayo&gt;" in drawn(pages, CARD)


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        (replace(CARD, price_idr=24_000), "Rp24.000"),
        (replace(CARD, on_hand=0), "Stok habis"),
        (replace(CARD, name="Teh"), ">Teh<"),
        (replace(CARD, seller_city="Solo"), ">Solo<"),
        (replace(CARD, rating_tenths=41), "4,1"),
        (replace(CARD, review_count=99), "(99)"),
        (replace(CARD, list_price_idr=50_000), "-50%"),
        (replace(CARD, product_id=8), "/product/8"),
    ],
)
def test_a_card_that_changed_is_drawn_anew(pages: Pages, changed: ProductCard, shown: str) -> None:
    assert shown not in drawn(pages, CARD)
    assert shown in drawn(pages, changed)
    assert shown not in drawn(pages, CARD)


def test_the_first_pictures_of_a_list_are_eager_wherever_its_cards_stood_before(pages: Pages) -> None:
    cards = tuple(replace(CARD, product_id=number) for number in range(1, 11))
    assert drawn(pages, *cards).count('loading="lazy"') == 2
    assert drawn(pages, *reversed(cards)).index("/product/10") < drawn(pages, *reversed(cards)).index('/product/1"')
