import socket
import time
from collections.abc import Iterator
from typing import Any, Protocol

import gevent
import pytest
from locust.event import EventHook

from loadgen.client import CONTEXT_KEY, RequestTimedOut, ShopperClient, Timeouts
from loadgen.failures import failure_class
from loadgen.session import SessionCut
from tests.engine.scripted_shop import ScriptedShop

Sample = dict[str, Any]


class Samples(list[Sample]):
    def __init__(self) -> None:
        super().__init__()
        self.event = EventHook()
        self.event.add_listener(lambda **sample: self.append(sample))


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


def test_a_connection_is_used_again(client: Open, shop: ScriptedShop, samples: Samples) -> None:
    shopper = client()
    pools = {
        id(shopper.get("/a") and shopper.client.clientpool.get_client(shop.url)._connection_pool) for _ in range(3)
    }
    assert len(pools) == 1
    shopper.close()
    assert len(samples) == 3


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
    assert dict(shop.counts) == {"/near": 2, "/landed": 1}
    assert [sample["exception"] for sample in samples] == [None, None]


def test_requests_at_the_same_time_keep_their_own_redirect_wishes(client: Open) -> None:
    shopper = client()
    wishes = [True, False] * 3
    jobs = [gevent.spawn(shopper.get, "/near", allow_redirects=wish) for wish in wishes]
    gevent.joinall(jobs, raise_error=True)
    assert [job.value.status_code for job in jobs] == [200, 302] * 3


def test_a_redirect_away_is_followed_no_further_than_the_network(client: Open, samples: Samples) -> None:
    shopper = client(source_address="127.64.0.1", timeouts=Timeouts(connect_s=0.3, total_s=1.0))
    assert shopper.get("/away").status_code == 0  # from a loopback address the kernel itself finds no way out
    assert samples[0]["exception"] is not None


def test_only_the_first_request_counts_from_the_intended_instant(client: Open, samples: Samples) -> None:
    shopper = client(intended_at=time.monotonic() - 0.25)
    shopper.get("/")
    shopper.get("/")
    first, second = (sample["context"][CONTEXT_KEY].start_lag_us for sample in samples)
    assert 250_000 <= first < 1_000_000
    assert second == 0


def test_a_request_has_a_limit_as_a_whole(client: Open, samples: Samples) -> None:
    response = client(timeouts=Timeouts(read_s=5, total_s=0.2)).get("/slow/3")
    [sample] = samples
    assert (response.status_code, failure_class(sample["exception"], 0)) == (0, "timeout")
    assert 200 <= sample["response_time"] < 2000


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
