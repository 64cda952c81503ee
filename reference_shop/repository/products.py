"""Reads the catalogue: one statement per page."""

from array import array
from collections.abc import Sequence

from reference_shop.domain.catalogue import PAGE_SIZE, Category, Home, Listing, Product, ProductCard, ProductPage, Sort
from reference_shop.repository.database import Connection, Row

_CARD = """p.product_id, p.name, p.price_idr, p.list_price_idr, p.rating_tenths, p.review_count, p.seller_city,
           s.on_hand"""

_CATEGORY_ORDER = {
    Sort.POPULAR: "p.product_id",
    Sort.PRICE: "p.price_idr, p.product_id",
    Sort.NEWEST: "p.listed_at DESC, p.product_id",
}
# Paged first and joined to the stock after, so that only the rows of this page touch it.
_CATEGORY_PAGE = {
    sort: f"""
    SELECT {_CARD}
    FROM (SELECT * FROM products p WHERE category_id = $1 ORDER BY {order} LIMIT {PAGE_SIZE} OFFSET $2) p
    JOIN stock s USING (product_id) ORDER BY {order}"""  # noqa: S608  (constants only)
    for sort, order in _CATEGORY_ORDER.items()
}
_SEARCH_PAGE = f"""
    WITH hits AS MATERIALIZED (SELECT product_id FROM products WHERE document @@ websearch_to_tsquery('simple', $1)),
         page AS (SELECT product_id FROM hits ORDER BY product_id LIMIT {PAGE_SIZE} OFFSET $2)
    SELECT {_CARD}, total.result_count
    FROM (SELECT count(*) AS result_count FROM hits) total
    LEFT JOIN (page JOIN products p USING (product_id) JOIN stock s USING (product_id)) ON true
    ORDER BY p.product_id"""  # noqa: S608
_PRODUCT_PAGE = f"""
    WITH this AS (SELECT * FROM products WHERE product_id = $1),
         related AS (SELECT p.* FROM products p, this
                     WHERE p.category_id = this.category_id AND p.product_id <> $1 ORDER BY p.product_id LIMIT 6)
    SELECT {_CARD}, p.category_id, p.brand, p.seller, p.weight_g, p.description, p.listed_at
    FROM (SELECT 0 AS place, this.* FROM this UNION ALL SELECT 1, related.* FROM related) p
    JOIN stock s USING (product_id) ORDER BY p.place, p.product_id"""  # noqa: S608
_HOME = f"""
    (SELECT 'popular' AS shelf, {_CARD} FROM products p JOIN stock s USING (product_id) ORDER BY p.product_id LIMIT 12)
    UNION ALL
    (SELECT 'newest', {_CARD} FROM products p JOIN stock s USING (product_id)
     ORDER BY p.listed_at DESC, p.product_id LIMIT 12)"""  # noqa: S608


async def categories(connection: Connection) -> tuple[Category, ...]:
    """Return every category, in the order in which they are shown."""
    rows = await connection.fetch("SELECT * FROM categories ORDER BY category_id")
    return tuple(Category(**row) for row in rows)


async def picture_numbers(connection: Connection) -> Sequence[int]:
    """Return the picture of every product, that of product 1 first: two bytes each, as every worker holds them all."""
    numbers = await connection.fetchval("SELECT array_agg(picture_number ORDER BY product_id) FROM products")
    return array("H", numbers)


async def home(connection: Connection) -> Home:
    """Return the shelves of the front page."""
    rows = await connection.fetch(_HOME)
    return Home(
        popular=tuple(_card(row) for row in rows if row["shelf"] == "popular"),
        newest=tuple(_card(row) for row in rows if row["shelf"] == "newest"),
    )


async def category_page(connection: Connection, category: Category, sort: Sort, page: int) -> Listing:
    """Return one page of a category."""
    rows = await connection.fetch(_CATEGORY_PAGE[sort], category.category_id, (page - 1) * PAGE_SIZE)
    return Listing(tuple(map(_card, rows)), page, category.product_count)


async def search_page(connection: Connection, query: str, page: int) -> Listing:
    """Return one page of the products whose name, brand or category holds all words, most popular first."""
    rows = await connection.fetch(_SEARCH_PAGE, query, (page - 1) * PAGE_SIZE)
    cards = tuple(_card(row) for row in rows if row["product_id"] is not None)
    return Listing(cards, page, rows[0]["result_count"])


async def product_page(connection: Connection, product_id: int) -> ProductPage | None:
    """Return a product with up to six others of its category, or None."""
    rows = await connection.fetch(_PRODUCT_PAGE, product_id)
    if not rows:
        return None
    this, *others = rows
    product = Product(
        card=_card(this),
        category_id=this["category_id"],
        brand=this["brand"],
        seller=this["seller"],
        weight_g=this["weight_g"],
        description=this["description"],
        listed_at=this["listed_at"],
    )
    return ProductPage(product, tuple(map(_card, others)))


async def count(connection: Connection) -> int:
    """Return how many products there are; their ids run from 1 without a gap."""
    last: int = await connection.fetchval("SELECT max(product_id) FROM products")
    return last


async def list_price(connection: Connection, product_id: int) -> int:
    """Return what a product costs without a promotion."""
    price: int = await connection.fetchval("SELECT list_price_idr FROM products WHERE product_id = $1", product_id)
    return price


async def set_price(
    connection: Connection, product_id: int, price_idr: int | None, list_price_idr: int | None = None
) -> int:
    """Change price and list price, None leaves them; return the price of now. A list price is never below the price."""
    if price_idr is not None:
        await connection.execute(
            """WITH changed AS (UPDATE products
                                SET price_idr = $2, list_price_idr = greatest(coalesce($3, list_price_idr), $2)
                                WHERE product_id = $1 RETURNING product_id)
               INSERT INTO ledger (subject, change, product_id, amount_idr)
               SELECT 'price', 'set', product_id, $2 FROM changed""",
            product_id,
            price_idr,
            list_price_idr,
        )
    price: int = await connection.fetchval("SELECT price_idr FROM products WHERE product_id = $1", product_id)
    return price


def _card(row: Row) -> ProductCard:
    return ProductCard(
        row["product_id"],
        row["name"],
        row["price_idr"],
        row["list_price_idr"],
        row["rating_tenths"],
        row["review_count"],
        row["seller_city"],
        row["on_hand"],
    )
