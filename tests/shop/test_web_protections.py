"""What surrounds a worker's pages: each protection without it and with it, and all of them in their order."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_shop.domain.errors import ShopError
from reference_shop.protections import PROTECTIONS
from reference_shop.protections.graceful_drain import DrainingServer
from reference_shop.protections.guarded_app import GuardedApp, guard_app
from reference_shop.protections.overloaded_answer import OverloadedAnswer
from reference_shop.throttles.service_time import ServiceTime
from reference_shop.web.failures import Failures
from reference_shop.web.files import StaticFiles
from reference_shop.web.kinds import page_kind
from reference_shop.web.pages import Pages
from tests.shop import virtual_time
from tests.shop.asgi import Visit, ask, ok, scope_of, turns
from tests.shop.processes import WITHIN_S, listen, port_of

ALL = frozenset(PROTECTIONS)


async def plain_refusal(_scope: Scope, _error: ShopError) -> Response:
    return Response(status_code=503)


def guarded(
    app: ASGIApp, names: frozenset[str] = ALL, concurrency: int = 10, delay_ms: float = 0, waits: float = 0
) -> GuardedApp:
    return guard_app(
        app,
        names,
        concurrency=concurrency,
        delay_ms=delay_ms,
        refuse=plain_refusal,
        kind_of=page_kind,
        rng=Random(1),
        waits_s=(lambda: waits,),
        clock=virtual_time.now,
    )


async def slow_provider(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer pages in a millisecond, but payments and returns when the provider does: never, in these tests."""
    is_slow = scope["method"] == "POST" and not scope["path"].startswith("/cart")
    await asyncio.sleep(3600 if is_slow else 0.001)
    await ok(scope, receive, send)


class SlowProvider:
    """Ten places, and twelve shoppers who pay while the provider does not answer."""

    def __init__(self, names: frozenset[str]) -> None:
        self.app = guarded(slow_provider, names)
        self.payments = [Visit(scope_of("/checkout/payment", "POST")) for _ in range(12)]
        self.tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "SlowProvider":
        self.tasks = [payment.start(self.app) for payment in self.payments]
        await turns()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def a_page(self) -> tuple[int, float]:
        asked_at = virtual_time.now()
        visit = await ask(self.app, "/product/7")
        return visit.status, virtual_time.now() - asked_at


def test_without_the_bulkhead_slow_payments_take_the_places_of_the_catalogue() -> None:
    async def story() -> None:
        async with SlowProvider(frozenset()) as shop:
            assert [payment.status for payment in shop.payments] == [0] * 12
            assert (shop.app.admission.in_progress, shop.app.admission.waiting) == (10, 2)
            status, seconds = await shop.a_page()
            assert status == 503
            assert seconds == pytest.approx(5.0)

    virtual_time.run(story())


def test_with_the_bulkhead_the_catalogue_notices_nothing_and_payments_too_many_are_refused_at_once() -> None:
    async def story() -> None:
        async with SlowProvider(frozenset({"checkout-bulkhead"})) as shop:
            assert [payment.status for payment in shop.payments] == [0] * 2 + [503] * 10
            assert (shop.app.admission.in_progress, shop.app.admission.waiting) == (2, 0)
            status, seconds = await shop.a_page()
            assert status == 200
            assert seconds == pytest.approx(0.001)
            assert shop.app.bulkhead is not None
            assert (shop.app.bulkhead.in_progress, shop.app.bulkhead.refused_count) == (2, 10)
        assert shop.app.bulkhead.in_progress == 0

    virtual_time.run(story())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/orders/8/return", 503),
        ("GET", "/checkout/payment", 200),
        ("GET", "/checkout", 200),
        ("POST", "/cart/items", 200),
        ("GET", "/orders/8/confirmation", 200),
    ],
)
def test_the_bulkhead_holds_what_asks_the_provider_and_nothing_else(method: str, path: str, status: int) -> None:
    async def story() -> None:
        async with SlowProvider(frozenset({"checkout-bulkhead"})) as shop:
            assert (await ask(shop.app, path, method)).status == status

    virtual_time.run(story())


