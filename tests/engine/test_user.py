import runpy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import pytest
from gevent.pool import Group
from locust import FastHttpUser, User, task
from locust.env import Environment
from locust.exception import StopTest

from loadgen.http.response import ShopperResponse
from loadgen.user import LonjakUser
from tests.engine.raw_server import OK, Peer, Sample, body, classes, field, fields, line, raw_server
from tests.engine.scripted_shop import ScriptedShop

Visit = Callable[[Any], object]


@contextmanager
def user_of(base: type[User], url: str | None, **settings: Any) -> Iterator[tuple[Any, list[Sample]]]:
    """A user of a class made from `base`, and the samples that Locust's listeners hear."""
    made: type[User] = type("Shopper", (base,), {"host": url, **settings})
    environment = Environment(user_classes=[made])
    samples: list[Sample] = []
    environment.events.request.add_listener(lambda **sample: samples.append(sample))
    user = made(environment)
    try:
        yield user, samples
    finally:
        closing(user)


def pages(peer: Peer) -> None:
    while request := peer.request():
        path = line(request).split()[1]
        if path == "/gone":
            peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone")
        elif path == "/near":
            peer.send(b"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n")
        else:
            peer.send(OK)


def a_page(user: Any) -> object:
    return user.client.get("/a", name="a").status_code


def a_missing_page(user: Any) -> object:
    return user.client.get("/gone", name="missing").status_code


def a_page_judged(user: Any) -> None:
    with user.client.get("/a", catch_response=True, name="a") as response:
        if "price" not in response.text:
            response.failure("no price")


def a_missing_page_that_is_well(user: Any) -> None:
    with user.client.get("/gone", catch_response=True) as response:
        assert response.status_code == 404
        response.success()


def renamed_pages(user: Any) -> None:
    with user.client.rename_request("/product/[id]"):
        user.client.get("/product/1")
        user.client.get("/product/2?x=1")


def a_form(user: Any) -> object:
    return user.client.post("/login", {"user": "u"}, name="login").text


def some_json(user: Any) -> object:
    return user.client.put("/basket", json={"id": 1}, headers={"X-A": "1"}).ok


def rest_without_json(user: Any) -> None:
    with user.rest("GET", "/a") as response:
        assert response.js is None


def a_page_by_context(user: Any) -> None:
    user.client.get("/a", context={"step": 1})


def a_streamed_page(user: Any) -> None:
    user.client.get("/a", stream=True)


@pytest.mark.parametrize(
    "visit",
    [
        a_page,
        a_missing_page,
        a_page_judged,
        a_missing_page_that_is_well,
        renamed_pages,
        a_form,
        some_json,
        rest_without_json,
        a_page_by_context,
        a_streamed_page,
    ],
)
def test_a_visit_reports_as_with_fast_http_user(visit: Visit) -> None:
    heard = []
    keys = ("request_type", "name", "url", "context", "response_length")
    with raw_server(pages) as server:
        for base in (FastHttpUser, LonjakUser):
            with user_of(base, server.url) as (user, samples):
                visit(user)
            heard.append([{key: sample[key] for key in keys} | {"failure": failed(sample)} for sample in samples])
    assert heard[0] == heard[1]
    assert heard[1]


def failed(sample: Sample) -> bool:
    return sample["exception"] is not None


def test_listeners_get_locusts_keyword_arguments(shop: ScriptedShop) -> None:
    words = []
    for base in (FastHttpUser, LonjakUser):
        with user_of(base, shop.url) as (user, samples):
            user.client.get("/a")
        words.append({key: type(value) for key, value in samples[0].items() if key != "response"})
    assert words[0] == words[1]
    assert isinstance(samples[0]["response"], ShopperResponse)


LOCUSTFILE = """
from locust import FastHttpUser, task
{import_line}

heard = []


def listen(request_type, name, response_time, response_length, exception, context, url, response, **_others):
    heard.append((request_type, name, exception is None, response_length, response.status_code))


class Buyer({base}):
    host = "{url}"
    default_headers = {{"X-Shop": "1"}}
    connection_timeout = 5.0
    network_timeout = 5.0
    max_redirects = 3
    max_retries = 0
    insecure = False
    concurrency = 4

    def on_start(self):
        self.client.post("/login", json={{"user": "u"}})

    @task
    def buy(self):
        with self.client.get("/a", catch_response=True) as response:
            if response.status_code != 200:
                response.failure("no page")
        with self.rest("GET", "/gone") as response:
            response.success()
        self.client.get("/near", allow_redirects=False)
        self.stop()
"""


@pytest.mark.parametrize(
    ("base", "import_line"), [("FastHttpUser", ""), ("LonjakUser", "from loadgen.user import LonjakUser")]
)
def test_a_locustfile_works_with_its_base_class_changed(tmp_path: Path, base: str, import_line: str) -> None:
    file = tmp_path / "locustfile.py"
    with raw_server(pages) as server:
        file.write_text(LOCUSTFILE.format(base=base, import_line=import_line, url=server.url))
        module = runpy.run_path(str(file))
        run_one(module["Buyer"], module["listen"])
    assert module["heard"] == [
        ("POST", "/login", True, 2, 200),
        ("GET", "/a", True, 2, 200),
        ("GET", "/gone", True, 4, 404),
        ("GET", "/near", True, 0, 302),
    ]
    assert [line(request) for request in server.requests] == ["POST /login", "GET /a", "GET /gone", "GET /near"]
    assert [field(request, "x-shop") for request in server.requests] == ["1"] * 4


