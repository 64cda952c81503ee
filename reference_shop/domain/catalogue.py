"""Products and the lists they stand in. Product ids are the popularity rank: 1 is the product most people want."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reference_shop.domain.sales import FlashSale

PAGE_SIZE = 24
MAX_PRODUCT_ID = 2**31 - 1
MAX_QUERY_CHARACTERS = 100


class Sort(StrEnum):
    """Orders of a category page: by rank, by price ascending, or by date of listing, latest first."""

    POPULAR = "popular"
    PRICE = "price"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf; `department` is the group of shelves it stands in, `product_count` is fixed by the seed."""

    category_id: int
    slug: str
    name: str
    department: str
    product_count: int


@dataclass(frozen=True, slots=True)
class ProductCard:
    """What a list shows of a product; `list_price_idr` is the price before a discount, else the same as the price."""

    product_id: int
    name: str
    price_idr: int
    list_price_idr: int
    rating_tenths: int
    review_count: int
    seller_city: str
    on_hand: int

    @property
    def discount_percent(self) -> int:
        """Whole percent taken off the list price, 0 without a discount."""
        return 100 - round(100 * self.price_idr / self.list_price_idr)


@dataclass(frozen=True, slots=True)
class Product:
    """Everything its page tells about a product."""

    card: ProductCard
    category_id: int
    brand: str
    seller: str
    weight_g: int
    description: str
    listed_at: datetime


@dataclass(frozen=True, slots=True)
class ProductPage:
    """A product and others of its category; its flash sale, if one is open or to come; `read_at` in epoch seconds."""

    product: Product
    related: tuple[ProductCard, ...]
    sale: FlashSale | None = None
    read_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list; `page` counts from 1, `result_count` is that of all pages, `read_at` in epoch seconds."""

    cards: tuple[ProductCard, ...]
    page: int
    result_count: int
    read_at: float = 0.0

    @property
    def page_count(self) -> int:
        """How many pages the whole list has, at least 1."""
        return max(1, -(-self.result_count // PAGE_SIZE))


@dataclass(frozen=True, slots=True)
class Home:
    """What the front page shows; `read_at` in epoch seconds."""

    popular: tuple[ProductCard, ...]
    newest: tuple[ProductCard, ...]
    read_at: float = 0.0
