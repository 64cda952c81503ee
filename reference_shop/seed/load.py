"""Writes the invented shop into the database: tables first, rows by COPY, indexes last."""

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from reference_shop.repository.database import Connection, Database
from reference_shop.seed.batches import in_batches
from reference_shop.seed.catalogue import Plan, ProductRow, invent_products
from reference_shop.seed.load_past import copy_past
from reference_shop.seed.past_orders import Past
from reference_shop.seed.schema import TableStatements

Progress = Callable[[str, int, int], None]

_PRODUCT_COLUMNS = (
    "product_id", "category_id", "name", "brand", "seller", "seller_city", "price_idr", "list_price_idr", "weight_g",
    "rating_tenths", "review_count", "picture_number", "listed_at", "description", "keywords",
)  # fmt: skip
_STOCK_COLUMNS = ("product_id", "initial", "on_hand", "sold")


@dataclass(frozen=True, slots=True)
class Goods:
    """What the rest of the seed needs of each product, from id 1 on: 20 bytes instead of a row."""

    prices_idr: "array[int]" = field(default_factory=lambda: array("q"))
    on_hand: "array[int]" = field(default_factory=lambda: array("i"))
    sold: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, row: ProductRow) -> None:
        """Take the next product."""
        self.prices_idr.append(row.price_idr)
        self.on_hand.append(row.stock)
        self.sold.append(0)

    def stock_row(self, product_id: int) -> tuple[int, int, int, int]:
        """Return a product's counts in the order of `_STOCK_COLUMNS`."""
        on_hand, sold = self.on_hand[product_id - 1], self.sold[product_id - 1]
        return product_id, on_hand + sold, on_hand, sold


async def load_shop(database: Database, statements: TableStatements, plan: Plan, past: Past, report: Progress) -> None:
    """Create the tables and copy everything in, in one transaction: a shop is seeded or it is not."""
    async with database.transaction() as connection:
        await connection.execute(statements.tables)
        await _copy_categories(connection, plan)
        goods = await _copy_products(connection, plan, report)
        await copy_past(connection, past, goods.prices_idr, goods.sold, report)
        await _copy_stock(connection, goods, report)
        report("indexes", 0, 1)
        await connection.execute(statements.indexes)
        await connection.execute(
            """UPDATE categories c SET product_count = n.count
               FROM (SELECT category_id, count(*) FROM products GROUP BY category_id) n
               WHERE n.category_id = c.category_id"""
        )
    # Else the server would do it as soon as it noticed, in the middle of somebody's first measurement.
    async with database.connection() as connection:
        await connection.execute(f"VACUUM (ANALYZE) {', '.join(statements.names)}")
    report("indexes", 1, 1)


async def _copy_categories(connection: Connection, plan: Plan) -> None:
    await connection.copy_records_to_table(
        "categories",
        records=[
            (number, shelf.slug, shelf.name, shelf.department, 0)
            for number, shelf in enumerate(plan.vocabulary.shelves, start=1)
        ],
        columns=("category_id", "slug", "name", "department", "product_count"),
    )


async def _copy_products(connection: Connection, plan: Plan, report: Progress) -> Goods:
    goods = Goods()
    for batch in in_batches(invent_products(plan)):
        await connection.copy_records_to_table(
            "products",
            records=[tuple(getattr(row, column) for column in _PRODUCT_COLUMNS) for row in batch],
            columns=_PRODUCT_COLUMNS,
        )
        for row in batch:
            goods.add(row)
        report("products", len(goods.sold), plan.product_count)
    return goods


async def _copy_stock(connection: Connection, goods: Goods, report: Progress) -> None:
    """Begin with what is on hand and what the past took: on_hand + sold = initial."""
    for ids in in_batches(range(1, len(goods.sold) + 1)):
        await connection.copy_records_to_table("stock", records=map(goods.stock_row, ids), columns=_STOCK_COLUMNS)
        report("stock", ids[-1], len(goods.sold))
