import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gevent
import pytest
from gevent.event import Event as Flag

from loadgen.http.answer import AnswerReader
from loadgen.http.client import Timeouts
from loadgen.http.connection import RequestTimedOut
from loadgen.http.connections import Connections
from loadgen.http.hosts import locate
from tests.engine.raw_server import OK, Gate, Peer, answering, classes, closing, full_backlog, line, raw_server, shopper
from tests.engine.scripted_shop import eventually


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the count alone is wanted


def test_requests_one_after_another_share_a_connection() -> None:
    with raw_server() as server, shopper(server.url) as (client, samples):
        responses = [client.get(f"/{number}") for number in range(3)]
    assert (server.connection_count, [line(request) for request in server.requests]) == (
        1,
        ["GET /0", "GET /1", "GET /2"],
    )
    assert [sample["exception"] for sample in samples] == [None] * 3
    assert [response.connect_us > 0 for response in responses] == [True, False, False]
    assert [response.tls_us for response in responses] == [0, 0, 0]


def test_at_most_six_connections_are_open_to_a_host_and_the_seventh_request_waits() -> None:
    gate = Gate()
    with raw_server(gate) as server, shopper(server.url) as (client, samples):
        jobs = [gevent.spawn(client.get, f"/{number}") for number in range(8)]
        eventually(lambda: len(gate.arrived) == 6)
        gevent.sleep(0.02)
        assert (sorted(gate.arrived), server.connection_count) == ([f"GET /{number}" for number in range(6)], 6)
        gate.opened.set()
        gevent.joinall(jobs, raise_error=True)
        assert (len(gate.arrived), server.connection_count) == (8, 6)
    assert sorted(sample["name"] for sample in samples) == [f"/{number}" for number in range(8)]
    assert classes(samples) == [None] * 8


def test_each_host_has_connections_of_its_own() -> None:
    first, second = Gate(), Gate()
    with raw_server(first) as one, raw_server(second) as other, shopper(one.url, connections=1) as (client, _):
        jobs = [gevent.spawn(client.get, url) for url in (one.url, other.url)]
        eventually(lambda: first.arrived and second.arrived)
        first.opened.set()
        second.opened.set()
        gevent.joinall(jobs, raise_error=True)


def test_those_who_wait_for_a_connection_are_served_in_the_order_they_came() -> None:
    gate = Gate()
    with raw_server(gate) as server, shopper(server.url, connections=1) as (client, _):
        jobs = []
        for number in range(5):
            jobs.append(gevent.spawn(client.get, f"/{number}"))
            gevent.sleep(0)
        eventually(lambda: gate.arrived)
        gate.opened.set()
        gevent.joinall(jobs, raise_error=True)
    assert gate.arrived == [f"GET /{number}" for number in range(5)]


def test_who_waits_for_a_connection_has_it_before_those_who_come_later() -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            gevent.sleep(0.002)
            peer.send(OK)

    with raw_server(script) as server, shopper(server.url, connections=1) as (client, samples):
        busy = gevent.spawn(lambda: [client.get(f"/{number}") for number in range(50)])
        gevent.sleep(0)
        client.get("/waited")
        served = [line(request) for request in server.requests]
        busy.join()
    assert served == ["GET /0", "GET /waited"]
    assert classes(samples) == [None] * 51


def test_a_free_connection_goes_to_who_waits_for_that_host() -> None:
    busy, free = Gate(), Gate()
    with raw_server(busy) as one, raw_server(free) as other, shopper(one.url, connections=1) as (client, samples):
        jobs = [gevent.spawn(client.get, url) for url in (one.url, other.url)]
        eventually(lambda: busy.arrived and free.arrived)
        for url in (one.url, other.url):
            jobs.append(gevent.spawn(client.get, url, timeout=30.0))
            gevent.sleep(0)
        free.opened.set()
        jobs[3].join(timeout=20)
        assert jobs[3].successful()
        busy.opened.set()
        gevent.joinall(jobs, raise_error=True)
    assert classes(samples) == [None] * 4


