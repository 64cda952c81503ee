"""Reads product pages of a shop: `python -m lonjak.bench.shop_reader JSON`, the fields of `Reading`.

Without a rate its connections ask again as soon as they are answered (closed loop). With one, requests are due by a
Poisson schedule whatever the shop does (open loop), and an answer's time counts from the instant at which its request
was due: what this program is late by is charged to the shop. Prints one line, the fields of `Read`.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import uvloop

from lonjak.bench.queueing import percentile
from lonjak.bench.shop_connection import Connection, open_connections
from lonjak.bench.shop_stack import cpu_s

PERCENTS = (50.0, 99.0, 99.9)


@dataclass(frozen=True, slots=True)
class Reading:
    """What to do: for `seconds`, of which the first `warmup_s` do not count; `rate_per_s` 0 is a closed loop."""

    port: int
    product_count: int
    connections: int
    rate_per_s: float
    warmup_s: float
    seconds: float
    seed: int
    worker_pid: int


@dataclass(frozen=True, slots=True)
class Read:
    """What was done after the warm-up, and what it cost the worker; times of good answers in milliseconds."""

    seconds: float
    page_count: int
    failed_count: int
    worker_cpu_s: float
    p50_ms: float
    p99_ms: float
    p999_ms: float

    @property
    def per_s(self) -> float:
        """Pages per second."""
        return self.page_count / self.seconds

    @property
    def worker_cpu_ms(self) -> float:
        """Processor time of one page."""
        return self.worker_cpu_s * 1000 / max(1, self.page_count)


class _Tally:
    """Times of answers, by whether they count."""

    def __init__(self) -> None:
        self.counts = False
        self.times_s: list[float] = []
        self.failed_count = 0

    async def read(self, connection: Connection, path: str, due_s: float) -> None:
        """Fetch a page that was due at an instant of time.perf_counter."""
        answer = await connection.get(path)
        if not self.counts:
            return
        if answer.status == 200:
            self.times_s.append(time.perf_counter() - due_s)
        else:
            self.failed_count += 1


def draw_product(product_count: int, rng: random.Random) -> int:
    """Return an id by Zipf's law with exponent 1, nearly, over the whole catalogue: as the orders of the past did."""
    return int((product_count + 1) ** rng.random())


def _addresses(product_count: int, rng: random.Random) -> Iterator[str]:
    while True:
        yield f"/product/{draw_product(product_count, rng)}"


async def read_pages(reading: Reading) -> Read:
    """Do it; ConnectionError when the shop hangs up."""
    paths = _addresses(reading.product_count, random.Random(reading.seed))
    tally = _Tally()
    ask = _open_loop if reading.rate_per_s else _closed_loop
    async with open_connections(reading.connections, reading.port) as connections:
        load = asyncio.create_task(ask(reading, connections, paths, tally))
        await asyncio.sleep(reading.warmup_s)
        tally.counts, before_s, began_s = True, cpu_s(reading.worker_pid), time.perf_counter()
        await load
        seconds, worker_cpu_s = time.perf_counter() - began_s, cpu_s(reading.worker_pid) - before_s
    times_ms = [1000 * time_s for time_s in tally.times_s] or [0.0]
    percentiles_ms = [percentile(times_ms, percent) for percent in PERCENTS]
    return Read(seconds, len(tally.times_s), tally.failed_count, worker_cpu_s, *percentiles_ms)


async def _closed_loop(reading: Reading, connections: list[Connection], paths: Iterator[str], tally: _Tally) -> None:
    ends_s = time.perf_counter() + reading.seconds

    async def again_and_again(connection: Connection) -> None:
        while (now_s := time.perf_counter()) < ends_s:
            await tally.read(connection, next(paths), now_s)

    await asyncio.gather(*map(again_and_again, connections))


async def _open_loop(reading: Reading, connections: list[Connection], paths: Iterator[str], tally: _Tally) -> None:
    rng = random.Random(reading.seed + 1)
    free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
    for connection in connections:
        free.put_nowait(connection)

    async def once(connection: Connection, path: str, due_s: float) -> None:
        await tally.read(connection, path, due_s)
        free.put_nowait(connection)

    due_s = time.perf_counter()
    ends_s = due_s + reading.seconds
    async with asyncio.TaskGroup() as tasks:
        while (due_s := due_s + rng.expovariate(reading.rate_per_s)) < ends_s:
            if (early_s := due_s - time.perf_counter()) > 0:
                await asyncio.sleep(early_s)
            tasks.create_task(once(await free.get(), next(paths), due_s))


def main() -> None:
    """Read the order from the command line, and print what came of it."""
    print(json.dumps(asdict(uvloop.run(read_pages(Reading(**json.loads(sys.argv[1])))))))  # noqa: T201


if __name__ == "__main__":
    main()
