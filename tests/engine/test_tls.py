from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent import ssl
from locust.env import Environment

from loadgen.http.client import ShopperClient, Timeouts
from loadgen.http.connections import Connections
from loadgen.http.tls import TlsStream, client_context
from loadgen.user import LonjakUser
from scenarios.reference_facts import MARK
from scenarios.reference_recognition import why_not_recognised
from tests.engine.certificates import Certificates, certificates_in
from tests.engine.raw_server import (
    OK,
    Peer,
    RawServer,
    Sample,
    answering,
    classes,
    closing,
    line,
    raw_server,
    server_context,
    shopper,
)
from tests.engine.scripted_shop import eventually


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates_in(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def trusting(certificates: Certificates) -> Any:
    return certificates.context()


class TlsShop:
    """Answers everything with the same page, and notes of each connection whether it resumed and its protocol."""

    def __init__(self) -> None:
        self.resumed: list[bool] = []
        self.versions: list[str] = []
        self.protocols: list[str | None] = []

    def __call__(self, peer: Peer) -> None:
        self.resumed.append(peer.socket.session_reused)
        self.versions.append(peer.socket.version())
        self.protocols.append(peer.socket.selected_alpn_protocol())
        answering(OK)(peer)


@pytest.fixture
def tls_shop() -> TlsShop:
    return TlsShop()


@pytest.fixture
def server(certificates: Certificates, tls_shop: TlsShop) -> Iterator[RawServer]:
    with raw_server(tls_shop, tls=server_context(*certificates.good)) as running:
        yield running


def test_the_first_request_of_a_connection_says_how_long_the_handshake_took(server: RawServer, trusting: Any) -> None:
    with shopper(server.url, tls_context=trusting) as (client, samples):
        first, second = client.get("/a"), client.get("/b")
    assert (first.text, second.text, classes(samples)) == ("ok", "ok", [None, None])
    assert (second.connect_us, second.tls_us, server.connection_count) == (0, 0, 1)
    assert first.connect_us > 0
    assert 0 < first.tls_us < first.ttfb_us <= first.service_us
    assert first.url == f"https://127.0.0.1:{server.port}/a"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_authority_that_nobody_knows_is_refused(server: RawServer, host: str) -> None:
    with shopper(f"https://{host}:{server.port}") as (client, samples):
        assert client.get("/").status_code == 0
        eventually(lambda: server.open_count == 0)
    assert (classes(samples), server.requests) == (["tls"], [])


@pytest.mark.parametrize("kind", ["for_another_name", "expired"])
def test_a_certificate_for_another_name_or_another_time_is_refused(
    certificates: Certificates, trusting: Any, kind: str
) -> None:
    context = server_context(*getattr(certificates, kind))
    with raw_server(tls=context) as server, shopper(server.url, tls_context=trusting) as (client, samples):
        client.get("/")
        eventually(lambda: server.open_count == 0)
    assert (classes(samples), server.requests) == (["tls"], [])
    assert {"for_another_name": "IP address mismatch", "expired": "has expired"}[kind] in str(samples[0]["exception"])


@pytest.mark.parametrize("kind", ["good", "for_another_name", "expired"])
def test_who_does_not_verify_accepts_any_certificate(certificates: Certificates, kind: str) -> None:
    context = server_context(*getattr(certificates, kind))
    with (
        raw_server(tls=context) as server,
        shopper(server.url, tls_context=client_context(verify=False)) as (client, samples),
    ):
        assert client.get("/").text == "ok"
    assert classes(samples) == [None]


def test_the_authorities_of_ssl_cert_file_are_known(
    certificates: Certificates, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_context.cache_clear()
    monkeypatch.setenv("SSL_CERT_FILE", certificates.authority)
    try:
        with shopper(server.url) as (client, samples):
            assert client.get("/").text == "ok"
    finally:
        client_context.cache_clear()
    assert classes(samples) == [None]


def test_one_context_serves_the_whole_process() -> None:
    assert client_context() is client_context()
    assert client_context() is not client_context(verify=False)


def test_the_authority_of_a_shop_of_ours_is_trusted_beside_the_machines(certificates: Certificates) -> None:
    ours, plain = client_context(authority=certificates.authority), client_context()
    assert ours is client_context(authority=certificates.authority)
    assert ours is not plain
    assert ours.verify_mode is ssl.CERT_REQUIRED
    assert ours.cert_store_stats()["x509_ca"] == plain.cert_store_stats()["x509_ca"] + 1


def test_every_client_of_a_run_trusts_the_authority_of_its_shop(
    certificates: Certificates, server: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connections, "authority", certificates.authority)
    with shopper(server.url) as (client, samples):
        assert client.get("/").text == "ok"
    assert classes(samples) == [None]
    monkeypatch.setattr(Connections, "authority", None)
    with shopper(server.url) as (client, samples):
        client.get("/")
    assert classes(samples) == ["tls"]


@pytest.mark.parametrize("kind", ["for_another_name", "expired", "self_signed"])
def test_an_authority_of_ours_excuses_no_other_certificate(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(Connections, "authority", certificates.authority)
    context = server_context(*getattr(certificates, kind))
    with raw_server(tls=context) as server, shopper(server.url) as (client, samples):
        client.get("/")
        eventually(lambda: server.open_count == 0)
    assert (classes(samples), server.requests) == (["tls"], [])


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_sessions_resume_with_the_authority_of_a_shop_of_ours(
    certificates: Certificates, tls_shop: TlsShop, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(Connections, "authority", certificates.authority)
    context = server_context(*certificates.good)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version.replace(".", "_")]
    with raw_server(tls_shop, tls=context) as server, shopper(server.url) as (client, samples):
        client.get("/first")
        both_at_once(client)
    assert (tls_shop.versions, tls_shop.resumed) == ([version] * 2, [False, True])
    assert classes(samples) == [None] * 3


def test_a_shop_is_recognised_over_tls_with_the_authority_that_was_named(certificates: Certificates) -> None:
    page = MARK.encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page)
    with raw_server(answer, tls=server_context(*certificates.good)) as server:
        assert why_not_recognised(server.url, Path(certificates.authority)) is None
        assert "no TLS connection could be made" in str(why_not_recognised(server.url))


def test_a_name_is_asked_for_and_checked(server: RawServer, trusting: Any) -> None:
    with shopper(f"https://localhost:{server.port}", tls_context=trusting) as (client, samples):
        assert client.get("/").text == "ok"
    assert classes(samples) == [None]


def test_tls_goes_over_ipv6(certificates: Certificates, trusting: Any) -> None:
    context = server_context(*certificates.good)
    with (
        raw_server(tls=context, address="::1") as server,
        shopper(server.url, tls_context=trusting) as (client, samples),
    ):
        assert client.get("/").text == "ok"
    assert classes(samples) == [None]


def both_at_once(client: ShopperClient) -> None:
    gevent.joinall([gevent.spawn(client.get, path) for path in ("/a", "/b")], raise_error=True)


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_the_next_connection_of_a_shopper_resumes_the_session(
    certificates: Certificates, tls_shop: TlsShop, trusting: Any, version: str
) -> None:
    context = server_context(*certificates.good)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version.replace(".", "_")]
    with raw_server(tls_shop, tls=context) as server, shopper(server.url, tls_context=trusting) as (client, samples):
        client.get("/first")
        both_at_once(client)
    assert (tls_shop.versions, tls_shop.resumed) == ([version] * 2, [False, True])
    assert classes(samples) == [None] * 3


def test_a_session_outlives_its_connection_and_is_nobody_elses(
    certificates: Certificates, tls_shop: TlsShop, trusting: Any
) -> None:
    def once(peer: Peer) -> None:
        tls_shop.resumed.append(peer.socket.session_reused)
        closing(OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))(peer)

    with raw_server(once, tls=server_context(*certificates.good)) as server:
        for _ in range(2):
            with shopper(server.url, tls_context=trusting) as (client, samples):
                client.get("/a")
                client.get("/b")
            assert classes(samples) == [None, None]
    assert tls_shop.resumed == [False, True, False, True]


