"""Several addresses of one shop: each is looked at before the load, and sessions are spread over them."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gevent.event import Event as Flag
from locust import User
from locust.event import EventHook

from loadgen.arrivals import ArrivalSource
from loadgen.config import Load, Scenario, Shoppers
from loadgen.errors import TargetRefused, TargetUnreachable, UsageProblem
from loadgen.gate import Gate
from loadgen.hlog import read_hlog
from loadgen.http.connections import Connections
from loadgen.manifest import Manifest
from loadgen.options import Options
from loadgen.plans import Prepared, prepare
from loadgen.presence import point_of_presence
from loadgen.recorder import Recorder
from loadgen.records import COUNTERS_COLUMNS, read_rows
from loadgen.runclock import RunClock
from loadgen.session import Session
from lonjak.preflight import choose_targets
from tests.engine.certificates import certificates_in
from tests.engine.dummy_stack import DummyStack
from tests.engine.raw_server import answering, raw_server, server_context
from tests.engine.scripted_shop import ScriptedShop, scripted_shop
from tests.engine.test_runs import SEED, Locust, locust, only_run, planned_count, requests_by_kind, scenario

__all__ = ["locust"]

POPS = ("http://127.0.0.1:8081", "http://127.0.0.1:8082", "http://127.0.0.1:8083")
SCENARIO = Scenario("tiny", "", "none", None, Load(seed=5), Shoppers(segments={"web": 1.0}), (), ())
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture
def other() -> Iterator[ScriptedShop]:
    with scripted_shop() as running:
        yield running


class Sources(ArrivalSource):
    """Recognises every target, and remembers them."""

    recognised: list[str] = []  # noqa: RUF012 (emptied by the test that reads it)

    @classmethod
    def recognise(cls, scenario: Scenario, target: str) -> None:
        cls.recognised.append(target)


class LoopingUser(User):
    """A user of a locustfile of somebody's own."""


def options(folder: Path, *more_hosts: str, host: str | None = None, stack: Path | None = None) -> Options:
    return Options(
        scenario=None,
        run_dir=None,
        out=folder,
        rate=None,
        seed=None,
        allow_hosts=(),
        faults=True,
        objectives=None,
        stack=stack,
        stop_with=None,
        command=None,
        duration_s=None,
        headless=True,
        host=host,
        more_hosts=more_hosts,
    )


def prepared(chosen: Options, host: str | None, kind: type[Any] = Sources) -> Prepared:
    if kind is Sources:
        chosen = replace(chosen, scenario=scenario(chosen.out))
    return prepare(chosen, Gate(), [kind], locustfile="own.py", host=host, rate=None, duration_s=None)


def session(number: int, target: str = POPS[0]) -> Session:
    return Session(
        number,
        0.0,
        scenario=SCENARIO,
        target=target,
        recorder=Recorder(RunClock(time.time())),
        cut=Flag(),
        request_event=EventHook(),
    )


def test_each_point_of_presence_gets_its_share_of_the_sessions() -> None:
    counts = Counter(point_of_presence(POPS, 7, number) for number in range(30_000))
    assert sorted(counts) == list(POPS)
    assert all(abs(count - 10_000) < 300 for count in counts.values())


def test_the_same_seed_sends_a_session_to_the_same_point_and_another_seed_elsewhere() -> None:
    chosen = [[point_of_presence(POPS, seed, number) for number in range(100)] for seed in (7, 7, 8)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_neighbours_in_number_are_not_neighbours_in_place() -> None:
    pairs = Counter(
        (point_of_presence(POPS[:2], 7, number), point_of_presence(POPS[:2], 7, number + 1)) for number in range(4000)
    )
    assert len(pairs) == 4
    assert all(abs(count - 1000) < 150 for count in pairs.values())


def test_a_session_says_which_point_of_presence_it_speaks_to(monkeypatch: pytest.MonkeyPatch) -> None:
    assert session(3).target == POPS[0]
    monkeypatch.setattr(Session, "points_of_presence", POPS)
    opened = [session(number) for number in range(50)]
    assert [shopper.target for shopper in opened] == [point_of_presence(POPS, 5, number) for number in range(50)]
    assert all(shopper.client.base_url == shopper.target for shopper in opened)
    assert len({shopper.target for shopper in opened}) == 3


def test_a_session_that_is_opened_for_another_address_stays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "points_of_presence", POPS)
    elsewhere = "http://127.0.0.1:9/own/7"
    assert session(3, elsewhere).target == elsewhere


def test_every_point_of_presence_is_recognised_and_named_once(
    tmp_path: Path, shop: ScriptedShop, other: ScriptedShop
) -> None:
    Sources.recognised.clear()
    found = prepared(options(tmp_path, other.url + "/", shop.url, host=shop.url), shop.url)
    assert (found.targets, found.target, found.scenario.target) == ((shop.url, other.url), shop.url, shop.url)
    assert Sources.recognised == [shop.url, other.url]


def test_a_point_of_presence_that_nobody_allowed_is_refused_before_any_traffic(
    tmp_path: Path, shop: ScriptedShop
) -> None:
    with pytest.raises(TargetRefused, match=r"target 192\.0\.2\.1 is not loopback: nothing was sent"):
        prepared(options(tmp_path, "http://192.0.2.1"), shop.url)
    assert shop.count == 0


def test_a_point_of_presence_where_nobody_answers_is_told(tmp_path: Path, shop: ScriptedShop) -> None:
    with pytest.raises(TargetUnreachable, match=r"nothing answers at http://127\.0\.0\.1:1 "):
        prepared(options(tmp_path, "http://127.0.0.1:1"), shop.url)


