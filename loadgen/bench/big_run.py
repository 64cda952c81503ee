"""A run of an hour at thousands of requests a second, recorded in a few minutes: `python -m loadgen.bench.big_run DIR`.

Everything but the network is as in any run: each request goes through the recorder, each second as a batch over the
wire's form to the merger, which writes the run directory. Only the clock is moved by hand. The shop is invented: page
kinds and their shares of a marketplace evening behind a cache, log-normal times that follow the evening's load, a
worker that is killed at half of the time, orders, and books that agree with them.
"""

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loadgen.batch import Batch, WorkerLoad
from loadgen.config import Scenario, load_scenario, to_toml
from loadgen.http.cookies import CookieJar
from loadgen.http.hosts import Host
from loadgen.http.request import Request, header_lines
from loadgen.http.response import BadStatus, ShopperResponse
from loadgen.manifest import Manifest, Plan, WorkerEntry
from loadgen.merger import Merger
from loadgen.occupancy import Occupancy
from loadgen.recorder import Recorder
from loadgen.records import ORIGIN_COLUMNS, ORIGIN_KEYS_COLUMNS, Event, Json, LedgerLine, RowWriter, append_line
from loadgen.runclock import RunClock
from loadgen.rundir import RunDirectory
from loadgen.sampler import Sample

