"""Follows the ledger: ten times a second, all that changed since becomes due at the first of the caches."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count

from reference_shop.domain.errors import Unavailable
from reference_shop.purging.door import Door
from reference_shop.purging.follow import PATIENCE_S, Echoes, Seen
from reference_shop.purging.settings import PurgerSettings
from reference_shop.purging.station import Station
from reference_shop.repository import ledger
from reference_shop.repository.database import Database

PERIOD_S = 0.1
_DATABASE_AGAIN_S = 1.0

_log = logging.getLogger(__name__)


async def purge_for_ever(settings: PurgerSettings, database: Database, clock: Callable[[], float]) -> None:
    """Purge what changes, and what has changed in the minute before: a purger that died left it undone.

    Raises Unavailable when the database cannot be asked at the start.
    """
    async with database.connection() as connection:
        up_to = await ledger.last_before(connection, PATIENCE_S)
    _log.info("follows the ledger from entry %d on", up_to + 1)
    with ExitStack() as open_doors:
        # From the milliseconds of now on, so that no number comes again after a restart.
        stations = _stations(settings, count(int(time.time() * 1000)), clock, open_doors)
        async with asyncio.TaskGroup() as group:
            for station in stations:
                group.create_task(station.keep_purging())
            seen, echoes = Seen(up_to, clock), Echoes(settings.again_after_s, clock)
            group.create_task(_follow(database, seen, echoes, stations[0], clock))


def _stations(
    settings: PurgerSettings, numbers: "count[int]", clock: Callable[[], float], open_doors: ExitStack
) -> list[Station]:
    """The caches as they are to be purged, each knowing the next."""
    stations: list[Station] = []
    for door_settings in reversed(settings.doors):
        door = Door(door_settings, settings.host, numbers)
        open_doors.callback(door.close)
        stations.insert(0, Station(door_settings.cache, door.purge, stations[0] if stations else None, clock))
    return stations


async def _follow(database: Database, seen: Seen, echoes: Echoes, first: Station, clock: Callable[[], float]) -> None:
    while True:
        started = clock()
        try:
            async with database.connection() as connection:
                entries = await ledger.entries(connection, seen.up_to, seen.awaited())
        except Unavailable:
            _log.warning("the database does not answer; what changes meanwhile is purged when it does")
            await asyncio.sleep(_DATABASE_AGAIN_S)
            continue
        seen.note(entry.entry_id for entry in entries)
        changed = {entry.product_id for entry in entries if entry.product_id is not None}
        echoes.note(changed)
        if due := changed | echoes.due():
            first.add(sorted(due))
        await asyncio.sleep(max(0.0, started + PERIOD_S - clock()))
