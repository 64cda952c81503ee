import socket
import time
from collections.abc import Iterator
from typing import Any, Protocol

import gevent
import pytest
from locust.event import EventHook
from locust.exception import LocustError, ResponseError

from loadgen.failures import failure_class
from loadgen.http.client import ShopperClient, Timeouts
from loadgen.http.connection import RequestTimedOut
from loadgen.http.response import BadStatus, ShopperResponse
from loadgen.session import SessionCut
from tests.engine.raw_server import OK, Peer, line, raw_server, shopper
from tests.engine.scripted_shop import ScriptedShop

Sample = dict[str, Any]


class Samples(list[Sample]):
    def __init__(self) -> None:
        super().__init__()
        self.event = EventHook()
        self.event.add_listener(lambda **sample: self.append(sample))


def failure_class_of(sample: Sample) -> str | None:
    return sample["exception"] and failure_class(sample["exception"], sample["response"].status_code)


@pytest.fixture
def samples() -> Samples:
    return Samples()


class Open(Protocol):
    def __call__(self, url: str | None = None, **how: Any) -> ShopperClient: ...


@pytest.fixture
def client(shop: ScriptedShop, samples: Samples) -> Iterator[Open]:
    opened: list[ShopperClient] = []

    def opening(url: str | None = None, **how: Any) -> ShopperClient:
        opened.append(ShopperClient(url or shop.url, samples.event, **how))
        return opened[-1]

    yield opening
    for each in opened:
        each.close()


def test_a_shopper_comes_from_its_own_address(client: Open, shop: ScriptedShop) -> None:
    client(source_address="127.64.7.9").get("/")
    assert dict(shop.visitors) == {"127.64.7.9": 1}


def test_a_page_comes_with_text_and_headers(client: Open, samples: Samples) -> None:
    with client().get("/x", name="home", catch_response=True) as page:
        assert (page.status_code, page.text, page.header("Cache-Control")) == (
            200,
            "<html>hello</html>",
            "public, max-age=60",
        )
        assert page.header("x-absent") == ""
    [sample] = samples
    assert (sample["name"], sample["exception"], sample["response_length"]) == ("home", None, 18)


def test_listeners_hear_a_sample_in_locusts_words(client: Open, shop: ScriptedShop, samples: Samples) -> None:
    before = time.time()
    response = client(context=lambda: {"user": "u", "step": 1}).post("/x?a=1", name="x", context={"step": 2})
    [sample] = samples
    assert {key: value for key, value in sample.items() if key not in {"start_time", "response_time"}} == {
        "request_type": "POST",
        "name": "x",
        "context": {"user": "u", "step": 2},
        "response": response,
        "exception": None,
        "url": f"{shop.url}/x?a=1",
        "response_length": 18,
    }
    assert before - 0.01 <= sample["start_time"] <= time.time()
    assert sample["response_time"] == response.service_us / 1000 > 0


@pytest.mark.parametrize("status", [404, 500])
def test_a_bad_status_is_a_failed_sample_whatever_its_body(client: Open, samples: Samples, status: int) -> None:
    response = client().get(f"/status/{status}", name="gone")
    [sample] = samples
    assert (response.status_code, failure_class(sample["exception"], status)) == (status, f"http_{status // 100}xx")


def test_a_bad_status_may_be_called_a_success(client: Open, samples: Samples) -> None:
    with client().get("/status/404", catch_response=True) as response:
        response.success()
    assert samples[0]["exception"] is None


def test_a_failed_content_check_is_a_failed_sample(client: Open, samples: Samples) -> None:
    with client().get("/", catch_response=True) as response:
        response.failure("no price on the page")
    assert failure_class(samples[0]["exception"], 200) == "content"


def test_an_exception_inside_the_block_is_a_failed_sample_and_goes_on(client: Open, samples: Samples) -> None:
    with pytest.raises(KeyError), client().get("/", catch_response=True):
        raise KeyError("price")
    assert [failure_class(sample["exception"], 200) for sample in samples] == ["content"]