def test_who_waits_too_long_for_a_connection_is_a_failed_sample_and_was_not_sent() -> None:
    gate = Gate()
    with (
        raw_server(gate) as server,
        shopper(server.url, connections=1, timeouts=Timeouts(total_s=5)) as (client, samples),
    ):
        first = gevent.spawn(client.get, "/first")
        eventually(lambda: gate.arrived)
        second = client.get("/second", timeout=0.05)
        gate.opened.set()
        first.join()
        third = client.get("/third")
    assert ([line(request) for request in server.requests], third.status_code) == (["GET /first", "GET /third"], 200)
    assert (second.status_code, [sample["name"] for sample in samples]) == (0, ["/second", "/first", "/third"])
    assert classes(samples) == ["timeout", None, None]


def test_a_request_that_fails_frees_its_place_for_the_next() -> None:
    with raw_server(closing(b"")) as server, shopper(server.url, connections=1) as (client, samples):
        gevent.joinall([gevent.spawn(client.get, "/") for _ in range(4)], raise_error=True)
    assert (server.connection_count, classes(samples)) == (4, ["protocol"] * 4)


def test_an_idle_connection_that_the_server_has_closed_is_replaced_and_nothing_is_sent_twice() -> None:
    with raw_server(closing(OK)) as server, shopper(server.url) as (client, samples):
        client.get("/a")
        eventually(lambda: server.open_count == 0)
        gevent.sleep(0.06)
        client.post("/b", data=b"x")
    assert [line(request) for request in server.requests] == ["GET /a", "POST /b"]
    assert (server.connection_count, classes(samples)) == (2, [None, None])


def test_an_idle_connection_that_was_reset_is_replaced() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(OK)
        if peer.number == 0:
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with raw_server(script) as server, shopper(server.url) as (client, samples):
        client.get("/a")
        gevent.sleep(0.06)
        client.get("/b")
    assert (server.connection_count, classes(samples)) == (2, [None, None])


def test_a_connection_that_closes_under_a_request_is_a_failed_sample_and_nothing_is_sent_twice() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(OK)
        peer.request()

    with raw_server(script) as server, shopper(server.url) as (client, samples):
        client.get("/a")
        client.post("/b")
        client.get("/c")
    assert [line(request) for request in server.requests] == ["GET /a", "POST /b", "GET /c"]
    assert (server.connection_count, classes(samples)) == (2, [None, "protocol", None])