@pytest.mark.parametrize("verify", [True, False])
def test_nothing_older_than_tls_1_2_is_spoken(verify: bool) -> None:
    assert client_context(verify=verify).minimum_version >= ssl.TLSVersion.TLSv1_2


def test_our_own_context_asks_for_http_1_1(certificates: Certificates, tls_shop: TlsShop) -> None:
    context = server_context(*certificates.good)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        raw_server(tls_shop, tls=context) as server,
        shopper(server.url, tls_context=client_context(verify=False)) as (client, _),
    ):
        client.get("/")
    assert tls_shop.protocols == ["http/1.1"]


def test_large_bodies_go_over_tls_both_ways(certificates: Certificates, trusting: Any) -> None:
    content = bytes(range(250)) * 12_000

    def echo(peer: Peer) -> None:
        received = peer.request().partition(b"\r\n\r\n")[2]
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(received), received))

    with (
        raw_server(echo, tls=server_context(*certificates.good), receive_buffer_bytes=8192) as server,
        shopper(server.url, tls_context=trusting) as (client, samples),
    ):
        response = client.post("/", data=content)
    assert (response.content == content, response.body_bytes, classes(samples)) == (True, len(content), [None])


def sending_at_once(context: Any, *pieces: bytes) -> Any:
    """A script that speaks TLS itself, so that several records leave in one piece, as they do from many servers."""

    def script(peer: Peer) -> None:
        inbound, outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(inbound, outbound, server_side=True)

        def attempt(step: Any) -> Any:
            while True:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    peer.send(outbound.read())
                    if not (data := peer.socket.recv(65536)):
                        return b""
                    inbound.write(data)

        attempt(tls.do_handshake)
        while asked := attempt(lambda: tls.read(65536)):
            first = asked.startswith(b"GET /first ")
            for piece in pieces if first else (OK,):
                tls.write(piece)
            peer.send(outbound.read())

    return script