def test_a_cut_inside_the_block_leaves_the_answer_as_it_was(client: Open, samples: Samples) -> None:
    with pytest.raises(SessionCut), client().get("/", catch_response=True):
        raise SessionCut
    assert [sample["exception"] for sample in samples] == [None]


def test_redirects_are_followed_only_when_asked(client: Open, shop: ScriptedShop, samples: Samples) -> None:
    shopper = client()
    assert shopper.get("/near", allow_redirects=False).status_code == 302
    assert shopper.get("/near").status_code == 200
    assert shopper.head("/near").status_code == 302
    assert dict(shop.counts) == {"/near": 3, "/landed": 1}
    assert [sample["exception"] for sample in samples] == [None] * 4


def test_a_redirect_is_a_sample_of_its_own_by_the_same_name(client: Open, shop: ScriptedShop, samples: Samples) -> None:
    with client().get("/near", name="near", catch_response=True) as landed:
        assert [sample["response"].status_code for sample in samples] == [302]
        landed.failure("not there")
    assert [(sample["name"], sample["response"].status_code, sample["url"]) for sample in samples] == [
        ("near", 302, f"{shop.url}/near"),
        ("near", 200, f"{shop.url}/landed"),
    ]
    assert [sample["exception"] is None for sample in samples] == [True, False]


def test_requests_at_the_same_time_keep_their_own_redirect_wishes(client: Open) -> None:
    shopper = client()
    wishes = [True, False] * 3
    jobs = [gevent.spawn(shopper.get, "/near", allow_redirects=wish) for wish in wishes]
    gevent.joinall(jobs, raise_error=True)
    assert [job.value.status_code for job in jobs] == [200, 302] * 3


def test_a_redirect_away_is_followed_no_further_than_the_network(client: Open, samples: Samples) -> None:
    shopper = client(source_address="127.64.0.1", timeouts=Timeouts(connect_s=0.3, total_s=1.0))
    assert shopper.get("/away").status_code == 0  # from a loopback address the kernel itself finds no way out
    assert [(sample["response"].status_code, failure_class_of(sample)) for sample in samples] == [
        (302, None),
        (0, "connect"),
    ]


def test_only_the_first_request_counts_from_the_intended_instant(client: Open, samples: Samples) -> None:
    shopper = client(intended_at=time.monotonic() - 0.25)
    shopper.get("/")
    shopper.get("/")
    first, second = (sample["response"].lag_us for sample in samples)
    assert 250_000 <= first < 1_000_000
    assert second == 0


def test_a_request_has_a_limit_as_a_whole(client: Open, samples: Samples) -> None:
    response = client(timeouts=Timeouts(read_s=20, total_s=0.2)).get("/slow/9")
    [sample] = samples
    assert (response.status_code, failure_class(sample["exception"], 0)) == (0, "timeout")
    assert 200 <= sample["response_time"] < 8000


def test_the_time_to_the_first_byte_lies_within_the_request(client: Open, samples: Samples) -> None:
    client().get("/slow/0.05")
    [sample] = samples
    assert 0.05 <= sample["response"].elapsed.total_seconds() <= sample["response_time"] / 1000


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_is_sent_twice_when_the_connection_breaks(client: Open, samples: Samples, method: str) -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                connection, _ = server.accept()
                received.append(connection.recv(1024))
                connection.close()

        rude = gevent.spawn(hang_up)
        shopper = client(f"http://127.0.0.1:{server.getsockname()[1]}")
        assert shopper.request(method, "/").status_code == 0
        gevent.sleep(0.05)
        rude.kill()
    assert len(received) == 1
    assert failure_class(samples[0]["exception"], 0) == "protocol"


def test_nobody_listening_is_a_failed_connection(client: Open, samples: Samples) -> None:
    client("http://127.0.0.1:1").get("/")
    assert failure_class(samples[0]["exception"], 0) == "connect"


