"""`python -m reference_shop.seed`: reads settings from its input, fills the shop, prints progress in JSON lines."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped,unused-ignore]  # published without types
from PIL import Image

from reference_shop.domain.errors import Unavailable
from reference_shop.privileges import drop
from reference_shop.repository.database import Database
from reference_shop.seed.catalogue import Plan, plan_catalogue
from reference_shop.seed.load import load_shop
from reference_shop.seed.past_orders import Past, plan_past
from reference_shop.seed.pictures import draw_pictures, picture_count
from reference_shop.seed.schema import SchemaTaken, TableStatements, load_statements, prepare_schema
from reference_shop.seed.vocabulary import load_vocabulary

_MAX_PRODUCTS = 1_000_000
_MAX_PAST_ORDERS = 1_000_000
# The indexes of the largest catalogue take minutes.
_QUERY_TIMEOUT_S = 1800.0


@dataclass(frozen=True, slots=True)
class SeedSettings:
    """What the seed is told; the names are those of the JSON document."""

    database_url: str
    schema: str
    products: int
    seed: int
    images_dir: str
    run_as: str | None = None
    past_orders: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError for a number of products or past orders that nobody can want."""
        for name, value, lowest, highest in (
            ("products", self.products, 1, _MAX_PRODUCTS),
            ("past_orders", self.past_orders, 0, _MAX_PAST_ORDERS),
        ):
            if not lowest <= value <= highest:
                raise ValueError(f"{name} is {value}, it must be between {lowest} and {highest}")


def main() -> int:
    """Return 0 when the shop is filled, 2 for settings that make no sense, 1 when that could not be done."""
    try:
        settings = SeedSettings(**json.loads(sys.stdin.read()))
        database = Database(settings.database_url, settings.schema, name="seed", query_timeout_s=_QUERY_TIMEOUT_S)
    except (ValueError, TypeError) as error:
        print(f"seed: the settings on standard input are wrong: {error}", file=sys.stderr)  # noqa: T201
        return 2
    plan = plan_catalogue(load_vocabulary(), settings.products, settings.seed)
    past = plan_past(settings.past_orders, settings.seed)
    statements = load_statements()
    Image.init()  # loads Pillow's formats while the interpreter can still be reached
    drop(settings.run_as)
    try:
        asyncio.run(_fill(settings, database, statements, plan, past))
    except SchemaTaken as error:
        print(f"seed: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except (Unavailable, asyncpg.PostgresError, OSError) as error:  # a full disk, a database that went away
        print(f"seed: the shop could not be filled: {error.__cause__ or error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _fill(
    settings: SeedSettings, database: Database, statements: TableStatements, plan: Plan, past: Past
) -> None:
    await prepare_schema(settings.database_url, settings.schema, statements.names)
    async with database:
        await load_shop(database, statements, plan, past, _report)
    total = picture_count(plan.vocabulary)
    for done in draw_pictures(plan.vocabulary, Path(settings.images_dir), settings.seed):
        _report("pictures", done, total)


def _report(step: str, done: int, total: int) -> None:
    print(json.dumps({"step": step, "done": done, "total": total}), flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
