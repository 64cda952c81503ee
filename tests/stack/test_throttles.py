"""Throttled stacks, for real: what each throttle does to requests, and that nothing of it is left afterwards."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
import requests

from reference_shop.edges import programs
from reference_shop.stack import client, control_groups, ports
from reference_shop.stack.document import ProcessRecord
from reference_shop.stack.folder import STATE_VARIABLE
from reference_shop.stack.problems import StackProblem
from reference_shop.stack.settings import StackSettings
from tests.stack.conftest import CPU, eventually, port_of, silent, small, stack_in
from tests.stack.test_control_groups import cpu_s, groups_are_ours, needs_groups

Start = Callable[[StackSettings], Path]
# In milliseconds; far enough apart that a noisy machine does not blur them.
EDGE, DATABASE, SHOP, PAYMENT = 150, 100, 120, 130
DELAYS = tuple(
    f"{tier}.delay-ms={delay_ms}"
    for tier, delay_ms in (("edge", EDGE), ("database", DATABASE), ("shop", SHOP), ("payment", PAYMENT))
)
PLACES = ("shop.concurrency=2", "payment.concurrency=2", "database.concurrency=1")


@pytest.fixture(scope="module")
def slow(state_dir: Path) -> Iterator[Path]:
    """The folder of one stack, slow and narrow wherever it can be without an edge, with a back office."""
    settings = small(throttles=(*DELAYS, *PLACES), payment_latency_ms=0, changes_per_s=20, stack_cpus=(CPU,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE_VARIABLE, str(state_dir))
        folder = client.start(settings, silent).parent
        yield folder
        client.stop(port_of(folder))


def fastest_ms(url: str) -> float:
    """How long the fastest of a few requests takes, over a kept connection."""
    with requests.Session() as session:
        session.get(url, timeout=10)
        return min(session.get(url, timeout=10).elapsed.total_seconds() for _ in range(5)) * 1000


def process(folder: Path, role: str) -> ProcessRecord:
    return next(record for record in stack_in(folder).processes if record.role == role)


def behind_edge(folder: Path, path: str) -> str:
    return stack_in(folder).ops_url.replace("/ops/truth", path)


def test_the_delay_of_the_edge_is_met_at_the_public_door_alone(slow: Path) -> None:
    assert EDGE <= fastest_ms(stack_in(slow).url + "/healthz") < 2 * EDGE
    assert fastest_ms(behind_edge(slow, "/healthz")) < EDGE


def test_the_delay_of_the_database_is_met_by_what_asks_it(slow: Path) -> None:
    assert fastest_ms(behind_edge(slow, "/readyz")) >= DATABASE


def test_a_page_takes_at_least_as_much_longer_as_all_tiers_together(slow: Path, shared: Path) -> None:
    page = "/cart"  # not a page that somebody keeps
    assert fastest_ms(stack_in(slow).url + page) >= EDGE + SHOP
    assert fastest_ms(stack_in(slow).url + "/product/1?a=fresh") >= EDGE + SHOP
    assert fastest_ms(behind_edge(slow, page)) >= SHOP
    assert fastest_ms(behind_edge(shared, page)) < SHOP


def test_a_charge_takes_as_much_longer_as_the_provider_is_slow(slow: Path) -> None:
    began_at = time.monotonic()
    charge(slow)
    assert (time.monotonic() - began_at) * 1000 >= PAYMENT


def test_requests_beyond_the_places_of_a_tier_wait_for_one(slow: Path, shared: Path) -> None:
    """Two at a time, so four take two turns."""
    cart = behind_edge(slow, "/cart")
    assert four_at_once_ms(lambda: requests.get(cart, timeout=10)) >= 2 * SHOP
    assert four_at_once_ms(lambda: charge(slow)) >= 2 * PAYMENT
    cart = behind_edge(shared, "/cart")
    assert min(four_at_once_ms(lambda: requests.get(cart, timeout=10)) for _ in range(5)) < 2 * SHOP


def test_a_worker_has_no_more_database_sessions_than_its_part(slow: Path) -> None:
    four_at_once_ms(lambda: requests.get(behind_edge(slow, "/readyz"), timeout=10))
    assert len(sessions_of(slow)) == 1


def charge(folder: Path) -> None:
    """Charge a card, past the shop."""
    url = f"http://127.0.0.1:{process(folder, 'payment').port}/charges"
    body = {"amount_idr": 25_000, "card_token": "tok_approved", "order_id": 1}
    answer = requests.post(url, json=body, headers={"Idempotency-Key": str(uuid4())}, timeout=10)
    assert answer.status_code == 200, answer.text


def four_at_once_ms(ask: Callable[[], object]) -> float:
    with ThreadPoolExecutor(4) as pool:
        began_at = time.monotonic()
        for asked in [pool.submit(ask) for _ in range(4)]:
            asked.result()
        return (time.monotonic() - began_at) * 1000


def sessions_of(folder: Path) -> list[int]:
    """The ports of the database, one for each session that the shop worker has."""
    worker = psutil.Process(process(folder, "shop-1").pid)
    databases = {process(folder, role).port for role in ("database", "database-throttle")}
    return [c.raddr.port for c in worker.net_connections() if c.raddr and c.raddr.port in databases]


def test_a_throttled_stack_has_its_proxies_among_its_processes(slow: Path) -> None:
    stack = stack_in(slow)
    roles = ["database", "database-throttle", "payment", "shop-1", "edge-throttle", "backoffice"]
    assert [record.role for record in stack.processes] == roles
    assert [process(slow, f"{tier}-throttle").tier for tier in ("database", "edge")] == ["database", "edge"]
    assert (process(slow, "edge-throttle").port, process(slow, "backoffice").tier) == (stack.port, "backoffice")
    assert all(record.ready and record.identity.alive for record in stack.processes)


def test_no_process_of_a_throttled_stack_runs_as_root_or_beside_its_cpu_set(slow: Path) -> None:
    for record in stack_in(slow).processes:
        # The back office announces nothing: it may still be at its imports.
        eventually(lambda pid=record.pid: psutil.Process(pid).uids().effective != 0)
        assert os.sched_getaffinity(record.pid) == {CPU}, record.role


def test_the_shop_sees_the_clients_own_address_through_a_slow_edge(slow: Path) -> None:
    source = "127.64.3.7"
    with requests.Session() as session:
        session.mount("http://", SourceAdapter(source))
        session.get(stack_in(slow).url + "/healthz", timeout=10)
        seen = {c.raddr.ip for c in psutil.Process(process(slow, "shop-1").pid).net_connections() if c.raddr}
    assert source in seen


class SourceAdapter(requests.adapters.HTTPAdapter):
    """Connects from an address of this machine."""

    def __init__(self, source: str) -> None:
        self._source = source
        super().__init__()

    def init_poolmanager(self, *args: object, **options: object) -> None:
        super().init_poolmanager(*args, **options, source_address=(self._source, 0))  # type: ignore[arg-type]


def test_restarted_processes_are_as_slow_as_before(slow: Path) -> None:
    for role in ("shop-1", "database-throttle", "edge-throttle"):
        before = process(slow, role)
        os.kill(before.pid, signal.SIGKILL)
        eventually(lambda role=role, before=before: is_back(slow, role, before))
    assert fastest_ms(behind_edge(slow, "/cart")) >= SHOP
    assert fastest_ms(behind_edge(slow, "/readyz")) >= DATABASE
    assert fastest_ms(stack_in(slow).url + "/healthz") >= EDGE


def is_back(folder: Path, role: str, before: ProcessRecord) -> bool:
    now = process(folder, role)
    return now.pid != before.pid and now.ready


def test_the_shop_knows_its_database_only_by_way_of_the_throttle(slow: Path) -> None:
    assert set(sessions_of(slow)) == {process(slow, "database-throttle").port}


@needs_groups
@pytest.mark.skipif(bool(programs.missing(("nginx", "varnish"))), reason="nginx or Varnish is not installed")
def test_two_points_of_presence_are_slow_both_and_share_a_core(shared: Path, start: Start) -> None:
    """Before the shared shop, as if that were somebody's own."""
    throttles = (f"edge.delay-ms={EDGE}", "edge.cpu=0.5")
    folder = start(small(edge="two-tier", throttles=throttles, origin=f"http://127.0.0.1:{ops_port(shared)}"))
    stack = stack_in(folder)
    doors = {process(folder, role).port for role in ("edge-throttle", "edge-throttle-2")}
    assert [int(url.rpartition(":")[2]) in doors for url in stack.urls] == [True, True]
    assert [EDGE <= fastest_ms(url + "/healthz") < 2 * EDGE for url in stack.urls] == [True, True]
    (group,) = groups_of(folder).values()
    pops = [psutil.Process(process(folder, role).pid) for role in ("edge-pop-1", "edge-pop-2")]
    assert members(group) == {member.pid for pop in pops for member in (pop, *pop.children())}