def test_added_service_time_passes_inside_the_place() -> None:
    async def story() -> None:
        app = guarded(ok, frozenset(), concurrency=2, delay_ms=50)
        visits = [Visit(scope_of("/")) for _ in range(6)]
        await asyncio.gather(*(visit.start(app) for visit in visits))
        assert virtual_time.now() == pytest.approx(0.15)
        assert [visit.status for visit in visits] == [200] * 6

    virtual_time.run(story())


def test_operators_are_not_delayed() -> None:
    async def story() -> None:
        await ask(ServiceTime(ok, 50), "/readyz")
        assert virtual_time.now() == 0

    virtual_time.run(story())


def test_a_bulkhead_has_a_fifth_of_the_places_and_at_least_one() -> None:
    async def most(concurrency: int) -> int:
        app = guarded(slow_provider, ALL, concurrency)
        visits = [Visit(scope_of("/checkout/payment", "POST")) for _ in range(concurrency + 1)]
        tasks = [visit.start(app) for visit in visits]
        await turns()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return sum(visit.status == 0 for visit in visits)

    assert [virtual_time.run(most(concurrency)) for concurrency in (1, 4, 10, 100)] == [1, 1, 2, 20]


@pytest.mark.parametrize(
    ("names", "bulkhead", "shedding"),
    [
        (ALL, True, True),
        (ALL - {"checkout-bulkhead"}, False, True),
        (ALL - {"load-shedding"}, True, False),
        (frozenset(), False, False),
    ],
)
def test_a_protection_that_is_not_named_is_left_out(names: frozenset[str], bulkhead: bool, shedding: bool) -> None:
    app = guarded(ok, names)
    assert (app.bulkhead is not None, app.shedding is not None) == (bulkhead, shedding)


def test_nobody_whom_the_places_and_the_queue_can_take_in_is_shed_before_there_was_an_overload() -> None:
    async def story() -> None:
        app = guarded(slow_provider, ALL, concurrency=10)
        bot = [(b"user-agent", b"somebot")]
        visits = [Visit(scope_of("/product/7", headers=bot)) for _ in range(31)]
        await asyncio.gather(*(visit.start(app) for visit in visits))
        assert [visit.status for visit in visits] == [200] * 30 + [503]
        assert app.shedding is not None
        assert (app.shedding.refused_count, app.admission.refused_count) == (0, 1)

    virtual_time.run(story())


@pytest.mark.parametrize(("waits", "limit"), [(0.0, 62), (0.04, 62), (0.1, 7.5)])
def test_a_line_further_inside_is_a_reason_to_shed(waits: float, limit: float) -> None:
    async def story() -> None:
        app = guarded(ok, ALL, concurrency=10, delay_ms=500, waits=waits)
        assert app.shedding is not None
        tasks: list[asyncio.Task[None]] = []
        for _ in range(4):
            tasks += [Visit(scope_of("/product/7")).start(app) for _ in range(5)]
            await asyncio.sleep(0.1)
        assert app.shedding.limit == limit
        await asyncio.gather(*tasks)

    virtual_time.run(story())


def test_an_overloaded_shop_answers_with_its_own_page_and_says_when_to_come_again() -> None:
    pages = Pages(StaticFiles())
    pages.open_shop(())
    failures = Failures(pages)

    async def draw(scope: Scope, error: ShopError) -> Response:
        return await failures.refuse(Request(scope), error)

    async def story() -> list[Visit]:
        answer = OverloadedAnswer(draw, Random(1))
        return [await ask(answer, "/product/7") for _ in range(50)]

    visits = virtual_time.run(story())
    assert {visit.status for visit in visits} == {503}
    assert {visit.headers[b"retry-after"] for visit in visits} == {b"1", b"2", b"3"}
    assert all(b'data-error="overloaded"' in visit.body for visit in visits)
    assert all(b'data-page-kind="product"' in visit.body for visit in visits)