@pytest.mark.parametrize("surplus", [b"x", OK, b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"])
def test_a_connection_with_surplus_bytes_is_not_used_again(surplus: bytes) -> None:
    with raw_server(answering(OK + surplus, OK)) as server, shopper(server.url) as (client, samples):
        assert [client.get("/").text for _ in range(2)] == ["ok", "ok"]
    assert (server.connection_count, classes(samples)) == (2, [None, None])


def test_surplus_bytes_that_were_not_read_with_the_answer_are_seen_at_once() -> None:
    start = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    size = 65_536 - len(start % 65_000)  # as much as is read at once, exactly
    stale = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    script = answering(start % size + b"x" * size + stale, OK)
    with raw_server(script) as server, shopper(server.url) as (client, samples):
        assert [client.get("/").status_code for _ in range(2)] == [200, 200]
    assert (server.connection_count, classes(samples)) == (2, [None, None])


def test_an_idle_connection_is_not_looked_at_within_the_moment_after_its_answer_and_is_later() -> None:
    with raw_server(closing(OK)) as server, connections() as pool:
        host, now = locate(server.url)[0], time.monotonic()
        first = pool.take(host, now, 1.0, now + 5)
        first.exchange(b"GET / HTTP/1.1\r\n\r\n", AnswerReader(), 1.0, now + 5)
        eventually(lambda: server.open_count == 0)
        pool.give_back(host, first, now, stays_open=True)
        assert pool.take(host, now + 0.00001, 1.0, now + 5) is first
        pool.give_back(host, first, now, stays_open=True)
        second = pool.take(host, now + 0.001, 1.0, now + 5)
        pool.give_back(host, second, now, stays_open=False)
    assert second is not first
    assert (second.is_new, server.connection_count) == (True, 2)


def late_surplus(told: Flag) -> Any:
    def script(peer: Peer) -> None:
        while request := peer.request():
            peer.send(OK)
            if line(request) == "GET /first":
                gevent.sleep(0.005)
                peer.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
                told.set()

    return script


@pytest.mark.parametrize("idle_s", [0.06, 0.0], ids=["after a while", "at once"])
def test_surplus_bytes_that_come_later_are_no_answer_to_the_next_request(idle_s: float) -> None:
    told = Flag()
    with raw_server(late_surplus(told)) as server, shopper(server.url) as (client, _):
        assert client.get("/first").status_code == 200
        told.wait()
        gevent.sleep(idle_s)
        assert client.get("/second").status_code == 200
    assert server.connection_count == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_whose_answer_says_close_is_not_used_again(answer: bytes) -> None:
    with raw_server(answer) as server, shopper(server.url) as (client, samples):
        assert [client.get("/").text for _ in range(2)] == ["ok", "ok"]
        assert server.connection_count == 2
        eventually(lambda: server.open_count == 0)
    assert classes(samples) == [None, None]


def test_closing_a_client_closes_its_idle_connections() -> None:
    gate = Gate()
    gate.opened.set()
    with raw_server(gate) as server, shopper(server.url) as (client, _):
        gevent.joinall([gevent.spawn(client.get, "/") for _ in range(3)], raise_error=True)
        assert server.open_count == 3
        client.close()
        eventually(lambda: server.open_count == 0)
        assert client.get("/").status_code == 200


def test_a_request_that_ends_after_its_client_was_closed_leaves_no_connection_open() -> None:
    gate = Gate()
    with raw_server(gate) as server, shopper(server.url) as (client, _):
        job = gevent.spawn(client.get, "/")
        eventually(lambda: gate.arrived)
        client.close()
        gate.opened.set()
        job.join()
        eventually(lambda: server.open_count == 0)


@pytest.mark.parametrize(("when", "server_ends"), [("answering", 1), ("connecting", 0), ("waiting", 0)])
def test_a_greenlet_killed_in_mid_request_leaves_one_failed_sample_and_no_socket(when: str, server_ends: int) -> None:
    gate = Gate()
    with raw_server(gate) as server, full_backlog() as dead, shopper(server.url, connections=1) as (client, samples):
        holder = gevent.spawn(client.get, "/holder") if when == "waiting" else None
        gevent.sleep(0.02)
        before = open_files()
        job = gevent.spawn(client.get, {"answering": "/x", "connecting": f"{dead}/x", "waiting": "/x"}[when])
        gevent.sleep(0.03)
        job.kill()
        assert open_files() == before + server_ends
        [sample] = samples
        assert isinstance(sample["exception"], gevent.GreenletExit)
        assert (sample["response"].status_code, sample["name"][-2:]) == (0, "/x")
        gate.opened.set()
        if holder is not None:
            holder.join()
        assert client.get("/after").status_code == 200


def test_a_gevent_timeout_around_a_request_is_a_failed_sample_and_goes_on() -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            pass

    with raw_server(script) as server, shopper(server.url) as (client, samples):
        with pytest.raises(gevent.Timeout), gevent.Timeout(0.03):
            client.get("/")
        eventually(lambda: server.open_count == 0)
    assert classes(samples) == ["timeout"]


def test_several_greenlets_of_one_client_each_get_their_own_answer() -> None:
    def script(peer: Peer) -> None:
        while request := peer.request():
            name = line(request).encode()
            gevent.sleep(0.001 * (len(name) % 3))
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(name), name))

    with raw_server(script) as server, shopper(server.url) as (client, samples):
        jobs = {number: gevent.spawn(client.get, f"/{number}") for number in range(0, 300, 7)}
        gevent.joinall(list(jobs.values()), raise_error=True)
    assert {number: job.value.text for number, job in jobs.items()} == {number: f"GET /{number}" for number in jobs}
    assert (server.connection_count, classes(samples)) == (6, [None] * len(jobs))


def test_nobody_listening_fails_to_connect_and_leaves_no_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with shopper(f"http://127.0.0.1:{port}", connections=1) as (client, samples):
        before = open_files()
        responses = [client.get("/") for _ in range(3)]
        assert open_files() <= before
    assert ([response.status_code for response in responses], classes(samples)) == ([0] * 3, ["connect"] * 3)


