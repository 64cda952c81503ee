"""TLS, the firewall, the limits: in nginx itself, or in a front where the profile has no nginx."""

import socket
import ssl
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from reference_shop.edges import EdgeOptions
from tests.edges.conftest import OpenPlace, Place
from tests.edges.origin import TestOrigin
from tests.edges.running import accepts, running
from tests.stack.conftest import eventually

_TLS = EdgeOptions(tls=True, purge="auto")
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(params=["nginx", "varnish"])
def secure(request: pytest.FixtureRequest, open_place: OpenPlace) -> Place:
    return open_place(request.param, _TLS)


def test_a_shopper_who_comes_back_resumes_the_session(secure: Place) -> None:
    assert secure.edge.site.certificate
    trust = ssl.create_default_context(cafile=secure.edge.site.certificate.authority)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        trust.minimum_version = trust.maximum_version = version
        session = _visit(secure, trust, None).session
        assert _visit(secure, trust, session).session_reused
        assert not _visit(secure, trust, None).session_reused


def test_only_http_1_1_is_spoken_and_nothing_unencrypted(secure: Place) -> None:
    assert secure.edge.site.certificate
    trust = ssl.create_default_context(cafile=secure.edge.site.certificate.authority)
    trust.set_alpn_protocols(["h2", "http/1.1"])
    assert _visit(secure, trust, None).protocol in {"http/1.1", None}
    with socket.create_connection(("127.0.0.1", secure.edge.site.public_ports[0]), timeout=5) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 400 " in plain.recv(65536).split(b"\r\n")[0]


def test_a_purge_reaches_what_was_stored_over_tls(secure: Place) -> None:
    page = secure.origin.page()
    secure.edge.get(page)
    secure.origin.recipes[page].body = "new"
    assert {answer.status_code for answer in secure.edge.purge(page)} == {200}
    assert secure.edge.get(page).text == "new"
    assert {asked.headers["x-forwarded-proto"] for asked in secure.origin.questions(page)} == {"https"}


def test_a_front_keeps_who_asked_and_what_the_cache_said(secure: Place) -> None:
    page = secure.origin.page()
    first = secure.edge.get(page, **{"X-Forwarded-For": "192.0.2.7", "X-Request-ID": "visit-9"})
    headers = secure.origin.questions(page)[0].headers
    assert (headers["x-forwarded-for"], headers["x-request-id"]) == ("127.0.0.1", "visit-9")
    assert first.headers.get_all("X-Request-ID") == ["visit-9"]
    assert first.said() == f"{secure.edge.name}; fwd=uri-miss; stored"
    assert secure.edge.get(page).said() == f"{secure.edge.name}; hit"
    again = secure.edge.get(page, **{"X-Request-ID": "visit-10"})
    assert again.headers.get_all("X-Request-ID") == ["visit-10"]


def test_without_an_edge_a_front_is_one_and_hides_the_books(open_place: OpenPlace) -> None:
    place = open_place("direct", EdgeOptions(tls=True))
    page = place.origin.page()
    assert (place.edge.get(page).text, place.edge.get(page).said()) == ("x" * 2000, "")
    assert place.edge.get("/ops/truth").said() == "lonjak-front; detail=LOCAL"


@pytest.fixture(params=["nginx", "varnish"])
def guarded(request: pytest.FixtureRequest, open_place: OpenPlace) -> Place:
    return open_place(request.param, EdgeOptions(waf=1))


def test_an_attack_is_refused_and_a_search_is_not(guarded: Place) -> None:
    for words in ("sepatu+lari", "batik%20tulis%20solo", "kopi+50%25+arabika", "sendok+%26+garpu", "baju+o%27neill"):
        page = guarded.origin.page(name=f"/search?q={words}&page={{}}")
        assert guarded.edge.get(page).status_code == 200, words
    attack = guarded.edge.get("/search?q=%27%20OR%201=1--")
    assert attack.status_code == 403
    assert attack.said().endswith("; detail=LOCAL")
    assert "Permintaan ini ditolak" in attack.text
    assert guarded.origin.count("/search?q=%27%20OR%201=1--") == 0