def test_the_servers_start_and_stop_pass_all_layers() -> None:
    heard: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        heard.append(scope["type"])

    async def story() -> None:
        visit = Visit({"type": "lifespan"})
        await guarded(app, ALL, concurrency=1, delay_ms=50)(visit.scope, visit.receive, visit.send)

    virtual_time.run(story())
    assert heard == ["lifespan"]


# The answer to `/` begins, and ends when a byte comes through the pipe that is standard input.
_PROGRAM = """
import asyncio, os, socket, sys
from reference_shop.serving import prepare, serve

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    await asyncio.get_running_loop().run_in_executor(None, os.read, 0, 1)
    await send({"type": "http.response.body", "body": b"ended"})

prepare()
serve(app, socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), drain=sys.argv[3] == "drain")
"""


@contextmanager
def worker(drain: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a worker that serves; yield it and its port."""
    reading, announcing = os.pipe()
    with listen() as listener:
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(listener.fileno()), str(announcing), drain],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(listener.fileno(), announcing),
        )
        os.close(announcing)
        try:
            assert os.read(reading, 1) == b"1"
            yield process, port_of(listener)
        finally:
            os.close(reading)
            process.kill()
            process.communicate(timeout=WITHIN_S)


def begun_request(port: int) -> socket.socket:
    """Ask, and return when the answer has begun."""
    client = socket.create_connection(("127.0.0.1", port), WITHIN_S)
    client.sendall(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
    assert read_until(client, b"begun").endswith(b"begun")
    return client


def read_until(client: socket.socket, ending: bytes) -> bytes:
    """Read up to these bytes, or to the end of the connection."""
    got = b""
    while not got.endswith(ending):
        piece = client.recv(4096)
        if not piece:
            break
        got += piece
    return got


def test_with_a_graceful_drain_a_stopped_worker_finishes_what_it_has_begun() -> None:
    with worker("drain") as (process, port), begun_request(port) as client:
        process.send_signal(signal.SIGTERM)
        assert process.stdin is not None
        process.stdin.write(b"!")
        process.stdin.flush()
        assert read_until(client, b"ended") == b"ended"
        assert process.wait(WITHIN_S) == 0


def test_without_it_a_stopped_worker_cuts_what_it_has_begun() -> None:
    with worker("cut") as (process, port), begun_request(port) as client:
        process.send_signal(signal.SIGTERM)
        assert process.wait(WITHIN_S) == 0
        with client:
            assert read_until_cut(client) == b""


def read_until_cut(client: socket.socket) -> bytes:
    """Read what is left; a connection that is reset ends too."""
    try:
        return read_until(client, b"ended")
    except ConnectionResetError:
        return b""


async def hello(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer at once."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.mark.parametrize(
    ("server_class", "answered"), [(uvicorn.Server, False), (DrainingServer, True)], ids=["without", "with"]
)
def test_who_asks_on_a_kept_connection_while_the_worker_drains_is_answered(
    server_class: type[uvicorn.Server], answered: bool
) -> None:
    async def story() -> None:
        config = uvicorn.Config(hello, lifespan="off", log_config=None, timeout_graceful_shutdown=3)
        listener, server = listen(), server_class(config)
        port = port_of(listener)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.001)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert b"connection: close" not in await ask_again(reader, writer)
        accepting = server.servers[0]
        server.should_exit = True
        while accepting.is_serving():
            await asyncio.sleep(0.001)
        assert (b"connection: close" in await ask_again(reader, writer)) is answered
        writer.close()
        await serving

    asyncio.run(story())


async def ask_again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Return what is answered, nothing on a connection that the server has closed."""
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n")
        await writer.drain()
        return await reader.readuntil(b"hello")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
