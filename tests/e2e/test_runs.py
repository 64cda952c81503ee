"""Runs against a shop that stays up, on a database that the test may spoil."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import asyncpg
import pytest

from loadgen.exitcodes import ExitCode
from loadgen.records import read_lines
from lonjak.generator import processes
from tests.e2e.conftest import ROOT, Place
from tests.shop.conftest import postgres, shop_folder
from tests.shop.processes import Postgres

__all__ = ["postgres", "shop_folder"]

TUTORIAL = Path(__file__).with_name("tutorial_locustfile.py")
SHORT = ("--duration", "15s", "--rate", "8", "--no-faults")


@pytest.fixture(scope="module")
def shop(new_place: Callable[[], AbstractContextManager[Place]], postgres: Postgres) -> Iterator[Place]:
    with new_place() as place:
        up = place.run(
            "shop", "up", "--detach", "--port", "0", "--products", "2000", "--database-url", postgres.url, timeout_s=60
        )
        assert up.returncode == 0, up.stderr
        yield place


def acknowledged_order(shop: Place) -> int:
    """Wait until a shopper of the run has been told of an order; its id."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        lines = [line for run in shop.runs for line in read_lines(run.ledger)]
        told = [line for line in lines if line["action"] == "place_order" and line["outcome"] == "ok"]
        if told:
            return int(str(told[0]["order_id"]))
        time.sleep(0.2)
    raise AssertionError("no order was acknowledged within 60 s")


async def lose(url: str, order_id: int) -> None:
    """Make the shop forget an order."""
    connection = await asyncpg.connect(url)
    try:
        schema = await connection.fetchval("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lonjak%'")
        await connection.execute(f"SET search_path TO {schema}")
        await connection.execute("UPDATE reservations SET order_id = NULL WHERE order_id = $1", order_id)
        for table in ("payments", "order_lines", "orders"):
            await connection.execute(f"DELETE FROM {table} WHERE order_id = $1", order_id)
    finally:
        await connection.close()


def test_an_order_that_the_shop_lost_fails_the_run(shop: Place, postgres: Postgres) -> None:
    process = shop.start("run", "evening", *SHORT)
    lost = acknowledged_order(shop)
    asyncio.run(lose(postgres.url, lost))
    out, err = process.communicate(timeout=90)
    assert process.returncode == 1, out + err
    assert out.startswith("fail: ")
    assert "lost 1 acknowledged order" in out
    run = next(run for run in shop.runs if run.path.parent.name == "evening")
    assert f'"order_id":{lost}' in run.ledger.read_text()


def test_a_foreign_locustfile_is_recorded_and_reported(shop: Place) -> None:
    ended = shop.run("run", str(TUTORIAL), "--users", "5", "--duration", "10s")
    # A noisy machine may leave so short a run without a verdict.
    assert ended.returncode in (ExitCode.PASS, ExitCode.UNKNOWN), ended.stdout + ended.stderr
    run = next(run for run in shop.runs if run.path.parent.name == TUTORIAL.stem)
    kinds = {line.split(",")[1] for line in run.counters.read_text().splitlines()[1:]}
    assert kinds == {"/", "/product", "/search?q=-x"}
    assert run.report.exists()


def test_plain_locust_records_a_run(shop: Place, tmp_path: Path) -> None:
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), "--headless", "--only-summary"),
            *("-t", "8s", "--out", str(tmp_path), "--no-faults", *processes(2)),
        ],
        env=shop.environment,
        cwd=shop.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    (run,) = tmp_path.glob("evening/*")
    assert shop.run("report", str(run)).returncode in (ExitCode.PASS, ExitCode.UNKNOWN)  # of a noisy machine
    assert (run / "report.html").exists()


def test_status_shows_the_shop(shop: Place) -> None:
    ended = shop.run("shop", "status")
    assert (ended.returncode, "shop-2" in ended.stdout) == (0, True)
