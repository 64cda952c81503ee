"""`python -m reference_shop.purging`: reads settings from standard input, purges what changes until SIGTERM."""

import asyncio
import os
import signal
import sys
import time

from reference_shop.privileges import drop
from reference_shop.purging.purger import purge_for_ever
from reference_shop.purging.settings import PurgerSettings
from reference_shop.repository.database import Database
from reference_shop.serving import prepare

_GRACE_S = 1.5


def main() -> int:
    """Return 0 after a stop, 2 for settings that make no sense."""
    try:
        settings = PurgerSettings.from_json(sys.stdin.read())
        database = Database(settings.database_url, settings.schema, name="purger", max_connections=1)
    except (ValueError, TypeError) as error:
        print(f"purging: the settings on standard input are wrong: {error}", file=sys.stderr)  # noqa: T201
        return 2
    prepare()
    drop(settings.run_as)
    asyncio.run(_work(settings, database))
    return 0


async def _work(settings: PurgerSettings, database: Database) -> None:
    loop = asyncio.get_running_loop()
    working = asyncio.create_task(_purge(settings, database))

    def stop() -> None:
        working.cancel()
        # A database that says nothing would keep its connection from being closed; nothing is lost without that.
        loop.call_later(_GRACE_S, os._exit, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await working
    except asyncio.CancelledError:
        return


async def _purge(settings: PurgerSettings, database: Database) -> None:
    async with database:
        await purge_for_ever(settings, database, time.monotonic)


if __name__ == "__main__":
    sys.exit(main())