def ops_port(folder: Path) -> int:
    """Where a stack's shop listens, behind its edge."""
    return int((stack_in(folder).ops_url or "").rpartition(":")[2].partition("/")[0])


@needs_groups
def test_a_tier_with_a_share_of_a_core_uses_no_more_and_down_takes_the_groups_of_a_killed_supervisor_away(
    start: Start,
) -> None:
    folder = start(small(throttles=("shop.cpu=0.2", "database.cpu=0.3", "payment.cpu=0.1")))
    groups = groups_of(folder)
    assert list(groups) == ["shop", "database", "payment"]
    for tier, group in groups.items():
        assert members(group) == family_of(folder, tier)
    assert cpu_while_asked(folder, during_s=1.5) < 0.25
    before = process(folder, "payment")
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: is_back(folder, "payment", before))
    assert members(groups["payment"]) == {process(folder, "payment").pid}
    os.kill(stack_in(folder).supervisor.pid, signal.SIGKILL)
    client.stop(port_of(folder))
    assert [group for group in groups.values() if group.exists()] == []


def groups_of(folder: Path) -> dict[str, Path]:
    groups = map(Path, stack_in(folder).control_groups)
    return {group.name.rpartition("-")[2]: group for group in groups}


def members(group: Path) -> set[int]:
    return set(map(int, (group / "cgroup.procs").read_text().split()))


