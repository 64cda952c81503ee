"""The bench of the shop as it is called, at sizes that take seconds. Never how fast anything was."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from loadgen.exitcodes import ExitCode
from lonjak.bench.shop_reader import Read, Reading, read_pages
from tests.e2e.conftest import Place

SMALL = ("--shop-size", "0.001", "--rounds", "1", "--duration", "1", "--json")
_PAGE = b"HTTP/1.1 %d \r\nContent-Length: 3\r\n\r\nabc"


def test_product_pages_are_counted_and_timed(place: Place) -> None:
    row = measured(place, "product-page")[0]
    assert row["product_count"] == 200
    for reads in (row["closed"], row["half"]):
        assert [read["page_count"] > 0 and read["worker_cpu_s"] > 0 for read in reads] == [True]
    assert row["failed_count"] == 0
    assert 0 < row["half_p50_ms"] <= row["half_p99_ms"]["median"] <= row["half_p999_ms"]


def test_orders_are_placed_in_a_shop_with_few_and_in_one_with_many_past_orders(place: Place) -> None:
    few, many = measured(place, "order-cost")
    assert (few["past_order_count"], many["past_order_count"]) == (1, 1000)
    for row in (few, many):
        (bought,) = row["rounds"]
        assert bought["order_count"] > 0
        assert bought["failed_count"] == 0
        assert bought["worker_cpu_s"] > 0
        assert bought["database_cpu_s"] > 0
    assert few["cpu_ratio"] == 1.0
    assert many["cpu_ratio"] > 0


def test_seeding_is_timed_and_weighed(place: Place) -> None:
    (row,) = measured(place, "seeding")
    assert row["product_count"] == 1000
    assert row["seconds"] > 0
    assert (
        0
        < max(row["seed_bytes"], row["database_bytes"])
        < row["both_bytes"]
        <= row["seed_bytes"] + row["database_bytes"]
    )
    assert row["disk_bytes"] > 10_000_000  # an empty PostgreSQL has that


def measured(place: Place, section: str) -> list[dict[str, object]]:
    ended = place.run("bench", "--only", section, *SMALL)
    assert ended.returncode == ExitCode.PASS, ended.stderr
    assert place.left_over() == []
    rows: list[dict[str, object]] = json.loads(ended.stdout)["sections"][section]["rows"]
    return rows


def test_at_a_rate_an_answer_counts_from_when_its_request_was_due() -> None:
    """A server that needs 20 ms for each, asked 200 times a second over one connection, falls behind by the second."""
    read = read_from(answers_after_s=0.02, status=200, rate_per_s=200.0)
    assert read.failed_count == 0
    assert read.p99_ms > 500.0


def test_in_a_loop_an_answer_counts_from_its_own_request() -> None:
    read = read_from(answers_after_s=0.02, status=200, rate_per_s=0.0)
    assert 20.0 <= read.p50_ms < 200.0


def test_answers_that_are_no_page_are_counted_and_not_timed() -> None:
    read = read_from(answers_after_s=0.02, status=503, rate_per_s=0.0)
    assert (read.page_count, read.p99_ms) == (0, 0.0)
    assert read.failed_count > 0


def test_a_server_that_hangs_up_ends_the_measurement() -> None:
    with pytest.raises(ConnectionError, match="hung up"):
        read_from(answers_after_s=0.0, status=0, rate_per_s=0.0)


def read_from(answers_after_s: float, status: int, rate_per_s: float) -> Read:
    """Read for half a second from a server of our own; status 0 is a server that answers nothing and hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while status and await reader.readline():
                while (await reader.readline()).strip():
                    pass
                await asyncio.sleep(answers_after_s)
                writer.write(_PAGE % status)

    @asynccontextmanager
    async def served() -> AsyncIterator[int]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def read() -> Read:
        async with served() as port:
            reading = Reading(
                port=port,
                product_count=10,
                connections=1,
                rate_per_s=rate_per_s,
                warmup_s=0.1,
                seconds=0.6,
                seed=1,
                worker_pid=os.getpid(),
            )
            return await read_pages(reading)

    return asyncio.run(read())
