"""`lonjak shop` and `lonjak doctor` as a shell sees them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lonjak.shop_tables import defects_table, stack_table
from reference_shop.defects import DEFECTS, Defect
from reference_shop.edges import PROFILES, EdgeOptions
from reference_shop.protections import PROTECTIONS
from reference_shop.stack import ports
from reference_shop.stack.document import OriginLink
from reference_shop.stack.identity import myself
from reference_shop.throttles import KINDS, TIERS
from tests.stack.conftest import stack_in
from tests.stack.test_document import STACK

LONJAK = (sys.executable, "-m", "lonjak")
SMALL = ("--edge", "direct", "--port", "0", "--products", "50", "--workers", "1", "--changes-per-s", "0")


def lonjak(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*LONJAK, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_status_shows_every_process(shared: Path) -> None:
    stack = stack_in(shared)
    ended = lonjak("shop", "status", "--port", str(stack.port))
    lines = ended.stdout.splitlines()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert lines[0].startswith(f"{stack.url}  ready, edge {stack.edge}, 500 products, up 0:")
    assert [line.split()[:2] for line in lines[2 : lines.index("")]] == [[p.role, str(p.pid)] for p in stack.processes]


def test_status_says_what_a_stack_was_built_from_in_80_columns(shared: Path) -> None:
    built = replace(
        stack_in(shared),
        protections=("payment-timeout", "payment-retries"),
        throttles=("shop.cpu=0.5", "edge.delay-ms=20"),
        past_orders=12_000,
        urls=("http://127.0.0.1:1", "http://127.0.0.1:2"),
        edge_options=EdgeOptions(tls=True, waf=2, rate_limit_per_s=50, purge="key"),
        origin_link=OriginLink("/tmp/control.json", 7.5),
    )
    shown = stack_table(built, uptime_s=61.5).splitlines()
    assert shown[0].endswith(", up 0:01:01")
    assert shown[shown.index("") + 1 :] == [
        "points of presence  http://127.0.0.1:1, http://127.0.0.1:2",
        "edge options        TLS, WAF level 2, 50 requests per s and address, purge by",
        "                    key",
        "origin link         7.5 ms, /tmp/control.json",
        "protections on      payment-timeout, payment-retries",
        "protections off     circuit-breaker, checkout-bulkhead, load-shedding,",
        "                    waiting-room, catalogue-cache, graceful-drain",
        "throttles           shop.cpu=0.5, edge.delay-ms=20",
        "defects             none",
        "past orders         12,000",
        "changes per s       0",
    ]


def test_status_says_of_an_edge_what_it_stands_before_and_nothing_of_a_shop(shared: Path) -> None:
    shown = stack_table(replace(stack_in(shared), origin="http://shop.example"), uptime_s=61.5).splitlines()
    assert shown[0].endswith(", before http://shop.example, up 0:01:01")
    assert [line.split("  ")[0] for line in shown[shown.index("") + 1 :]] == [
        "points of presence",
        "edge options",
        "origin link",
    ]


def test_a_defect_is_a_line_and_what_shoppers_see_below_it() -> None:
    """In 80 columns."""
    lost = Defect("lost", "monitoring", "an order is lost", "acknowledged_orders")
    slow = Defect("slow-search", "scalability", "search is " + 20 * "slow ")
    assert defects_table([lost, slow]).splitlines() == [
        "defect       pillar       found by the audit as",
        "lost         monitoring   acknowledged_orders",
        "  an order is lost",
        "slow-search  scalability  -",
        "  search is slow slow slow slow slow slow slow slow slow slow slow slow slow",
        "  slow slow slow slow slow slow slow",
    ]


def test_every_defect_is_listed_for_people_and_for_programs() -> None:
    shown, told = lonjak("shop", "defects"), lonjak("shop", "defects", "--json")
    assert (shown.returncode, told.returncode, shown.stderr, told.stderr) == (0, 0, "", "")
    assert [defect["name"] for defect in json.loads(told.stdout)] == list(DEFECTS)
    lines = shown.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == list(DEFECTS)
    assert max(map(len, lines)) <= 80


def test_the_help_of_up_names_every_protection_and_throttle_and_its_examples_are_valid() -> None:
    said = lonjak("shop", "up", "--help").stdout
    assert [name for name in PROTECTIONS if f"  {name}: " not in said] == []
    assert [word for word in (*TIERS, *KINDS) if word not in said] == []
    examples = [line.split()[3:] for line in said.splitlines() if line.startswith("  lonjak shop up ")]
    assert examples
    for example in examples:
        ended = lonjak("shop", "up", *example, "--products", "0")  # the only thing that is wrong
        assert ended.stderr == "lonjak: products is 0: it must be between 1 and 1000000\n"


def test_status_for_programs_keeps_the_secret(shared: Path) -> None:
    stack = stack_in(shared)
    ended = lonjak("shop", "status", "--json", "--port", str(stack.port))
    (shown,) = json.loads(ended.stdout)
    assert (shown["url"], len(shown["processes"])) == (stack.url, len(stack.processes))
    assert stack.ops_token not in ended.stdout


@pytest.fixture
def _no_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LONJAK_STATE_DIR", str(tmp_path / "state"))


@pytest.mark.usefixtures("_no_stack")
def test_status_without_a_stack_is_one_sentence_and_exit_4() -> None:
    ended = lonjak("shop", "status")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == "lonjak: no shop is running: start one with `lonjak shop up`\n"


@pytest.mark.usefixtures("_no_stack")
def test_status_shows_shops_alone_and_says_where_edges_are_shown(tmp_path: Path) -> None:
    for port, origin in ((8080, None), (8081, "http://127.0.0.1:9")):
        folder = tmp_path / "state" / f"stack-{port}"
        folder.mkdir(parents=True)
        replace(STACK, port=port, origin=origin, supervisor=myself()).write(folder)
    shops, edges = (lonjak(group, "status", "--json") for group in ("shop", "edge"))
    assert [stack["port"] for stack in json.loads(shops.stdout)] == [8080]
    assert shops.stderr == "an edge of its own runs as well: `lonjak edge status`\n"
    assert [stack["port"] for stack in json.loads(edges.stdout)] == [8081]
    assert (shops.returncode, edges.returncode, edges.stderr) == (0, 0, "")


@pytest.mark.usefixtures("_no_stack")
def test_down_without_a_stack_is_one_sentence_and_exit_0() -> None:
    ended = lonjak("shop", "down")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "no shop is running\n", "")


def test_up_reports_all_wrong_options_at_once() -> None:
    wrong = ("--workers", "0", "--products", "0", "--edge", "akamai", "--changes-per-s", "-1", "--past-orders", "-1")
    chosen = ("--without", "moat", "--throttle", "shop.cpu=2", "--throttle", "shop", "--defect", "kindness")
    ended = lonjak("shop", "up", *wrong, *chosen)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        "lonjak: workers is 0: it must be between 1 and 64",
        "products is 0: it must be between 1 and 1000000",
        "past-orders is -1: it must be between 0 and 1000000",
        "changes-per-s is -1.0: it must be between 0 and 1000",
        f"edge profile 'akamai' is unknown: choose one of {', '.join(PROFILES)}",
        f"protection 'moat' is unknown: choose one of {', '.join(PROTECTIONS)}, all",
        "throttle 'shop.cpu=2': cpu must be a share of one core, more than 0 and at most 1, not '2'",
        "throttle 'shop' is not TIER.KIND=VALUE, as in shop.delay-ms=20",
        "defect 'kindness' is unknown: `lonjak shop defects` lists them all",
    ]


def test_up_on_a_taken_port_names_the_holder_and_starts_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = ports.number_of(taken)
        began = time.monotonic()
        ended = lonjak("shop", "up", "--edge", "direct", "--port", str(port))
    assert (ended.returncode, ended.stdout) == (4, "")
    assert f"port {port} is held by " in ended.stderr
    assert f"(pid {os.getpid()})" in ended.stderr
    assert time.monotonic() - began < 5  # a second, and room for a noisy machine


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is asked for a port that is not for everybody")
def test_up_behind_an_edge_on_a_port_for_root_only_is_refused_at_once() -> None:
    if ports.lowest_for_all() < 8:
        pytest.skip("here every port is for everybody")
    ended = lonjak("shop", "up", "--edge", "nginx", "--port", "7")
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == (
        "lonjak: port 7 is reserved for root, and the edge does not run as root: "
        f"choose one above {ports.lowest_for_all() - 1} with --port\n"
    )


def test_ctrl_c_stops_a_stack_in_the_foreground(state_dir: Path) -> None:
    command = [*LONJAK, "shop", "up", *SMALL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as shop:
        assert shop.stdout is not None
        url = shop.stdout.readline().strip()
        folder = state_dir / f"stack-{url.rpartition(':')[2]}"
        supervisor = stack_in(folder).supervisor
        shop.send_signal(signal.SIGINT)
        said, _ = shop.communicate(timeout=30)
    assert (shop.returncode, said) == (130, "")
    assert not folder.exists()
    assert not supervisor.alive


def test_a_detached_stack_stays_until_down() -> None:
    up = lonjak("shop", "up", *SMALL, "--detach")
    assert up.returncode == 0, up.stderr
    port = up.stdout.strip().rpartition(":")[2]
    assert lonjak("shop", "status", "--port", port).returncode == 0
    down = lonjak("shop", "down", "--port", port)
    assert (down.returncode, down.stdout) == (0, f"the stack on port {port} is stopped\n")
    assert lonjak("shop", "status", "--port", port).returncode == 4


def test_doctor_says_that_the_demo_can_run_here() -> None:
    ended = lonjak("doctor", "--json")
    found = json.loads(ended.stdout)
    assert (ended.returncode, found["able"]) == (0, True)
    names = {finding["name"] for finding in found["findings"]}
    assert {"Python", "PostgreSQL", "nginx", "varnish", "ModSecurity", "openssl", "port", "loopback"} <= names
    assert [finding for finding in found["findings"] if not finding["present"] and not finding["fix"]] == []