def test_a_certificate_that_nobody_signed_is_refused(client: Open, samples: Samples, shop: ScriptedShop) -> None:
    client(shop.url.replace("http", "https")).get("/")
    assert failure_class(samples[0]["exception"], 0) == "tls"


def test_a_time_limit_is_a_timeout() -> None:
    assert failure_class(RequestTimedOut("late"), 0) == "timeout"


@pytest.mark.parametrize("verdict", ["no price on the page", None])
def test_what_happened_on_the_wire_counts_before_what_a_check_says(
    client: Open, samples: Samples, verdict: str | None
) -> None:
    with client("http://127.0.0.1:1").get("/", catch_response=True) as response:
        response.failure(verdict or ValueError("no price"))
    assert failure_class_of(samples[0]) == "connect"


def test_a_check_that_raises_without_an_answer_is_a_failure_of_the_wire(client: Open, samples: Samples) -> None:
    with pytest.raises(KeyError), client("http://127.0.0.1:1").get("/", catch_response=True):
        raise KeyError("price")
    assert [failure_class_of(sample) for sample in samples] == ["connect"]


def test_a_block_that_says_nothing_leaves_it_to_the_status(client: Open, samples: Samples) -> None:
    for path in ("/", "/status/404"):
        with client().get(path, catch_response=True):
            pass
    assert [failure_class_of(sample) for sample in samples] == [None, "http_4xx"]


def test_the_last_judgement_in_a_block_holds(client: Open, samples: Samples) -> None:
    with client().get("/", catch_response=True) as response:
        response.failure("first thought")
        response.success()
    with client().get("/", catch_response=True) as response:
        response.success()
        response.failure("second thought")
    assert [failure_class_of(sample) for sample in samples] == [None, "content"]


def test_a_judgement_holds_against_an_exception_that_follows_it(client: Open, samples: Samples) -> None:
    def judge_and_stumble() -> None:
        with client().get("/", catch_response=True) as response:
            response.success()
            raise KeyError("later")

    with pytest.raises(KeyError):
        judge_and_stumble()
    assert [failure_class_of(sample) for sample in samples] == [None]


def test_raising_a_response_error_judges_and_goes_no_further(client: Open, samples: Samples) -> None:
    with client().get("/", catch_response=True):
        raise ResponseError("no price")
    assert [repr(sample["exception"]) for sample in samples] == ["ResponseError('no price')"]


def test_a_judgement_outside_a_block_comes_too_late(client: Open, samples: Samples) -> None:
    response = client().get("/")
    with pytest.raises(LocustError, match="catch_response=True"):
        response.failure("no price")
    assert [sample["exception"] for sample in samples] == [None]


def test_a_sample_is_reported_once(client: Open, samples: Samples) -> None:
    with client().get("/", catch_response=True) as response, response:
        assert samples == []
    response.report()
    assert len(samples) == 1


def test_raise_for_status_in_a_block_raises_what_went_wrong(client: Open, samples: Samples) -> None:
    with client().get("/", catch_response=True) as response:
        response.raise_for_status()
    with pytest.raises(BadStatus, match="status 500"), client().get("/status/500", catch_response=True) as response:
        response.raise_for_status()
    nobody = client("http://127.0.0.1:1")
    with pytest.raises(ConnectionRefusedError), nobody.get("/", catch_response=True) as response:
        response.raise_for_status()
    assert [failure_class_of(sample) for sample in samples] == [None, "http_5xx", "connect"]


def test_a_recorder_gets_the_samples_in_the_place_of_the_event(client: Open, samples: Samples) -> None:
    recorded: list[ShopperResponse] = []

    class Recorder:
        def on_response(self, response: ShopperResponse) -> None:
            recorded.append(response)

    response = client(recorder=Recorder()).get("/")
    assert (recorded, samples) == ([response], [])


@pytest.mark.parametrize("bad", [b"", b"caf\xe9", b"\xff\xfe\x00"])
def test_a_body_is_text_whatever_its_bytes(bad: bytes) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(bad), bad)
    with raw_server(answer) as server, shopper(server.url) as (buyer, _):
        response = buyer.get("/")
    assert (response.content, response.text) == (bad, bad.decode(errors="replace"))


