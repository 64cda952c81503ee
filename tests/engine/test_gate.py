import socket
import subprocess
import sys

import pytest

from loadgen.errors import TargetRefused, TargetUnreachable, UsageProblem
from loadgen.gate import Gate, RefusedConnection, is_loopback

ADDRESSES = {"shop.example": ["203.0.113.7"], "local.example": ["127.0.0.1"], "both.example": ["127.0.0.1", "8.8.8.8"]}


def resolve(host: str) -> list[str]:
    if host in ADDRESSES:
        return ADDRESSES[host]
    if host.replace(".", "").isdecimal() or ":" in host:
        return [host]
    raise OSError(f"no address for {host}")


def gate(*allowed: str) -> Gate:
    return Gate(allowed, resolve=resolve)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.64.3.9", "127.255.255.254", "::1", "::ffff:127.0.0.1", "localhost"])
def test_loopback_is_open(host: str) -> None:
    gate().check_address(host)
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.1.2.3", "0.0.0.0", "::", "fe80::1%eth0", "::ffff:8.8.8.8", "shop.example", ""])
def test_everything_else_is_closed(host: str) -> None:
    with pytest.raises(RefusedConnection, match="neither loopback"):
        gate().check_address(host)


def test_an_allowed_host_opens_its_addresses_and_no_other() -> None:
    opened = gate("shop.example")
    opened.check_address("203.0.113.7")
    opened.check_target("http://shop.example/")
    with pytest.raises(RefusedConnection):
        opened.check_address("203.0.113.8")


def test_a_target_that_resolves_elsewhere_is_refused_with_its_address() -> None:
    with pytest.raises(TargetRefused) as refused:
        gate().check_target("https://both.example/shop")
    assert str(refused.value) == (
        "target both.example (8.8.8.8) is not loopback: nothing was sent; "
        "if you may load it, allow it with --allow-host both.example"
    )


def test_a_name_that_resolves_to_loopback_needs_no_permission() -> None:
    gate().check_target("http://local.example:8080")


@pytest.mark.parametrize("url", ["shop.example", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:port/"])
def test_a_target_that_is_no_http_address_is_a_usage_problem(url: str) -> None:
    with pytest.raises(UsageProblem, match="is not an http"):
        gate().check_target(url)


def test_a_target_without_an_address_is_unreachable() -> None:
    with pytest.raises(TargetUnreachable, match=r"nowhere\.example has no address"):
        gate().check_target("http://nowhere.example")


def test_an_allowed_host_that_moved_is_looked_up_again_after_ten_seconds() -> None:
    now = [0.0]
    lookups: list[str] = []
    addresses = ["203.0.113.7"]

    def moving(host: str) -> list[str]:
        lookups.append(host)
        return list(addresses)

    opened = Gate(["shop.example"], resolve=moving, clock=lambda: now[0])
    addresses[0] = "203.0.113.99"
    now[0] = 9.9
    with pytest.raises(RefusedConnection):
        opened.check_address("203.0.113.99")
    assert len(lookups) == 1
    now[0] = 10.0
    opened.check_address("203.0.113.99")
    opened.check_address("203.0.113.7")
    assert len(lookups) == 2


def test_each_refused_address_is_told_once() -> None:
    told: list[str] = []
    closed = Gate((), resolve=resolve, on_refused=lambda host, _sentence: told.append(host))
    for host in ["10.0.0.1", "10.0.0.1", "10.0.0.2"]:
        with pytest.raises(RefusedConnection):
            closed.check_address(host)
    assert told == ["10.0.0.1", "10.0.0.2"]


def test_a_refusal_is_an_error_that_http_clients_know() -> None:
    refusal = RefusedConnection("no")
    assert isinstance(refusal, OSError)
    assert isinstance(refusal, TargetRefused)
    assert (str(refusal), refusal.exit_code) == ("no", 2)


INSTALLED = """
import gevent.monkey; gevent.monkey.patch_all()
import errno, socket, requests
from locust.contrib.fasthttp import FastHttpSession
from locust.event import EventHook
from loadgen.failures import failure_class
from loadgen.gate import Gate
told = []
Gate((), on_refused=lambda host, why: told.append(host)).install()
try:
    requests.get("http://10.1.2.3:81/", timeout=5)
except requests.ConnectionError as error:
    print("requests", failure_class(error, 0))
event = EventHook()
event.add_listener(lambda exception, **_: print("fasthttp", failure_class(exception, 0)))
FastHttpSession("http://10.1.2.4:81", event, None).get("/")
for send in (lambda s: s.sendto(b"x", ("10.1.2.5", 9)), lambda s: s.sendmsg([b"x"], [], 0, ("10.1.2.6", 9)),
             lambda s: s.connect(("10.1.2.7", 9))):
    try:
        send(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        print("sent")
    except PermissionError:
        print("udp refused")
print(socket.socket().connect_ex(("10.1.2.8", 9)) == errno.EACCES)
left, right = socket.socketpair()
left.sendall(b"open")
print(right.recv(4).decode(), told)
"""


def test_an_installed_gate_stops_every_client_of_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", INSTALLED], capture_output=True, text=True, check=True, timeout=30)
    assert ended.stdout.splitlines() == [
        "requests refused",
        "fasthttp refused",
        *["udp refused"] * 3,
        "True",
        f"open {[f'10.1.2.{last}' for last in range(3, 9)]}",
    ]


def test_a_gate_lets_loopback_through_unharmed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        program = (
            "import socket, sys\nfrom loadgen.gate import Gate\nGate(()).install()\n"
            "socket.create_connection(('127.0.0.1', int(sys.argv[1]))).close()\nprint('in')"
        )
        port = str(server.getsockname()[1])
        ended = subprocess.run(
            [sys.executable, "-c", program, port], capture_output=True, text=True, timeout=30, check=True
        )
    assert ended.stdout == "in\n"