def test_an_answer_in_several_records_is_one(certificates: Certificates, trusting: Any) -> None:
    script = sending_at_once(server_context(*certificates.good), OK[:20], OK[20:-1], OK[-1:])
    with (
        raw_server(script) as server,
        shopper(server.url.replace("http", "https"), tls_context=trusting) as (client, samples),
    ):
        assert [client.get(path).text for path in ("/first", "/second")] == ["ok", "ok"]
    assert (classes(samples), server.connection_count) == ([None, None], 1)


@pytest.mark.parametrize("idle_s", [0.0, 0.06], ids=["at once", "after a while"])
def test_a_connection_with_surplus_records_is_not_used_again(
    certificates: Certificates, trusting: Any, idle_s: float
) -> None:
    surplus = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    script = sending_at_once(server_context(*certificates.good), OK, surplus)
    with (
        raw_server(script) as server,
        shopper(server.url.replace("http", "https"), tls_context=trusting) as (client, samples),
    ):
        assert client.get("/first").status_code == 200
        gevent.sleep(idle_s)
        assert client.get("/second").status_code == 200
    assert (classes(samples), server.connection_count) == ([None, None], 2)


@pytest.mark.parametrize("orderly", [True, False])
def test_an_idle_connection_that_the_server_has_closed_is_replaced(
    certificates: Certificates, trusting: Any, orderly: bool
) -> None:
    def once(peer: Peer) -> None:
        peer.request()
        peer.send(OK)
        if orderly:
            peer.socket.unwrap()

    with (
        raw_server(once, tls=server_context(*certificates.good)) as server,
        shopper(server.url, tls_context=trusting) as (client, samples),
    ):
        client.get("/a")
        gevent.sleep(0.06)
        client.post("/b")
    assert [line(request) for request in server.requests] == ["GET /a", "POST /b"]
    assert (classes(samples), server.connection_count) == ([None, None], 2)


