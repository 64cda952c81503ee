"""Writes the invented catalogue into the database: tables first, rows by COPY, indexes last."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice

import asyncpg  # type: ignore[import-untyped,unused-ignore]  # published without types

from reference_shop.repository.database import Connection, Database
from reference_shop.seed.catalogue import Plan, ProductRow, invent_products

Progress = Callable[[str, int, int], None]

_MARK = "made by lonjak: its reference shop lives here"
# In an order in which no table is dropped before one that refers to it.
_TABLES = (
    "payments", "order_lines", "orders", "checkouts", "cart_lines", "carts", "sessions", "accounts", "stock",
    "products", "categories",
)  # fmt: skip
_PRODUCT_COLUMNS = (
    "product_id", "category_id", "name", "brand", "seller", "seller_city", "price_idr", "list_price_idr", "weight_g",
    "rating_tenths", "review_count", "picture_number", "listed_at", "description", "keywords",
)  # fmt: skip
_ROWS_PER_COPY = 5_000


class SchemaTaken(Exception):
    """The schema exists and is not ours."""


async def prepare_schema(url: str, schema: str) -> None:
    """Create the schema, or empty the one that an earlier seed made; raises SchemaTaken for anybody else's."""
    connection = await asyncpg.connect(url)
    try:
        mark = await connection.fetchval("SELECT obj_description(to_regnamespace($1)::oid, 'pg_namespace')", schema)
        exists = await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", schema)
        if exists and mark != _MARK:
            raise SchemaTaken(
                f"the database already has a schema {schema} that is not the reference shop's; name another one"
            )
        async with connection.transaction():
            for table in _TABLES if exists else ():
                await connection.execute(f"DROP TABLE IF EXISTS {schema}.{table}")
            if not exists:
                await connection.execute(f"CREATE SCHEMA {schema}; COMMENT ON SCHEMA {schema} IS '{_MARK}'")
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class TableStatements:
    """The SQL that makes the shop's tables, and the one that makes their indexes."""

    tables: str
    indexes: str


def load_statements() -> TableStatements:
    """Read the files; before privileges are dropped, as the clone may be its owner's alone."""
    folder = files("reference_shop.repository")
    return TableStatements(
        (folder / "schema.sql").read_text(encoding="utf-8"), (folder / "indexes.sql").read_text(encoding="utf-8")
    )


async def load_catalogue(database: Database, statements: TableStatements, plan: Plan, report: Progress) -> None:
    """Create the tables and copy the catalogue in, in one transaction: a shop is seeded or it is not."""
    async with database.transaction() as connection:
        await connection.execute(statements.tables)
        await connection.copy_records_to_table(
            "categories",
            records=[
                (number, shelf.slug, shelf.name, shelf.department, 0)
                for number, shelf in enumerate(plan.vocabulary.shelves, start=1)
            ],
            columns=("category_id", "slug", "name", "department", "product_count"),
        )
        rows, done = invent_products(plan), 0
        while batch := list(islice(rows, _ROWS_PER_COPY)):
            await _copy(connection, batch)
            done += len(batch)
            report("products", done, plan.product_count)
        report("indexes", 0, 1)
        await connection.execute(statements.indexes)
        await connection.execute(
            """UPDATE categories c SET product_count = n.count
               FROM (SELECT category_id, count(*) FROM products GROUP BY category_id) n
               WHERE n.category_id = c.category_id"""
        )
        await connection.execute("ANALYZE")
        report("indexes", 1, 1)


async def _copy(connection: Connection, batch: list[ProductRow]) -> None:
    await connection.copy_records_to_table(
        "products",
        records=[tuple(getattr(row, column) for column in _PRODUCT_COLUMNS) for row in batch],
        columns=_PRODUCT_COLUMNS,
    )
    await connection.copy_records_to_table(
        "stock",
        records=[(row.product_id, row.stock, row.stock) for row in batch],
        columns=("product_id", "initial", "on_hand"),
    )
