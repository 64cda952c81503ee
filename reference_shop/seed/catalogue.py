"""Invents products: pure functions from a seed to rows, so that two shops of one seed hold the same goods."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from faker import Faker

from reference_shop.seed.vocabulary import Shelf, Vocabulary

PICTURES_PER_SHELF = 4
# Fixed: a catalogue that depended on the day it was made would not be the same twice.
OPENED_AT = datetime(2026, 1, 1, tzinfo=UTC)
_SELLER_COUNT = 400
_HEAD_COUNT = 500
_SOLD_OUT_RATIO = 0.02
_DISCOUNTS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A row of `products`, columns in the order of the table, and the units of stock to begin with."""

    product_id: int
    category_id: int
    name: str
    brand: str
    seller: str
    seller_city: str
    price_idr: int
    list_price_idr: int
    weight_g: int
    rating_tenths: int
    review_count: int
    picture_number: int
    listed_at: datetime
    description: str
    keywords: str
    stock: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What to invent: the same plan gives the same products. `sellers` are names with cities."""

    vocabulary: Vocabulary
    sellers: tuple[tuple[str, str], ...]
    product_count: int
    seed: int


def plan_catalogue(vocabulary: Vocabulary, product_count: int, seed: int) -> Plan:
    """Invent the sellers; afterwards nothing needs to be imported any more."""
    faker = Faker("id_ID")
    faker.seed_instance(seed)
    sellers = (
        (f"Toko {faker.last_name()} {faker.first_name()}", faker.city().removeprefix("Kota Administrasi "))
        for _ in range(_SELLER_COUNT)
    )
    return Plan(vocabulary, tuple(sellers), product_count, seed)


def invent_products(plan: Plan) -> Iterator[ProductRow]:
    """Yield the products with ids from 1; the id is the popularity rank."""
    rng = random.Random(f"catalogue {plan.seed}")
    shelves = plan.vocabulary.shelves
    # Every shelf gets a product before any gets two, so that a small shop has no empty category.
    first = rng.sample(range(len(shelves)), len(shelves))
    shares = [shelf.share for shelf in shelves]
    for product_id in range(1, plan.product_count + 1):
        place = first[product_id - 1] if product_id <= len(first) else rng.choices(range(len(shares)), shares)[0]
        yield _invent(rng, plan.vocabulary, place, product_id, rng.choice(plan.sellers))


def _invent(
    rng: random.Random, vocabulary: Vocabulary, place: int, product_id: int, seller: tuple[str, str]
) -> ProductRow:
    shelf = vocabulary.shelves[place]
    brand, noun, trait = rng.choice(shelf.brands), rng.choice(shelf.nouns), rng.choice(shelf.traits)
    series = f"{rng.choice(vocabulary.series)} {rng.randint(1, 9)}{rng.choice('ABCX')}"
    variant = rng.choice(shelf.variants)
    price_idr, list_price_idr = _invent_prices(rng, shelf)
    weight_g = rng.randint(*shelf.weight_g)
    return ProductRow(
        product_id=product_id,
        category_id=place + 1,
        name=f"{noun} {brand} {series} {trait} {variant}",
        brand=brand,
        seller=seller[0],
        seller_city=seller[1],
        price_idr=price_idr,
        list_price_idr=list_price_idr,
        weight_g=weight_g,
        rating_tenths=min(50, round(rng.triangular(36, 51, 48))),
        review_count=int(rng.lognormvariate(2.5, 1.2) * 40 / math.sqrt(product_id)) + rng.randint(0, 30),
        picture_number=place * PICTURES_PER_SHELF + rng.randrange(PICTURES_PER_SHELF),
        listed_at=OPENED_AT - timedelta(minutes=rng.randint(1, 900 * 24 * 60)),
        description=_describe(rng, f"{noun} {brand} {series}", trait, variant, seller[1]),
        keywords=shelf.name,
        stock=_invent_stock(rng, product_id),
    )


def _invent_prices(rng: random.Random, shelf: Shelf) -> tuple[int, int]:
    """Return price and list price: log-uniform over the shelf's range, ending in 900 or 000 as shops like it."""
    low, high = shelf.price_idr
    raw = math.exp(rng.uniform(math.log(low), math.log(high)))
    step = 500 if raw < 50_000 else 1_000 if raw < 1_000_000 else 10_000
    price = max(1_000, round(raw / step) * step)
    if rng.random() < 0.5 and price >= 10_000:
        price -= 100
    list_price = price
    if rng.random() < 0.35:
        list_price = math.ceil(price / (1 - rng.choice(_DISCOUNTS)) / 100) * 100
    return price, list_price


def _invent_stock(rng: random.Random, product_id: int) -> int:
    """Return units on hand: sellers keep more of what sells; some of the rest is sold out."""
    if product_id <= _HEAD_COUNT:
        return rng.randint(300, 1500)
    if rng.random() < _SOLD_OUT_RATIO:
        return 0
    return min(900, int(rng.lognormvariate(3.6, 0.9)) + 1)


_OPENINGS = (
    "{thing} hadir untuk menemani kegiatan Anda sehari-hari.",
    "Kenalkan {thing}, pilihan banyak keluarga Indonesia.",
    "{thing} dibuat dengan bahan pilihan dan pengerjaan yang rapi.",
    "Cari yang awet dan nyaman? {thing} jawabannya.",
)
_MIDDLES = (
    "Keunggulan utamanya: {trait}.",
    "Dilengkapi {trait} sehingga lebih praktis dipakai.",
    "Dengan {trait}, Anda mendapat lebih dari yang Anda bayar.",
)
_ENDINGS = (
    "Pilihan ini: {variant}. Dikirim dari {city} pada hari kerja berikutnya.",
    "Varian {variant} siap kirim dari {city}, dikemas dengan bubble wrap.",
    "Varian {variant}. Pesanan sebelum pukul 15.00 dikirim hari itu juga dari {city}.",
)
_PROMISES = (
    "Barang diperiksa sebelum dikirim dan dapat dikembalikan dalam tujuh hari.",
    "Garansi toko 30 hari; simpan kemasannya untuk penukaran.",
    "Ada pertanyaan? Penjual menjawab pada jam kerja.",
)


def _describe(rng: random.Random, thing: str, trait: str, variant: str, city: str) -> str:
    sentences = [rng.choice(choices) for choices in (_OPENINGS, _MIDDLES, _ENDINGS, _PROMISES)]
    return " ".join(sentences).format(thing=thing, trait=trait, variant=variant, city=city)