@pytest.mark.parametrize(
    ("kind", "content", "text"),
    [
        (b"text/html; charset=iso-8859-1", b"caf\xe9", "café"),
        (b'text/html; charset="UTF-8"; x=y', b"caf\xc3\xa9", "café"),
        (b"text/html; Charset=ISO-8859-1", b"caf\xe9", "café"),
        (b"text/html; charset=klingon", b"caf\xc3\xa9", "café"),
        (b"text/html; charset=hex", b"caf\xc3\xa9", "café"),
        (b"text/html; charset=undefined", b"caf\xc3\xa9", "café"),
        (b"text/html; charset=idna", b"caf\xc3\xa9", "café"),
        (b"text/html", b"caf\xc3\xa9", "café"),
    ],
)
def test_a_body_is_text_by_the_charset_it_names(kind: bytes, content: bytes, text: str) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (kind, len(content), content)
    with raw_server(answer) as server, shopper(server.url) as (buyer, _):
        assert buyer.get("/").text == text


def test_two_pages_of_the_same_bytes_are_read_by_their_own_charsets() -> None:
    def script(peer: Peer) -> None:
        for charset in (b"utf-8", b"latin-1"):
            peer.request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: a/b;charset=%s\r\nContent-Length: 2\r\n\r\n\xc3\xa9" % charset)

    with raw_server(script) as server, shopper(server.url) as (buyer, _):
        assert [buyer.get("/").text for _ in range(2)] == ["é", "Ã©"]


def test_a_charset_may_be_given() -> None:
    with (
        raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ncaf\xe9") as server,
        shopper(server.url) as (buyer, _),
    ):
        response = buyer.get("/")
    response.encoding = "latin-1"
    assert response.text == "café"


def test_a_body_may_be_json() -> None:
    with (
        raw_server(b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}') as server,
        shopper(server.url) as (buyer, samples),
    ):
        assert buyer.get("/").json() == {"a": 1}
    with raw_server(OK) as server, shopper(server.url) as (buyer, samples):
        response = buyer.get("/")
    with pytest.raises(ValueError, match="Expecting value"):
        response.json()
    assert [sample["exception"] for sample in samples] == [None]


@pytest.mark.parametrize(("status", "ok"), [(200, True), (304, True), (399, True), (400, False), (503, False)])
def test_a_response_is_ok_below_400(status: int, ok: bool) -> None:
    with (
        raw_server(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status) as server,
        shopper(server.url) as (buyer, _),
    ):
        assert buyer.get("/").ok is ok


def test_no_answer_is_not_ok(client: Open) -> None:
    assert client("http://127.0.0.1:1").get("/").ok is False


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", b"HTTP/1.1 404 No\r\n\r\n"])
def test_a_head_request_is_over_with_its_head(head: bytes) -> None:
    with raw_server(head) as server, shopper(server.url, timeouts=Timeouts(total_s=10)) as (buyer, samples):
        response = buyer.head("/")
        assert buyer.head("/").status_code == response.status_code
    assert (response.status_code, response.content, response.body_bytes) == (int(head[9:12]), b"", 0)
    assert [line(request) for request in server.requests] == ["HEAD /"] * 2
    assert len(samples) == 2


def test_an_answer_that_nobody_judged_is_a_sample_all_the_same(client: Open, samples: Samples) -> None:
    client().get("/", catch_response=True)
    client().get("/status/503", catch_response=True)
    assert [str(sample["exception"]) for sample in samples] == ["None", "status 503"]


def test_an_address_of_another_scheme_is_refused_and_nothing_is_sent(
    client: Open, shop: ScriptedShop, samples: Samples
) -> None:
    with pytest.raises(ValueError, match="not an http:// or https:// address"):
        client().get("ftp://127.0.0.1/file")
    assert (shop.count, list(samples)) == (0, [])
