"""The purger at work: what changes in a real database, caches hear of, soon and in order."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reference_shop.backoffice.changes import Change, Kind
from reference_shop.backoffice.office import carry_out
from reference_shop.domain.orders import Line
from reference_shop.domain.stock import Movement
from reference_shop.repository import products, stock
from reference_shop.repository.database import Database
from tests.shop.database import ask, put_on_shelf
from tests.shop.processes import RUN_AS, SCHEMA, Postgres, Program, wait_until
from tests.shop.purge_door import PurgeDoor, Purger, purger, settings_for
from tests.shop.shopper import Shopper, order_id_of

WATCHED = Path(__file__).with_name("watched.py")
AGAIN_AFTER_S = 1.25


@pytest.fixture
def door() -> Iterator[PurgeDoor]:
    with PurgeDoor() as one:
        yield one


@pytest.fixture
def running(postgres: Postgres, shop: Program, door: PurgeDoor, shop_folder: Path) -> Iterator[Purger]:
    """A purger of one door, by URL."""
    with purger(shop_folder, settings_for(postgres.url, [door])) as one:
        yield one


def set_price(postgres: Postgres, product_id: int) -> float:
    """Change a price; just before when."""
    begun_at = time.time()
    asyncio.run(_carry_out(postgres, Change(Kind.PROMOTION, product_id, factor=0.9)))
    return begun_at


async def _carry_out(postgres: Postgres, change: Change) -> None:
    async with Database(postgres.url, SCHEMA, name="test") as database:
        assert await carry_out(database, change)


def test_every_change_is_purged_once_at_once_and_once_more_later(
    postgres: Postgres, running: Purger, door: PurgeDoor
) -> None:
    changed_at = {product_id: set_price(postgres, product_id) for product_id in range(1101, 1111)}
    wait_until(lambda: all(len(door.of(product_id)) == 2 for product_id in changed_at), "the purges")
    delays_s = [door.of(product_id)[0].at - at for product_id, at in changed_at.items()]
    assert min(delays_s) < AGAIN_AFTER_S  # the later one is not the first
    for product_id, begun_at in changed_at.items():
        first, second = door.of(product_id)
        assert (first.target, first.host) == (f"/product/{product_id}", "shop.test:8080")
        assert second.at - begun_at > AGAIN_AFTER_S  # a busy door may hear of the first one late
    assert {knock.request_id.partition("-")[0] for knock in door.knocks} == {"purge"}
    assert len({knock.request_id for knock in door.knocks}) == len(door.knocks)


def test_an_order_purges_what_was_bought_when_it_is_placed_and_not_when_it_is_paid(
    postgres: Postgres, running: Purger, door: PurgeDoor, shopper: Shopper
) -> None:
    put_on_shelf(postgres.url, 1112, 5)
    key = shopper.prepare(1112)
    assert door.of(1112) == []
    order_id_of(shopper.pay(key))
    wait_until(lambda: len(door.of(1112)) == 2, "the purges")
    assert ask(postgres.url, "SELECT count(*) FROM ledger WHERE product_id = 1112 AND change = 'sell'") == 1
    time.sleep(0.5)
    assert len(door.of(1112)) == 2


def test_a_change_that_is_committed_late_is_not_missed(postgres: Postgres, running: Purger, door: PurgeDoor) -> None:
    async def story() -> float:
        async with Database(postgres.url, SCHEMA, name="test") as database:
            async with database.transaction() as connection:
                await products.set_price(connection, 1113, 12_300)
                async with database.connection() as other:
                    await products.set_price(other, 1114, 12_300)
                await asyncio.to_thread(wait_until, lambda: door.of(1114), "the purge of the later change")
                assert door.of(1113) == []
            return time.time()

    committed_at = asyncio.run(story())
    wait_until(lambda: door.of(1113), "the purge of the change that was committed late")
    assert door.of(1113)[0].at > committed_at - 0.05


def test_what_is_rolled_back_is_not_purged(postgres: Postgres, running: Purger, door: PurgeDoor) -> None:
    async def story() -> None:
        async with Database(postgres.url, SCHEMA, name="test") as database:
            async with database.connection() as connection:
                transaction = connection.transaction(isolation="read_committed", readonly=False)
                await transaction.__aenter__()
                await products.set_price(connection, 1115, 12_300)
                await transaction.__aexit__(ZeroDivisionError, ZeroDivisionError(), None)
            async with database.connection() as connection:
                await products.set_price(connection, 1116, 12_300)

    asyncio.run(story())
    wait_until(lambda: door.of(1116), "the purge of the change after it")
    assert door.of(1115) == []


def test_hundreds_of_changes_of_one_product_are_at_most_ten_purges_a_second(
    postgres: Postgres, running: Purger, door: PurgeDoor
) -> None:
    async def story() -> tuple[int, float]:
        async with Database(postgres.url, SCHEMA, name="test") as database, database.connection() as connection:
            started, count = time.monotonic(), 0
            while time.monotonic() < started + 2:
                await stock.move(connection, [Line(1117, "", 1, 0)], Movement.DELIVER)
                count += 1
            return count, time.monotonic() - started

    count, took_s = asyncio.run(story())
    assert count > 100
    wait_until(lambda: len(door.of(1117)) > 1 and time.time() > door.of(1117)[-1].at + AGAIN_AFTER_S + 0.5, "the end")
    *purges, _again = door.of(1117)
    assert 3 <= len(purges) <= 10 * took_s + 2


def test_caches_are_purged_in_the_order_given_by_key_where_they_can(
    postgres: Postgres, shop: Program, shop_folder: Path
) -> None:
    with ExitStack() as stack:
        shield = stack.enter_context(PurgeDoor("lonjak-shield", ("url", "key")))
        pops = [stack.enter_context(PurgeDoor(f"lonjak-pop-{number}")) for number in (1, 2)]
        shield.freed.clear()
        stack.enter_context(purger(shop_folder, settings_for(postgres.url, [shield, *pops], how="key")))
        set_price(postgres, 1118)
        wait_until(lambda: shield.knocks, "the purge of the shield")
        time.sleep(0.3)
        assert [door.of(1118) for door in pops] == [[], []]
        shield.freed.set()
        wait_until(lambda: pops[1].of(1118), "the purge of the last")
        first, second, third = (door.of(1118)[0] for door in (shield, *pops))
        assert (first.target, second.target, third.target) == ("/", "/product/1118", "/product/1118")
        assert "product-1118" in first.keys.split()
        assert first.at < second.at < third.at


def test_what_changed_while_a_cache_was_away_is_purged_when_it_is_back_and_at_the_next_one_at_once(
    postgres: Postgres, shop: Program, shop_folder: Path
) -> None:
    with ExitStack() as stack:
        shield, pop = (stack.enter_context(PurgeDoor(name)) for name in ("lonjak-shield", "lonjak-pop-1"))
        settings = settings_for(postgres.url, [shield, pop], again_after_s=None)
        with purger(shop_folder, settings) as running:
            shield.close()
            set_price(postgres, 1119)
            set_price(postgres, 1120)
            wait_until(lambda: pop.of(1119) and pop.of(1120), "the purges at the next cache")
            shield.open()
            wait_until(lambda: shield.of(1119) and shield.of(1120), "the purges at the cache that is back")
            wait_until(lambda: len(pop.of(1119)) == 2, "the second purge at the next cache")
            assert len(shield.of(1119)) == 1
            said = running.messages()
    [complaint] = [message for message in said if "not purged" in message]
    assert re.match("lonjak-shield: [0-9]+ not purged, tried again: .*(?:Connect call failed|reset by peer)", complaint)
    assert "lonjak-shield: answers again" in said


def test_it_says_what_it_did(postgres: Postgres, running: Purger, door: PurgeDoor) -> None:
    set_price(postgres, 1121)
    wait_until(lambda: any(message.endswith(": 1121") for message in running.messages()), "the line of the batch")
    [line, *_] = [message for message in running.messages() if message.endswith(": 1121")]
    assert line.startswith("cache: 1 purged in ")


def test_what_changed_before_it_began_is_purged_too(
    postgres: Postgres, shop: Program, door: PurgeDoor, shop_folder: Path
) -> None:
    set_price(postgres, 1122)
    ask(postgres.url, "UPDATE ledger SET at = at - interval '2 minutes'")
    set_price(postgres, 1123)
    with purger(shop_folder, settings_for(postgres.url, [door])):
        wait_until(lambda: door.of(1123), "the purge of the change before the start")
    assert door.of(1122) == []


@pytest.mark.parametrize("busy", [False, True])
def test_it_stops_when_told_to_even_in_the_middle_of_a_purge(
    postgres: Postgres, running: Purger, door: PurgeDoor, *, busy: bool
) -> None:
    if busy:
        door.freed.clear()
        before = len(door.knocks)
        set_price(postgres, 1124)
        wait_until(lambda: len(door.knocks) > before, "a purge that is not answered")
    status, took_s = running.stop()
    assert status == 0
    assert took_s < 2
    assert "Traceback" not in running.log.read_text()


def test_it_stops_even_when_the_database_says_nothing(postgres: Postgres, running: Purger) -> None:
    backend = ask(postgres.url, "SELECT pid FROM pg_stat_activity WHERE application_name = 'lonjak purger'")
    os.kill(backend, signal.SIGSTOP)
    try:
        time.sleep(0.3)
        status, took_s = running.stop()
    finally:
        os.kill(backend, signal.SIGCONT)
    assert status == 0
    assert took_s < 2


def test_it_survives_a_database_that_loses_its_sessions(postgres: Postgres, running: Purger, door: PurgeDoor) -> None:
    ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'lonjak purger'"
    assert ask(postgres.url, ended) == 1
    set_price(postgres, 1125)
    wait_until(lambda: door.of(1125), "the purge")
    assert running.process.poll() is None


def test_it_needs_nothing_more_once_it_has_dropped_its_rights(
    postgres: Postgres, shop: Program, shop_folder: Path, tmp_path: Path
) -> None:
    with PurgeDoor("lonjak-shield", ("key",)) as shield, PurgeDoor() as door:
        launcher = ("-P", str(WATCHED), str(tmp_path))
        with purger(shop_folder, settings_for(postgres.url, [shield, door], how="key"), launcher) as running:
            set_price(postgres, 1126)
            wait_until(lambda: door.of(1126), "the purge")
            door.close()
            set_price(postgres, 1127)
            wait_until(lambda: any("not purged" in message for message in running.messages()), "the complaint")
            door.open()
            wait_until(lambda: door.of(1127), "the purge of the door that is back")
            assert running.stop()[0] == 0
    assert (tmp_path / "reference_shop.purging").read_text().splitlines() == []


def test_settings_that_make_no_sense_are_one_sentence() -> None:
    settings = settings_for("postgresql://nobody@127.0.0.1:1/postgres", [PurgeDoor()], run_as=RUN_AS)
    done = subprocess.run(
        [sys.executable, "-m", "reference_shop.purging"],
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("purging: the settings on standard input are wrong: the door of cache is ")
    assert done.stderr.count("\n") == 1
