import gevent
import pytest

from tests.engine.raw_server import OK, Peer, Script, body, classes, field, fields, line, raw_server, shopper


def redirecting(status: int, location: bytes, last: bytes = OK) -> Script:
    """Sends everything that begins with /a on, and answers the rest."""

    def script(peer: Peer) -> None:
        while request := peer.request():
            if line(request).split()[1].startswith("/a"):
                peer.send(b"HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, location))
            else:
                peer.send(last)

    return script


@pytest.mark.parametrize(
    ("status", "method", "content"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"x=1"), (308, "POST", b"x=1")],
)
def test_a_redirected_post_is_sent_on_as_browsers_do(status: int, method: str, content: bytes) -> None:
    with raw_server(redirecting(status, b"/b")) as server, shopper(server.url) as (buyer, samples):
        response = buyer.post("/a", data={"x": 1}, name="order")
    first, second = server.requests
    assert (line(first), body(first)) == ("POST /a", b"x=1")
    assert (line(second), body(second)) == (f"{method} /b", content)
    assert (field(second, "content-type") != "", field(second, "content-length")) == (
        bool(content),
        "3" if content else "",
    )
    assert (response.method, response.url) == (method, f"{server.url}/b")
    assert [(sample["request_type"], sample["name"]) for sample in samples] == [("POST", "order"), (method, "order")]


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (b"/b?c=1#d", "/b?c=1"),
        (b"b", "/shop/b"),
        (b"?c=1", "/shop/x?c=1"),
        (b"../b", "/b"),
        (b"/b c", "/b%20c"),
        (b"/b%20c", "/b%20c"),
        (b"/b\xc3\xbccher", "/b%C3%BCcher"),
        (b"", None),
    ],
)
def test_a_location_leads_where_a_browser_would_go(location: bytes, target: str | None) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location)
        if peer.request():
            peer.send(OK)

    with raw_server(script) as server, shopper(f"{server.url}/shop") as (buyer, _):
        buyer.get("/x")
    assert [line(request) for request in server.requests[1:]] == ([f"GET {target}"] if target else [])


@pytest.mark.parametrize("location", [b"javascript:alert(1)", b"ftp://x/", b"http://[::1", b"http://x:99999/"])
def test_a_location_that_leads_nowhere_is_a_failed_sample(location: bytes) -> None:
    with raw_server(redirecting(302, location)) as server, shopper(server.url) as (buyer, samples):
        assert buyer.get("/a").status_code == 302
    assert classes(samples) == ["protocol"]


def test_authorization_is_not_sent_to_another_host() -> None:
    with (
        raw_server() as other,
        raw_server(redirecting(307, f"{other.url}/b".encode())) as server,
        shopper(server.url) as (buyer, _),
    ):
        buyer.get("/a", auth=("u", "p"), headers={"X-A": "1"})
    assert (field(server.requests[0], "authorization"), field(server.requests[0], "x-a")) == ("Basic dTpw", "1")
    assert (fields(other.requests[0], "authorization"), field(other.requests[0], "x-a")) == ([], "1")
    assert field(other.requests[0], "host") == f"127.0.0.1:{other.port}"


def test_authorization_goes_on_to_the_same_host() -> None:
    with raw_server(redirecting(302, b"/b")) as server, shopper(server.url) as (buyer, _):
        buyer.get("/a", auth=("u", "p"))
    assert [field(request, "authorization") for request in server.requests] == ["Basic dTpw"] * 2


def test_redirects_without_end_are_a_failed_sample() -> None:
    with raw_server(redirecting(302, b"/a")) as server, shopper(server.url, most_redirects=3) as (buyer, samples):
        buyer.get("/a")
    assert (len(server.requests), classes(samples)) == (4, [None] * 3 + ["protocol"])
    assert str(samples[-1]["exception"]) == "more than 3 redirects"


def test_as_many_redirects_as_allowed_are_no_failure() -> None:
    hops = [f"HTTP/1.1 302 Found\r\nLocation: /{number}\r\nContent-Length: 0\r\n\r\n".encode() for number in range(3)]

    def script(peer: Peer) -> None:
        for answer in (*hops, OK):
            peer.request()
            peer.send(answer)

    with raw_server(script) as server, shopper(server.url, most_redirects=3) as (buyer, samples):
        assert buyer.get("/a").text == "ok"
    assert classes(samples) == [None] * 4


def test_a_redirected_request_has_its_time_limit_for_each_sample() -> None:
    def script(peer: Peer) -> None:
        while request := peer.request():
            gevent.sleep(0.06)
            moved = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n"
            peer.send(moved if line(request) == "GET /a" else OK)

    with raw_server(script) as server, shopper(server.url) as (buyer, samples):
        assert buyer.get("/a", timeout=0.1).text == "ok"
    assert classes(samples) == [None, None]