STARTED_AT = 1_795_421_700.25
WORKER = "worker-1"
_POOL = 1 << 14  # times of a kind that are drawn beforehand
_REQUESTS_PER_SESSION = 30
_STAY_S = 0.5
_SEGMENTS = ("phone", "web", "app")
_FAULT_S, _DISTURBED_S = 30, 12  # the fault's own length, and how long shoppers feel it
_SLOWED = 6.0
_CACHE = b"lonjak-nginx; "
_SHARED, _PERSONAL = b"public, max-age=60", b"private, no-store"
_PROCESSES = (
    ("generator", WORKER, 0.55), ("generator", "master", 0.2), ("edge", "nginx", 0.5), ("shop", "shop-1", 0.7),
    ("shop", "shop-2", 0.7), ("backoffice", "backoffice", 0.05), ("database", "database", 0.6),
    ("payment", "payment", 0.1),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A page kind: its share of all requests, the caches' share of it, and its median time from the shop."""

    name: str
    share: float
    hit_ratio: float
    shop_ms: float
    body_bytes: int
    addresses: int = 1


KINDS = (
    Kind("static", 0.55, 0.97, 4.0, 24_000, 60),
    Kind("product", 0.14, 0.75, 18.0, 14_000, 400),
    Kind("fragment", 0.10, 0.0, 6.0, 900),
    Kind("category", 0.06, 0.85, 22.0, 18_000, 40),
    Kind("search", 0.05, 0.35, 35.0, 16_000, 200),
    Kind("home", 0.035, 0.95, 20.0, 20_000),
    Kind("cart", 0.025, 0.0, 15.0, 6_000),
    Kind("checkout", 0.012, 0.0, 30.0, 7_000),
    Kind("payment", 0.009, 0.0, 60.0, 3_000),
    Kind("confirmation", 0.007, 0.0, 14.0, 4_000),
    Kind("login", 0.006, 0.0, 45.0, 2_500),
    Kind("account", 0.003, 0.0, 12.0, 5_000),
    Kind("orders", 0.003, 0.0, 25.0, 8_000),
)


class HandClock:
    """A clock that stands where it was put."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        """Seconds since the run's start."""
        return self.now_s

    def wall(self) -> float:
        """Seconds since the epoch."""
        return STARTED_AT + self.now_s


class Samples:
    """One way in which a page kind is answered, with times to take from: hit, miss or failed."""

    def __init__(self, kind: Kind, random_: random.Random, *, hit: bool, failed: bool) -> None:
        median_us = 1000.0 * (1.2 if hit else 300.0 if failed else kind.shop_ms)
        self._times = [random_.lognormvariate(math.log(median_us), 0.3 if hit else 0.6) for _ in range(_POOL)]
        self._responses = [_response(kind, number, hit=hit, failed=failed) for number in range(kind.addresses)]
        self._place = 0

    def tell(self, recorder: Recorder, count: int, at_s: float, slower: float, lag_us: Callable[[], int]) -> None:
        """Record `count` samples of a second that began at `at_s`, each of a response of its own time."""
        head = b"HTTP/1.1 200 OK\r\nX-Generated-At: %.3f\r\n" % (STARTED_AT + at_s - 2.0)
        for response in self._responses:
            response.head = head
        times, responses, place = self._times, self._responses, self._place
        for number in range(count):
            place += 1
            # The most wanted addresses first, as in Zipf's law: what is left of a uniform number's logarithm.
            response = responses[int(len(responses) ** (times[-place % _POOL] % 1.0)) - 1]
            service_us = int(times[place % _POOL] * slower)
            response.service_us, response.ttfb_us = service_us, int(service_us * 0.9)
            response.lag_us = lag_us()
            response.ended_at = at_s + number / (count + 1)
            recorder.on_response(response)
        self._place = place


def _response(kind: Kind, number: int, *, hit: bool, failed: bool) -> ShopperResponse:
    path = f"/{kind.name}/{number + 1}"
    asked = Request("GET", Host("http", "127.0.0.1", 8080), path, header_lines({}))
    response = ShopperResponse(asked, kind.name, {}, CookieJar(), lambda _response: None)
    response.status_code = 503 if failed else 200
    response.exception = BadStatus("503") if failed else None
    response.body_bytes = kind.body_bytes
    if kind.hit_ratio:
        response.cache_status = _CACHE + (b"hit; ttl=30" if hit else b"fwd=uri-miss; stored")
        response.cache_control = _SHARED
    else:
        response.cache_status, response.cache_control = _CACHE + b"fwd=bypass", _PERSONAL
    return response


class Evening:
    """What happens in each second."""

    def __init__(self, recorder: Recorder, clock: HandClock, duration_s: int, rate_per_s: float, seed: int) -> None:
        self._recorder, self._clock = recorder, clock
        self._duration_s, self._rate_per_s = duration_s, rate_per_s
        self._random = random.Random(seed)
        self._samples = {
            kind: {
                (hit, failed): Samples(kind, self._random, hit=hit, failed=failed)
                for hit, failed in ((True, False), (False, False), (False, True))
            }
            for kind in KINDS
        }
        self._attempts = 0
        self.occupancy = Occupancy(clock.monotonic)
        self.orders: list[LedgerLine] = []
        self.answered: list[tuple[int, Kind, int, int]] = []  # second, kind, by caches, by the shop

    def pass_second(self, second: int) -> None:
        """Record everything of a second; the clock stands at its end afterwards."""
        self._clock.now_s = float(second)
        share = 1 + 0.1 * math.sin(second / 300)
        disturbed = 0 <= second - self._duration_s // 2 < _DISTURBED_S
        slower = (1.0 + 0.3 * share) * (_SLOWED if disturbed else 1.0)
        for kind in KINDS:
            self._requests(kind, second, self._near(self._rate_per_s * share * kind.share), slower, disturbed)
        sessions = self._near(self._rate_per_s * share / _REQUESTS_PER_SESSION)
        for number in range(sessions):
            self._session(second, number)
        self._clock.now_s = second + _STAY_S
        for number in range(sessions):
            self.occupancy.leave()
            segment = _SEGMENTS[number % 3]
            self._recorder.session_ended(second, segment, "finished", int(_STAY_S * 1_000_000))
        self._clock.now_s = second + 0.999
        self._recorder.loop_lag(WORKER, self._random.randrange(200, 8000))

    def _requests(self, kind: Kind, second: int, count: int, slower: float, disturbed: bool) -> None:
        failed = self._near(count * (0.08 if disturbed else 0.0005))
        hits = min(count - failed, self._near(count * kind.hit_ratio))
        self.answered.append((second, kind, hits, count - hits))
        lag_us = self._lag if kind.name in ("home", "product", "search") else _no_lag
        for key, part in (((True, False), hits), ((False, True), failed), ((False, False), count - failed - hits)):
            self._samples[kind][key].tell(self._recorder, max(0, part), float(second), slower, lag_us)

    def _lag(self) -> int:
        """One request in seven begins a session, and counts from its scheduled instant."""
        draw = self._random.random()
        return int(draw * 7 * 1500) if draw < 1 / 7 else 0

    def _session(self, second: int, number: int) -> None:
        recorder = self._recorder
        segment = _SEGMENTS[number % 3]
        self.occupancy.enter()
        recorder.session_arrived(second, segment, self._random.randrange(50, 4000))
        recorder.session_reached(second, segment, "product")
        if number % 4 == 0:
            recorder.session_reached(second, segment, "cart")
            self._attempt("add_to_cart", second, ((number % 100 + 1, 1),))
        if number % 33 == 0:
            for step in ("checkout", "payment", "paid"):
                recorder.session_reached(second, segment, step)
            recorder.session_paid(second, segment, 42.5)
            self.orders.append(self._attempt("place_order", second, ((number % 100 + 1, 1),)))

    def _attempt(self, action: str, second: int, items: tuple[tuple[int, int], ...]) -> LedgerLine:
        self._attempts += 1
        at, order = STARTED_AT + second + self._random.random(), action == "place_order"
        line = LedgerLine(
            at,
            "place_order" if order else "add_to_cart",
            "ok",
            self._attempts,
            f"{self._random.getrandbits(128):032x}" if order else None,
            self._attempts if order else None,
            150_000 if order else None,
            items,
        )
        self._recorder.attempt(line)
        return line

    def _near(self, mean: float) -> int:
        """A count with the scatter of a Poisson process around its mean."""
        return max(0, round(self._random.gauss(mean, math.sqrt(mean))))


def _no_lag() -> int:
    return 0


def record(folder: Path, duration_s: int, rate_per_s: float, seed: int) -> RunDirectory:
    """Write the run into `folder`, which must not be there yet."""
    folder.mkdir(parents=True)
    run, clock = RunDirectory(folder), HandClock()
    run_clock = RunClock(STARTED_AT, now=clock.wall, monotonic=clock.monotonic)
    scenario = _scenario(duration_s, rate_per_s, seed)
    manifest = _manifest(scenario)
    manifest.write(run.manifest)
    run.scenario.write_text(to_toml(scenario), encoding="utf-8")
    merger = Merger(run, run_clock, (scenario.load.warmup_s, float(duration_s)))
    merger.expect([WORKER])
    recorder = Recorder(run_clock)
    evening = Evening(recorder, clock, duration_s, rate_per_s, seed)
    for second in range(duration_s):
        evening.pass_second(second)
        _hand_in(merger, recorder, second + 1, evening.occupancy.spent_s)
        merger.samples(_samples(second, evening._random))
        if second == duration_s // 2:
            _tell_fault(merger, second)
        if second % 60 == 59:
            print(f"{second + 1}", flush=True)  # noqa: T201  (a program that is followed)
    merger.event(Event(STARTED_AT + duration_s, "arrivals_ended", {}))
    merger.event(Event(STARTED_AT + duration_s + 1, "run_ended", {"complete": True, "interrupted": False}))
    merger.close()
    _write_origin(run, evening.answered)
    _write_truth(run, evening.orders, STARTED_AT + duration_s + 1)
    replace(manifest, ended_at=STARTED_AT + duration_s + 1, complete=True).write(run.manifest)
    return run


def _hand_in(merger: Merger, recorder: Recorder, until_s: int, spent_s: float) -> None:
    load = WorkerLoad(4711, 0.55, 400 << 20, 0, spent_s=spent_s)
    batch = Batch(WORKER, tuple(recorder.take(until_s)), until_s, load)
    merger.accept(Batch.from_wire(batch.to_wire()))


def _tell_fault(merger: Merger, second: int) -> None:
    detail: Mapping[str, Json] = {"fault": "kill-worker", "tier": "shop", "role": "shop-1", "pid": 4242}
    merger.event(Event(STARTED_AT + second, "fault_started", detail))
    merger.event(Event(STARTED_AT + second + _FAULT_S, "fault_ended", detail))


def _samples(second: int, random_: random.Random) -> Iterator[Sample]:
    for pid, (tier, role, cpu_ratio) in enumerate(_PROCESSES, start=1000):
        yield Sample(second, tier, role, pid, cpu_ratio * (0.9 + 0.2 * random_.random()), 200 << 20, 40)


def _scenario(duration_s: int, rate_per_s: float, seed: int) -> Scenario:
    sessions_per_s = rate_per_s / _REQUESTS_PER_SESSION
    given = {"rate": f"{sessions_per_s:g}", "duration": f"{duration_s}s", "seed": str(seed)}
    scenario = load_scenario("evening", given)
    return replace(scenario, faults=(), flash_sale=None, target="http://127.0.0.1:8080")


def _manifest(scenario: Scenario) -> Manifest:
    load = scenario.load
    return Manifest(
        scenario=scenario.name,
        seed=load.seed,
        target="http://127.0.0.1:8080",
        edge="nginx",
        plan=Plan("partly-open", load.rate_per_s, load.duration_s, load.warmup_s, load.drain_s),
        started_at=STARTED_AT,
        command="python -m loadgen.bench.big_run",
        workers=(WorkerEntry(WORKER, 4711, 0.0),),
        caches=("lonjak-nginx",),
    )


def _write_origin(run: RunDirectory, answered: Sequence[tuple[int, Kind, int, int]]) -> None:
    """What edge and shop logged: what a cache did not answer reached the shop."""
    rows = RowWriter(run.origin, ORIGIN_COLUMNS)
    for second, kind, hits, asked in answered:
        for tier, status, number in (("edge", "hit", hits), ("edge", "miss", asked), ("shop", "client", asked)):
            names = {"tier": tier, "page_kind": kind.name, "cache_status": status}
            counts = {"request_count": number, "sent_bytes": number * kind.body_bytes}
            rows.write({"elapsed_s": second, **names, **counts})
    rows.close()
    keys = RowWriter(run.origin_keys, ORIGIN_KEYS_COLUMNS)
    for number in range(1, 1001):
        names = {"tier": "shop", "page_kind": "product", "key": f"/product/{number}"}
        keys.write({**names, "request_count": 60, "burst_count": 50, "largest_burst_count": 3})
    keys.close()


def _write_truth(run: RunDirectory, orders: list[LedgerLine], at: float) -> None:
    """The shop's books: every order is there, paid and charged once."""
    with run.truth.open("w", encoding="utf-8") as file:
        for order in orders:
            key: dict[str, Json] = {"order_id": order.order_id, "idempotency_key": order.idempotency_key}
            amount: dict[str, Json] = {"amount_idr": order.amount_idr, "state": "captured"}
            append_line(file, {"type": "order", **key, "state": "paid", "total_idr": order.amount_idr})
            append_line(file, {"type": "payment", **key, **amount})
            append_line(file, {"type": "charge", **key, **amount, "at": order.at})
        append_line(file, {"type": "end", "lines": 3 * len(orders), "at": at})


def main(arguments: list[str]) -> int:
    """Record a run as the arguments say; every minute of it is told on stdout."""
    parser = argparse.ArgumentParser(prog="python -m loadgen.bench.big_run", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--rate", type=float, default=5000.0, help="requests per second at the evening's height")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args(arguments)
    record(given.folder, given.seconds, given.rate, given.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
