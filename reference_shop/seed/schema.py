"""The schema that the shop lives in: made, or emptied if it is ours, and its tables."""

import re
from dataclasses import dataclass
from importlib.resources import files

import asyncpg  # type: ignore[import-untyped,unused-ignore]  # published without types

_MARK = "made by lonjak: its reference shop lives here"
_CREATED_TABLE = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)


class SchemaTaken(Exception):
    """The schema exists and is not ours."""


@dataclass(frozen=True, slots=True)
class TableStatements:
    """The SQL that makes the shop's tables, and the one that makes the catalogue's indexes."""

    tables: str
    indexes: str

    @property
    def names(self) -> tuple[str, ...]:
        """The tables in the order in which they are made: none refers to one after it."""
        return tuple(_CREATED_TABLE.findall(self.tables))


def load_statements() -> TableStatements:
    """Read the files; before privileges are dropped, as the clone may be its owner's alone."""
    folder = files("reference_shop.repository")
    return TableStatements(
        (folder / "schema.sql").read_text(encoding="utf-8"), (folder / "indexes.sql").read_text(encoding="utf-8")
    )


async def prepare_schema(url: str, schema: str, tables: tuple[str, ...]) -> None:
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
            for table in reversed(tables) if exists else ():
                await connection.execute(f"DROP TABLE IF EXISTS {schema}.{table}")
            if not exists:
                await connection.execute(f"CREATE SCHEMA {schema}; COMMENT ON SCHEMA {schema} IS '{_MARK}'")
    finally:
        await connection.close()
