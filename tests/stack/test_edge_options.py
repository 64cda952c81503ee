"""What can be asked of an edge besides its profile, before the real shop: TLS, rules, limits, a link to the origin."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests

from reference_shop.edges import EdgeOptions, programs
from reference_shop.stack import client
from reference_shop.stack.document import ProcessRecord
from reference_shop.stack.folder import STATE_VARIABLE
from reference_shop.stack.problems import ProgramAbsent
from reference_shop.stack.settings import StackSettings
from tests.stack.conftest import eventually, port_of, silent, small, stack_in
from tests.stack.test_throttles import SourceAdapter, fastest_ms, process

Start = Callable[[StackSettings], Path]
GUARDED = EdgeOptions(tls=True, waf=1, rate_limit_per_s=20)
NEAR, FAR = 30, 250  # ms


def missing(*names: str) -> bool:
    return bool(programs.missing(names))


def running(state_dir: Path, settings: StackSettings) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(STATE_VARIABLE, str(state_dir))
        folder = client.start(settings, silent).parent
        yield folder
        client.stop(port_of(folder))


@pytest.fixture(scope="module")
def guarded(state_dir: Path) -> Iterator[Path]:
    """A shop behind Varnish, behind a front that has all that Varnish lacks."""
    if missing("varnish", "nginx", "modsecurity", "openssl"):
        pytest.skip("Varnish, nginx, ModSecurity or openssl is not installed")
    yield from running(state_dir, small(edge="varnish", edge_options=GUARDED))


@pytest.fixture(scope="module")
def linked(state_dir: Path) -> Iterator[Path]:
    """A shop behind nginx and a link of 30 ms."""
    if missing("nginx"):
        pytest.skip("nginx is not installed")
    yield from running(state_dir, small(edge="nginx", edge_options=EdgeOptions(origin_rtt_ms=NEAR)))


def test_shoppers_speak_tls_to_the_front_with_a_certificate_that_only_our_authority_vouches_for(guarded: Path) -> None:
    stack = stack_in(guarded)
    assert stack.url == f"https://127.0.0.1:{port_of(guarded)}"
    assert stack.ca_file is not None
    answer = requests.get(stack.url + "/cart", verify=stack.ca_file, timeout=10)
    assert (answer.status_code, answer.headers["X-Page-Kind"]) == (200, "cart")
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(stack.url + "/cart", timeout=10)


def test_the_front_stands_before_the_cache_and_starts_after_it(guarded: Path) -> None:
    roles = [(record.role, record.tier) for record in stack_in(guarded).processes[3:]]
    assert roles == [("edge", "edge"), ("edge-log", "edge"), ("edge-front", "front")]
    assert process(guarded, "edge-front").port == port_of(guarded) != process(guarded, "edge").port


def test_attacks_are_refused_and_searches_are_not(guarded: Path) -> None:
    stack = stack_in(guarded)
    said = [
        requests.get(stack.url + "/search", params={"q": words}, verify=stack.ca_file, timeout=10).status_code
        for words in ("kopi", "<script>alert(1)</script>")
    ]
    assert said == [200, 403]


def test_an_address_that_asks_too_often_is_refused_and_others_are_not(guarded: Path) -> None:
    stack = stack_in(guarded)
    page = stack.url + "/product/1"
    with requests.Session() as greedy, requests.Session() as other:
        greedy.mount("https://", SourceAdapter("127.64.3.7"))
        other.mount("https://", SourceAdapter("127.64.3.8"))
        said = {greedy.get(page, verify=stack.ca_file, timeout=10).status_code for _ in range(200)}
        assert said == {200, 429}
        assert other.get(page, verify=stack.ca_file, timeout=10).status_code == 200


def order(folder: Path, **values: float) -> None:
    """Write the link's control file as its owner does."""
    link = stack_in(folder).origin_link
    assert link is not None
    fresh = Path(link.control).with_suffix(".new")
    fresh.write_text(json.dumps(values))
    fresh.chmod(0o644)
    fresh.replace(link.control)