def test_forms_are_looked_into(guarded: Place) -> None:
    place = guarded.origin.page(name="/checkout?{}")
    order = "nama=Siti+Aminah&alamat=Jl.+Merdeka+No.+7%2C+RT+3%2FRW+5&kota=Bandung&email=siti%40contoh.id"
    assert guarded.edge.ask(place, method="POST", data=order, headers=_FORM).status_code == 200
    attack = guarded.edge.ask(place, method="POST", data=order + "&catatan=%27+OR+1%3D1--", headers=_FORM)
    assert attack.status_code == 403
    too_long = guarded.edge.ask(place, method="POST", data="nama=" + "x" * 70_000, headers=_FORM)
    assert too_long.status_code == 413
    assert guarded.origin.count(place, "POST") == 1


def test_refusals_do_not_fill_the_disk(guarded: Place) -> None:
    for _ in range(20):
        guarded.edge.get("/search?q=%27%20OR%201=1--")
    for log in guarded.edge.site.folder.glob("*.log"):
        assert "ModSecurity: Access denied" not in log.read_text()


@pytest.mark.parametrize("profile", ["nginx", "varnish", "direct"])
def test_who_asks_too_often_is_told_to_wait(open_place: OpenPlace, profile: str) -> None:
    place = open_place(profile, EdgeOptions(rate_limit_per_s=5))
    page = place.origin.page()
    with ThreadPoolExecutor(8) as shoppers:
        answers = list(shoppers.map(lambda _: place.edge.get(page), range(40)))
    refused = [answer for answer in answers if answer.status_code != 200]
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 429}
    assert 11 <= statuses[200] <= 25  # a burst of 10 and the first, and 5 more for each second that it took
    assert all(answer.headers["Retry-After"] == "1" for answer in refused)
    assert all(answer.said().endswith("; detail=LOCAL") for answer in refused)


def test_purges_are_not_limited(open_place: OpenPlace) -> None:
    place = open_place("nginx", EdgeOptions(rate_limit_per_s=5, purge="url"))
    page = place.origin.page()
    assert [place.edge.purge(page)[0].status_code for _ in range(30)] == [200] * 30


@pytest.mark.parametrize("profile", ["nginx", "varnish", "nginx-pass"])
def test_requests_beyond_the_throttle_are_refused_at_once_as_long_as_others_are_in_work(profile: str) -> None:
    origin = TestOrigin()
    origin.open()
    with running(profile, origin.port, concurrency=2) as edge, ThreadPoolExecutor(2) as shoppers:
        slow = origin.page("private, no-store", name="/cart?{}", delay_s=0.8)
        held = [shoppers.submit(edge.get, slow) for _ in range(2)]
        eventually(lambda: origin.count(slow) == 2)
        refused = edge.get(origin.page())
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.said().endswith("; detail=LOCAL")
        assert [answer.result().status_code for answer in held] == [200, 200]
        assert edge.get(origin.page()).status_code == 200
    origin.die()
    assert not accepts(edge.site.public_ports[0])


@dataclass(frozen=True)
class _Visit:
    session: ssl.SSLSession | None
    session_reused: bool | None
    protocol: str | None


def _visit(place: Place, trust: ssl.SSLContext, session: ssl.SSLSession | None) -> _Visit:
    """A connection until after one answer, when the server has told all about the session."""
    port = place.edge.site.public_ports[0]
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        trust.wrap_socket(plain, server_hostname="localhost", session=session) as visit,
    ):
        visit.sendall(b"GET /ops HTTP/1.1\r\nHost: localhost\r\n\r\n")
        visit.recv(65536)
        return _Visit(visit.session, visit.session_reused, visit.selected_alpn_protocol())