def test_a_session_ticket_is_no_part_of_an_answer(certificates: Certificates) -> None:
    context = client_context(verify=False)
    server = server_context(*certificates.good)
    inbound, outbound = ssl.MemoryBIO(), ssl.MemoryBIO()
    theirs = server.wrap_bio(inbound, outbound, server_side=True)
    ours = TlsStream(context, "localhost", None)
    assert not ours.shake_hands()
    inbound.write(ours.outbound())
    with pytest.raises(ssl.SSLWantReadError):
        theirs.do_handshake()
    ours.feed(outbound.read())
    assert ours.shake_hands()
    inbound.write(ours.outbound())
    theirs.do_handshake()
    ticket = outbound.read()
    ours.feed(ticket)
    assert (len(ticket) > 0, ours.read()) == (True, None)
    theirs.write(b"answer")
    ours.feed(outbound.read())
    assert (ours.read(), ours.read()) == (b"answer", None)


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b"HTTP/1.1 200 OK\r\n\r\nabc"]
)
def test_an_answer_cut_off_without_goodbye_is_a_failed_sample(
    certificates: Certificates, trusting: Any, head: bytes
) -> None:
    with (
        raw_server(closing(head), tls=server_context(*certificates.good)) as server,
        shopper(server.url, tls_context=trusting) as (client, samples),
    ):
        assert client.get("/").status_code == 0
    assert len(samples) == 1
    assert samples[0]["exception"] is not None


def test_an_answer_without_a_length_ends_with_an_orderly_goodbye(certificates: Certificates, trusting: Any) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        peer.socket.unwrap()

    with (
        raw_server(script, tls=server_context(*certificates.good)) as server,
        shopper(server.url, tls_context=trusting) as (client, samples),
    ):
        assert client.get("/").text == "abc"
    assert classes(samples) == [None]


def test_a_server_that_dies_under_an_established_connection_is_no_matter_of_certificates(
    certificates: Certificates, trusting: Any
) -> None:
    with (
        raw_server(closing(b""), tls=server_context(*certificates.good)) as server,
        shopper(server.url, tls_context=trusting) as (client, samples),
    ):
        client.get("/")
    assert classes(samples) == ["protocol"]


def test_a_port_that_speaks_no_tls_is_a_failure_of_tls() -> None:
    def script(peer: Peer) -> None:
        peer.socket.recv(65536)
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with raw_server(script) as server, shopper(server.url.replace("http", "https")) as (client, samples):
        assert client.get("/").status_code == 0
    assert classes(samples) == ["tls"]


def test_a_handshake_that_nobody_answers_has_the_limit_of_connecting() -> None:
    def silent(peer: Peer) -> None:
        gevent.sleep(5)

    timeouts = Timeouts(connect_s=0.1)
    with (
        raw_server(silent) as server,
        shopper(server.url.replace("http", "https"), timeouts=timeouts) as (client, samples),
    ):
        client.get("/")
    assert classes(samples) == ["timeout"]
    assert 100 <= samples[0]["response_time"] < 4000


def test_secure_cookies_go_over_tls_only(certificates: Certificates, trusting: Any) -> None:
    setting = OK.replace(b"\r\n", b"\r\nSet-Cookie: a=1; Secure\r\n", 1)
    with (
        raw_server(setting, tls=server_context(*certificates.good)) as secure,
        raw_server() as plain,
        shopper(secure.url, tls_context=trusting) as (client, _),
    ):
        client.get("/")
        client.get("/")
        client.get(plain.url)
    assert [b"\r\nCookie: a=1\r\n" in request for request in (*secure.requests, *plain.requests)] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(("insecure", "failure"), [(True, None), (False, "tls")])
def test_a_user_verifies_unless_it_says_that_it_is_insecure(
    server: RawServer, insecure: bool, failure: str | None
) -> None:
    class Buyer(LonjakUser):
        host = server.url

    Buyer.insecure = insecure
    samples: list[Sample] = []
    environment = Environment(user_classes=[Buyer])
    environment.events.request.add_listener(lambda **sample: samples.append(sample))
    user = Buyer(environment)
    user.client.get("/")
    user.client.close()
    assert classes(samples) == [failure]


def test_a_users_own_tls_context_is_made_by_its_factory_as_with_fast_http_user(
    server: RawServer, trusting: Any
) -> None:
    class Buyer(LonjakUser):
        host = server.url
        ssl_context_factory = staticmethod(lambda: trusting)

    user = Buyer(Environment(user_classes=[Buyer]))
    assert user.client.get("/").text == "ok"
    user.client.close()