def run_one(user_class: type[User], listener: Callable[..., None]) -> None:
    """Let one user of a class run until it stops."""
    environment = Environment(user_classes=[user_class])
    environment.events.request.add_listener(listener)
    user: Any = user_class(environment)
    user.start(Group())
    try:
        with gevent.Timeout(5):
            user.greenlet.join()
    finally:
        closing(user)


def closing(user: Any) -> None:
    (user.client.close if isinstance(user, LonjakUser) else user.client.client.clientpool.close)()


def test_a_user_without_a_host_stops_the_test() -> None:
    with pytest.raises(StopTest, match="--host"), user_of(LonjakUser, None):
        pass


def json_answer(content: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        status,
        len(content),
        content,
    )


def test_rest_gives_the_answer_as_js_and_asks_for_json() -> None:
    with raw_server(json_answer(b'{"price": 12}')) as server, user_of(LonjakUser, server.url) as (user, samples):
        with user.rest("POST", "/price", json={"id": 1}) as response:
            assert response.js == {"price": 12}
        with user.rest_("GET", "/price?a=1") as response:
            assert response.js["price"] == 12
    first, second = server.requests
    assert (body(first), fields(first, "content-type"), fields(first, "accept")) == (
        b'{"id": 1}',
        ["application/json"],
        ["application/json"],
    )
    assert line(second).startswith("GET /price?a=1&_=")
    assert [(sample["name"], sample["exception"]) for sample in samples] == [
        ("/price", None),
        ("/price?a=1&_=...", None),
    ]


@pytest.mark.parametrize(
    ("content", "status", "price", "failure"),
    [
        (b'{"price": 12}', b"200 OK", 12, None),
        (b'{"price": 13}', b"200 OK", 12, "content"),
        (b"{}", b"200 OK", 12, "content"),
        (b"<html>", b"200 OK", None, "content"),
        (b'{"price": 12}', b"500 No", 12, "http_5xx"),
    ],
)
def test_rest_turns_what_its_block_raises_into_a_failed_sample(
    content: bytes, status: bytes, price: int | None, failure: str | None
) -> None:
    with (
        raw_server(json_answer(content, status)) as server,
        user_of(LonjakUser, server.url) as (user, samples),
        user.rest("GET", "/price") as response,
    ):
        assert price is None or response.js["price"] == price, "wrong price"
    assert classes(samples) == [failure]


def test_rest_without_an_answer_fails_by_what_happened_on_the_wire() -> None:
    with user_of(LonjakUser, "http://127.0.0.1:1") as (user, samples), user.rest("GET", "/") as response:
        assert (response.js, response.content) == (None, None)
    assert classes(samples) == ["connect"]


def test_default_headers_go_with_every_request_and_give_way_to_its_own() -> None:
    headers = {"X-Shop": "1", "User-Agent": "mine"}
    with raw_server() as server, user_of(LonjakUser, server.url, default_headers=headers) as (user, _):
        user.client.get("/a")
        user.client.get("/b", headers={"x-shop": "2"})
    assert [(fields(sent, "x-shop"), fields(sent, "user-agent")) for sent in server.requests] == [
        (["1"], ["mine"]),
        (["2"], ["mine"]),
    ]


def test_the_users_context_goes_with_every_sample(shop: ScriptedShop) -> None:
    told = {"context": lambda self: {"who": "u", "step": 0}}
    with user_of(LonjakUser, shop.url, **told) as (user, samples):
        user.client.get("/a")
        user.client.get("/b", context={"step": 1})
    assert [sample["context"] for sample in samples] == [{"who": "u", "step": 0}, {"who": "u", "step": 1}]


def test_limits_are_the_users(shop: ScriptedShop) -> None:
    with user_of(LonjakUser, shop.url, network_timeout=0.05, max_redirects=0) as (user, samples):
        user.client.get("/slow/9")
        user.client.get("/near")
    assert classes(samples) == ["timeout", "protocol"]
    assert 50 <= samples[0]["response_time"] < 7000


def test_concurrency_is_the_number_of_connections() -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            gevent.sleep(0.01)
            peer.send(OK)

    with raw_server(script) as server, user_of(LonjakUser, server.url, concurrency=2) as (user, samples):
        gevent.joinall([gevent.spawn(user.client.get, "/") for _ in range(6)], raise_error=True)
    assert (server.connection_count, len(samples)) == (2, 6)


def test_credentials_in_the_host_are_sent_and_not_shown() -> None:
    with raw_server() as server, user_of(LonjakUser, server.url.replace("//", "//u:p@")) as (user, samples):
        user.client.get("/a")
    assert field(server.requests[0], "authorization") == "Basic dTpw"
    assert (samples[0]["name"], samples[0]["url"]) == ("/a", f"{server.url}/a")


def test_a_recorder_hears_the_users_samples(shop: ScriptedShop) -> None:
    recorded: list[ShopperResponse] = []

    class Recorder:
        def on_response(self, response: ShopperResponse) -> None:
            recorded.append(response)

    with user_of(LonjakUser, shop.url, recorder=Recorder()) as (user, samples):
        response = user.client.get("/a")
    assert (recorded, samples) == ([response], [])


def test_a_task_that_fails_on_the_wire_goes_on() -> None:
    class Buyer(LonjakUser):
        host = "http://127.0.0.1:1"

        @task
        def buy(self) -> None:
            self.client.get("/a")
            self.stop()

    samples: list[Sample] = []
    run_one(Buyer, lambda **sample: samples.append(sample))
    assert classes(samples) == ["connect"]
