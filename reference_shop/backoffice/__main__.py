"""`python -m reference_shop.backoffice`: reads settings from standard input, changes the shop until SIGTERM."""

import asyncio
import json
import random
import signal
import sys
from dataclasses import dataclass

from reference_shop.backoffice.office import keep_changing
from reference_shop.privileges import drop
from reference_shop.repository.database import Database
from reference_shop.serving import prepare


@dataclass(frozen=True, slots=True)
class OfficeSettings:
    """What the back office is told; the names are those of the JSON document."""

    database_url: str
    schema: str
    seed: int
    changes_per_s: float
    run_as: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a pace that is none."""
        if not 0 < self.changes_per_s <= 1000:
            raise ValueError(f"changes_per_s is {self.changes_per_s}, it must be above 0 and at most 1000")


def main() -> int:
    """Return 0 after a stop, 2 for settings that make no sense."""
    try:
        settings = OfficeSettings(**json.loads(sys.stdin.read()))
        database = Database(settings.database_url, settings.schema, name="back office", max_connections=1)
    except (ValueError, TypeError) as error:
        print(f"backoffice: the settings on standard input are wrong: {error}", file=sys.stderr)  # noqa: T201
        return 2
    prepare()
    drop(settings.run_as)
    asyncio.run(_work(database, random.Random(f"back office {settings.seed}"), settings.changes_per_s))
    return 0


async def _work(database: Database, rng: random.Random, changes_per_s: float) -> None:
    async with database:
        working = asyncio.create_task(keep_changing(database, rng, changes_per_s))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, working.cancel)
        try:
            await working
        except asyncio.CancelledError:
            return


if __name__ == "__main__":
    sys.exit(main())