def family_of(folder: Path, tier: str) -> set[int]:
    leader = next(record.pid for record in stack_in(folder).processes if record.tier == tier)
    return {leader, *(child.pid for child in psutil.Process(leader).children(recursive=True))}


def cpu_while_asked(folder: Path, during_s: float) -> float:
    """The share of a core that the one shop worker uses while it is asked for one page after the other."""
    worker, url = process(folder, "shop-1").pid, stack_in(folder).url + "/search?q=kopi"
    used_s, began_at = cpu_s(worker), time.monotonic()
    with requests.Session() as session:
        while time.monotonic() < began_at + during_s:
            session.get(url, timeout=10)
    return (cpu_s(worker) - used_s) / (time.monotonic() - began_at)


def test_without_writable_control_groups_nothing_is_started(monkeypatch: pytest.MonkeyPatch, state_dir: Path) -> None:
    monkeypatch.setattr(control_groups, "parents", lambda _mounts, _own: iter(()))
    before = set(state_dir.iterdir())
    with pytest.raises(StackProblem, match="a cpu throttle needs a control group, and this user cannot make one here"):
        client.start(small(throttles=("shop.cpu=0.5",)), silent)
    assert set(state_dir.iterdir()) == before


@pytest.mark.skipif(programs.find("nginx") is None, reason="nginx is not installed")
def test_a_slow_edge_stands_before_nginx_which_hears_the_clients_own_address_and_nothing_of_it_is_left(
    start: Start,
) -> None:
    cpu = ("edge.cpu=0.5",) if groups_are_ours() else ()
    folder = start(small(edge="nginx", throttles=(f"edge.delay-ms={EDGE}", "edge.concurrency=50", *cpu)))
    stack = stack_in(folder)
    assert EDGE <= fastest_ms(stack.url + "/product/1") < 2 * EDGE
    assert requests.get(stack.url + "/ops/truth", timeout=10).status_code == 404
    with requests.Session() as session:
        session.mount("http://", SourceAdapter("127.64.3.7"))
        session.get(stack.url + "/cart", timeout=10)
        connections = [c for pid in family_of(folder, "edge") for c in psutil.Process(pid).net_connections()]
        seen = {connection.raddr.ip for connection in connections if connection.raddr}
    assert "127.64.3.7" in seen
    groups = groups_of(folder)
    assert [members(group) for group in groups.values()] == [family_of(folder, "edge")] * len(cpu)
    doors = [record.port for record in stack.processes if record.tier == "edge"]
    client.stop(port_of(folder))
    assert [group for group in groups.values() if group.exists()] == []
    for door in doors:
        ports.check_free(door or 0)