def status_of(url: str) -> int:
    return requests.get(url, timeout=10).status_code


def test_the_link_stands_between_edge_and_shop_and_takes_its_time(linked: Path) -> None:
    stack = stack_in(linked)
    assert stack.origin_link is not None
    assert stack.origin_link.delay_ms == NEAR
    assert (process(linked, "origin-link").tier, [r.role for r in stack.processes[3:]]) == (
        "link",
        ["origin-link", "edge"],
    )
    assert NEAR <= fastest_ms(stack.url + "/cart") < FAR
    assert fastest_ms(stack.url + "/product/1") < NEAR  # from the cache


def test_a_link_may_become_longer_for_a_while(linked: Path) -> None:
    cart = stack_in(linked).url + "/cart"
    order(linked, delay_ms=FAR, delay_until=time.time() + 60)
    eventually(lambda: fastest_ms(cart) >= FAR)
    order(linked)
    eventually(lambda: fastest_ms(cart) < FAR)


def test_a_cut_link_leaves_what_is_in_the_cache_and_heals_by_itself(linked: Path) -> None:
    url = stack_in(linked).url
    assert status_of(url + "/product/7") == 200
    order(linked, down_until=time.time() + 300)
    eventually(lambda: status_of(url + "/cart") == 502)
    assert status_of(url + "/product/7") == 200
    order(linked, down_until=time.time() + 0.5)  # which nobody takes back
    eventually(lambda: status_of(url + "/cart") == 200)


def test_a_link_is_as_far_away_after_its_end_as_before(linked: Path) -> None:
    before = process(linked, "origin-link")
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: is_back(process(linked, "origin-link"), before))
    eventually(lambda: status_of(stack_in(linked).url + "/cart") == 200)
    assert fastest_ms(stack_in(linked).url + "/cart") >= NEAR


def is_back(now: ProcessRecord, before: ProcessRecord) -> bool:
    return now.pid != before.pid and now.ready


def test_a_held_edge_stays_away_until_its_hold_is_taken_away(linked: Path) -> None:
    stack, before = stack_in(linked), process(linked, "edge")
    hold = Path(stack.holds or "") / "edge"
    hold.write_text(str(time.time() + 60))
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: not process(linked, "edge").ready)
    time.sleep(0.5)  # without a hold it would be back by now
    with pytest.raises(requests.ConnectionError):
        requests.get(stack.url, timeout=10)
    assert process(linked, "edge").pid == before.pid
    hold.unlink()
    eventually(lambda: is_back(process(linked, "edge"), before))
    assert status_of(stack.url) == 200


def test_a_link_before_a_shop_without_an_edge_has_the_public_door_and_hides_no_client(start: Start) -> None:
    folder = start(small(edge_options=EdgeOptions(origin_rtt_ms=NEAR)))
    stack = stack_in(folder)
    assert process(folder, "origin-link").port == stack.port != process(folder, "shop-1").port
    assert fastest_ms(stack.url + "/healthz") >= NEAR
    with requests.Session() as session:
        session.mount("http://", SourceAdapter("127.64.3.7"))
        session.get(stack.url + "/healthz", timeout=10)
        connections = psutil.Process(process(folder, "shop-1").pid).net_connections()
    assert "127.64.3.7" in {connection.raddr.ip for connection in connections if connection.raddr}
    order(folder, down_until=time.time() + 60)

    def reset() -> bool:
        try:
            requests.get(stack.url + "/healthz", timeout=10)
        except requests.ConnectionError:
            return True
        return False

    eventually(reset)


def test_all_programs_that_are_missing_are_named_with_one_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(programs, "_SYSTEM_FOLDERS", ())
    with pytest.raises(ProgramAbsent) as caught:
        client.start(small(edge="two-tier", edge_options=EdgeOptions(tls=True)), silent)
    assert str(caught.value) == (
        "nginx, varnish and openssl are not installed: "
        "apt-get install -y --no-install-recommends nginx varnish varnish-modules openssl"
    )