def test_a_further_address_needs_a_first(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="give the first one with --host"):
        prepared(options(tmp_path, "http://127.0.0.1:1"), None)


def test_the_users_of_a_locustfile_have_one_address(tmp_path: Path, shop: ScriptedShop, other: ScriptedShop) -> None:
    with pytest.raises(UsageProblem, match="the users of a locustfile speak to one address: give one --target"):
        prepared(options(tmp_path, other.url), shop.url, LoopingUser)


class Lab:
    """A stack of this user with two doors."""

    def __init__(self, folder: Path, *urls: str, **more: Any) -> None:
        folder = folder / "state" / "stack-1"
        folder.mkdir(parents=True)
        self.stack = DummyStack(folder, urls[0], urls=list(urls), edge="two-tier", **more)


@pytest.fixture
def lab(
    tmp_path: Path, shop: ScriptedShop, other: ScriptedShop, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DummyStack]:
    monkeypatch.setenv("LONJAK_STATE_DIR", str(tmp_path / "state"))
    options = {"tls": False, "waf": 1, "rate_limit_per_s": None, "origin_rtt_ms": 40.0, "purge": "key", "config": None}
    stack = Lab(tmp_path, shop.url, other.url, edge_options=options, caches=["lonjak-shield", "lonjak-pop-1"]).stack
    yield stack
    stack.end()


def test_all_doors_of_the_running_stack_are_used_when_none_is_named(
    tmp_path: Path, lab: DummyStack, shop: ScriptedShop, other: ScriptedShop
) -> None:
    assert prepared(options(tmp_path), None).targets == (shop.url, other.url)
    assert prepared(options(tmp_path), shop.url).targets == (shop.url, other.url)  # a form repeats what was found
    assert prepared(options(tmp_path), None, LoopingUser).targets == (shop.url,)
    assert choose_targets(()) == (shop.url, other.url)


def test_a_door_that_is_named_is_the_only_one(
    tmp_path: Path, lab: DummyStack, shop: ScriptedShop, other: ScriptedShop
) -> None:
    for url in (shop.url, other.url):
        found = prepared(options(tmp_path, host=url), url)
        assert found.targets == (url,)
        assert found.stack is not None
        assert found.stack.path == lab.path
    assert choose_targets((shop.url + "/", other.url, shop.url)) == (shop.url, other.url)


def test_the_authority_of_the_stack_is_trusted_in_its_runs_only(
    tmp_path: Path, lab: DummyStack, shop: ScriptedShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connections, "authority", "that of a run before")
    prepared(options(tmp_path), None)
    assert Connections.authority is None
    lab.end()
    fresh = Lab(tmp_path / "secure", shop.url, ca_file="/somewhere/authority.pem").stack
    try:
        prepared(options(tmp_path, stack=fresh.path), shop.url)
        assert Connections.authority == "/somewhere/authority.pem"
    finally:
        fresh.end()


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]], ids=["alone", "two workers"])
def test_a_run_spreads_its_sessions_and_each_stays_at_its_point(
    locust: Locust, shop: ScriptedShop, other: ScriptedShop, processes: list[str]
) -> None:
    given = ["--host", shop.url, "--more-host", other.url, "--scenario", scenario(locust.folder)]
    assert locust.run(*given, *processes) == 0, locust.stderr
    planned = planned_count(2.0)
    points = Counter(point_of_presence((shop.url, other.url), SEED, number) for number in range(planned))
    for point in (shop, other):
        assert dict(point.counts) == {"/product/1": points[point.url], "/cart": points[point.url]}
    run = only_run(locust.folder)
    assert requests_by_kind(run) == {"product": planned, "cart": planned}
    manifest = Manifest.read(run.manifest)
    assert (manifest.target, manifest.targets) == (shop.url, (shop.url, other.url))


def test_a_run_at_the_running_stack_goes_through_all_its_doors_and_tells_of_its_edge(
    locust: Locust, lab: DummyStack, shop: ScriptedShop, other: ScriptedShop
) -> None:
    assert locust.run("--scenario", scenario(locust.folder)) == 0, locust.stderr
    assert shop.count + other.count == 2 * planned_count(2.0)
    assert min(shop.count, other.count) > 0
    manifest = Manifest.read(only_run(locust.folder).manifest)
    assert (manifest.edge, manifest.targets) == ("two-tier", (shop.url, other.url))
    assert manifest.caches == ("lonjak-shield", "lonjak-pop-1")
    assert (manifest.edge_options["waf"], manifest.edge_options["purge"]) == (1, "key")


@pytest.mark.parametrize("processes", [[], ["--processes", "2"]], ids=["alone", "two workers"])
def test_a_run_trusts_the_authority_of_the_stack_that_it_loads(
    locust: Locust, tmp_path: Path, processes: list[str]
) -> None:
    certificates = certificates_in(tmp_path)
    with raw_server(answering(HELLO), tls=server_context(*certificates.good)) as server:
        stack = Lab(tmp_path, server.url, ca_file=certificates.authority).stack
        try:
            assert locust.run("--scenario", scenario(locust.folder), *processes) == 0, locust.stderr
        finally:
            stack.end()
    run = only_run(locust.folder)
    rows = list(read_rows(run.counters, COUNTERS_COLUMNS))
    assert (sum(int(row["request_count"]) for row in rows), sum(int(row["failed_count"]) for row in rows)) == (
        2 * planned_count(2.0),
        0,
    )
    assert sum(line.histogram.count for line in read_hlog(run.hlog) if line.tag.measure == "tls") == planned_count(2.0)
