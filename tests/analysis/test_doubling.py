"""What a tier twice as large would hold: by arithmetic, and against a real one that was doubled."""

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from analysis.doubling import Capacity, double, measured_capacity

HELD_S = 0.02  # each request, one at a time in each worker
WINDOW_S = 0.1
WINDOWS = 30
MEASURED = pytest.mark.skipif("LONJAK_REAL_QUEUES" not in os.environ, reason="measures: say LONJAK_REAL_QUEUES=1")


def test_a_tier_alone_at_its_limit_holds_twice_as_much_at_best():
    found = double("shop", Capacity(50.0, 49.0, 51.0), {}, contention=(0.0, 0.0))
    assert (found.per_s, found.low_per_s, found.high_per_s, found.bound_by) == (100.0, 98.0, 102.0, "shop")


def test_contention_takes_its_part_by_amdahls_law():
    found = double("shop", Capacity(50.0, 50.0, 50.0), {}, contention=(0.1, 0.1))
    assert found.per_s == pytest.approx(100 / 1.1)


def test_another_tier_gives_out_before_twice_is_reached():
    found = double("shop", Capacity(50.0, 49.0, 51.0), {"shop": 1.0, "database": 0.8, "payment": 0.1})
    assert (found.per_s, found.bound_by) == (62.5, "database")
    assert found.sentence == (
        "With 2 times the shop, 62.5/s (61.2 to 63.8) are to be expected, and then the database gives out."
    )


def test_seconds_of_a_steady_tier_give_a_narrow_interval():
    found = measured_capacity([50.0] * 20)
    assert found == Capacity(50.0, 50.0, 50.0)


@pytest.mark.parametrize("seconds", [[], [50.0] * 9, [50.0] * 9 + [float("nan")]])
def test_too_few_seconds_or_none_are_refused(seconds):
    with pytest.raises(ValueError, match="a capacity needs 10 or more"):
        measured_capacity(seconds)


def test_a_factor_below_one_is_refused():
    with pytest.raises(ValueError, match=r"factor is 0\.5"):
        double("shop", Capacity(50.0, 49.0, 51.0), {}, factor=0.5)


@MEASURED
def test_the_prediction_for_a_tier_that_is_bound_by_its_own_limit_holds_what_its_double_does():
    one, two = map(measured_capacity, asyncio.run(both()))
    predicted = double("tier", one, {})
    print(f"one worker {one.per_s:.1f}/s; predicted {predicted}; measured {two.per_s:.1f}/s")
    assert predicted.low_per_s <= two.per_s <= predicted.high_per_s
    assert predicted.bound_by == "tier"


async def both() -> list[list[float]]:
    """One worker and two, at the same time: what else this machine does is done to both."""
    return await asyncio.gather(saturated(workers=1), saturated(workers=2))


async def saturated(workers: int) -> list[float]:
    """Answers a second in each window, of a server whose workers serve one request at a time, with clients enough."""
    answered: Counter[int] = Counter()
    loop = asyncio.get_running_loop()
    async with _server(workers) as port:
        began = loop.time()

        async def ask() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(writer):
                while (window := int((loop.time() - began) / WINDOW_S)) <= WINDOWS:
                    writer.write(b"x")
                    await reader.readexactly(1)
                    answered[window] += 1

        await asyncio.gather(*(ask() for _ in range(4 * workers)))
    return [answered[window] / WINDOW_S for window in range(1, WINDOWS)]


@contextlib.asynccontextmanager
async def _server(workers: int) -> AsyncIterator[int]:
    places = asyncio.Semaphore(workers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            while await reader.read(1):
                async with places:
                    await asyncio.sleep(HELD_S)
                writer.write(b"y")

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