def test_a_name_that_nobody_knows_fails_to_connect() -> None:
    with shopper("http://nowhere.invalid") as (client, samples):
        client.get("/")
    assert classes(samples) == ["connect"]


def test_a_shopper_speaks_ipv6() -> None:
    with raw_server(address="::1") as server, shopper(server.url) as (client, samples):
        response = client.get("/a")
    assert (response.text, response.url) == ("ok", f"http://[::1]:{server.port}/a")
    assert b"\r\nHost: [::1]:%d\r\n" % server.port in server.requests[0]
    assert classes(samples) == [None]


def test_every_connection_leaves_from_the_shoppers_own_address() -> None:
    seen = []

    def script(peer: Peer) -> None:
        seen.append(peer.socket.getpeername()[0])
        while peer.request():
            gevent.sleep(0.01)
            peer.send(OK)

    with raw_server(script) as server, shopper(server.url, source_address="127.64.3.4") as (client, _):
        gevent.joinall([gevent.spawn(client.get, "/") for _ in range(3)], raise_error=True)
    assert seen == ["127.64.3.4"] * 3


@pytest.mark.parametrize(("url", "source"), [("http://[::1]:9", "127.64.3.4"), ("http://127.0.0.1:9", "203.0.113.7")])
def test_an_address_that_cannot_be_left_from_fails_to_connect_and_leaves_no_socket(url: str, source: str) -> None:
    before = open_files()
    with shopper(url, source_address=source) as (client, samples):
        client.get("/")
        assert open_files() <= before
    assert classes(samples) == ["connect"]


@dataclass(frozen=True)
class Resolved:
    """A host whose name leads to these addresses."""

    found: tuple[tuple[int, tuple[object, ...]], ...]
    name: str = "shop.example"
    secure: bool = False

    def addresses(self, *, only_ipv4: bool) -> tuple[tuple[int, tuple[object, ...]], ...]:
        return self.found


@contextmanager
def connections() -> Iterator[Connections]:
    made = Connections(most_per_host=1, source_address=None, context=None)
    yield made
    made.close()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    "dead", ["a refusing one", "an unreachable one", "one that a machine may not speak to", "one of no family here"]
)
def test_the_next_address_of_a_name_is_tried_when_one_does_not_answer(dead: str) -> None:
    family, address = {
        "a refusing one": (socket.AF_INET, ("127.0.0.1", unused_port())),
        "an unreachable one": (socket.AF_INET, ("224.0.0.1", 80)),
        "one that a machine may not speak to": (socket.AF_INET, ("255.255.255.255", 80)),
        "one of no family here": (socket.AF_APPLETALK, ("x", 80)),
    }[dead]
    with raw_server() as server, connections() as pool:
        host: Any = Resolved(((family, address), (socket.AF_INET, ("127.0.0.1", server.port))))
        before = open_files()
        now = time.monotonic()
        pool.give_back(host, pool.take(host, now, 1.0, now + 5), now, stays_open=True)
        pool.close()
        assert open_files() <= before + 1  # the server's own end may be open still


def test_a_name_whose_addresses_all_refuse_says_the_last_ones_reason() -> None:
    with connections() as pool:
        host: Any = Resolved(((socket.AF_INET, ("127.0.0.1", unused_port())),) * 2)
        for _ in range(2):  # the place is free again after a failure
            with pytest.raises(ConnectionRefusedError):
                pool.take(host, time.monotonic(), 1.0, time.monotonic() + 5)


def test_a_name_without_addresses_is_an_os_error() -> None:
    with connections() as pool, pytest.raises(OSError, match=r"shop\.example has no address"):
        pool.take(Resolved(()), 0.0, 1.0, 5.0)  # type: ignore[arg-type]


def test_a_time_limit_that_has_passed_is_a_timeout_at_once() -> None:
    with full_backlog() as url, connections() as pool:
        now = time.monotonic()
        with pytest.raises(RequestTimedOut):
            pool.take(locate(url)[0], now, 20.0, now - 1)
        assert time.monotonic() - now < 10
