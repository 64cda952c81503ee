import gevent
import pytest

from loadgen.http.client import Timeouts
from tests.engine.raw_server import OK, Gate, Peer, body, classes, full_backlog, raw_server, shopper


def test_connecting_has_a_limit() -> None:
    with full_backlog() as url, shopper(url, timeouts=Timeouts(connect_s=0.1, total_s=5)) as (client, samples):
        client.get("/")
    assert (classes(samples), samples[0]["response"].connect_us) == (["timeout"], 0)
    assert 100 <= samples[0]["response_time"] < 4000


def test_a_pair_of_limits_is_one_to_connect_and_one_between_pieces() -> None:
    usual = Timeouts(connect_s=8, read_s=8, total_s=20)
    with full_backlog() as dead, raw_server(Gate()) as silent, shopper(silent.url, timeouts=usual) as (client, samples):
        client.get("/", timeout=(20, 0.05))
        client.get(dead, timeout=(0.05, 20))
    assert classes(samples) == ["timeout", "timeout"]
    assert [50 <= sample["response_time"] < 7000 for sample in samples] == [True, True]


def dripping(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    for _ in range(100):
        gevent.sleep(0.03)
        peer.send(b"x")


def stalling(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
    gevent.sleep(5)


def test_silence_in_the_middle_of_an_answer_has_a_limit() -> None:
    timeouts = Timeouts(read_s=0.1, total_s=5)
    with raw_server(stalling) as server, shopper(server.url, timeouts=timeouts) as (client, samples):
        response = client.get("/")
    assert (response.status_code, response.content, classes(samples)) == (0, None, ["timeout"])
    assert 100 <= samples[0]["response_time"] < 4000


def test_an_answer_that_never_ends_has_a_limit_as_a_whole() -> None:
    timeouts = Timeouts(read_s=0.2, total_s=0.3)
    with raw_server(dripping) as server, shopper(server.url, timeouts=timeouts) as (client, samples):
        response = client.get("/")
    assert (response.status_code, str(samples[0]["exception"])) == (0, "no whole answer in 0.3 s")
    assert 300 <= samples[0]["response_time"] < 4000


def test_a_slow_answer_within_its_limits_is_a_good_one() -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        for _ in range(5):
            gevent.sleep(0.1)
            peer.send(b"x")

    timeouts = Timeouts(read_s=0.4, total_s=20)
    with raw_server(script) as server, shopper(server.url, timeouts=timeouts) as (client, samples):
        response = client.get("/")
    assert (response.text, classes(samples)) == ("xxxxx", [None])
    assert 0 < response.ttfb_us < 400_000
    assert 500_000 <= response.service_us < 10_000_000


def test_a_time_limit_closes_the_connection_and_its_late_answer_is_nobodys() -> None:
    def script(peer: Peer) -> None:
        while request := peer.request():
            if b" /slow " in request:
                gevent.sleep(0.1)
            peer.send(OK.replace(b"ok", b"no" if b" /slow " in request else b"ok"))

    with raw_server(script) as server, shopper(server.url) as (client, samples):
        client.get("/slow", timeout=0.05)
        assert client.get("/fast").text == "ok"
    assert (server.connection_count, classes(samples)) == (2, ["timeout", None])


CONTENT = bytes(range(250)) * 48_000  # more than the kernel holds: what it has taken is sent, read or not


class SlowReader:
    """A server's script that takes `pieces` with a pause before each, then all the rest, and answers."""

    def __init__(self, pieces: int, pause_s: float) -> None:
        self.pieces = pieces
        self.pause_s = pause_s
        self.received = bytearray()

    def __call__(self, peer: Peer) -> None:
        while not self.received.endswith(CONTENT[-1000:]) or len(self.received) < len(CONTENT):
            self.pieces -= 1
            if self.pieces >= 0:
                gevent.sleep(self.pause_s)
            self.received += peer.socket.recv(65536)
        peer.send(OK)


@pytest.mark.parametrize(("pieces", "pause_s", "read_s"), [(10**9, 0.0, 20.0), (50, 0.02, 0.5)], ids=["steady", "slow"])
def test_a_large_request_arrives_whole_at_a_slow_reader_however_long_it_takes(
    pieces: int, pause_s: float, read_s: float
) -> None:
    reader = SlowReader(pieces, pause_s)
    timeouts = Timeouts(read_s=read_s, total_s=40)
    with (
        raw_server(reader, receive_buffer_bytes=8192) as server,
        shopper(server.url, timeouts=timeouts) as (client, samples),
    ):
        response = client.put("/", data=CONTENT)
    assert (classes(samples), response.text) == ([None], "ok")
    assert body(bytes(reader.received)) == CONTENT


def test_a_reader_that_stops_is_a_timeout() -> None:
    def script(peer: Peer) -> None:
        gevent.sleep(5)

    with raw_server(script, receive_buffer_bytes=8192) as server, shopper(server.url) as (client, samples):
        client.put("/", data=CONTENT * 2, timeout=0.1)
    assert classes(samples) == ["timeout"]
    assert 100 <= samples[0]["response_time"] < 4000
