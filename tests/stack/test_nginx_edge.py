"""The generated nginx configuration: nginx accepts it, and in front of a scripted origin it does what it promises."""

import json
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from reference_shop.edges import PROFILES, EdgeOptions, nginx, programs
from reference_shop.edges.layout import Origin as EdgeOrigin
from reference_shop.edges.layout import Site
from reference_shop.stack import ports
from reference_shop.stack.settings import default_run_as
from tests.stack.conftest import eventually

PROGRAM = programs.find("nginx")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed")


def write(prefix: Path, port: int, origin_port: int, worker_count: int, concurrency: int | None) -> None:
    """Put the configuration of the profile `nginx` into a folder."""
    behind = EdgeOrigin("127.0.0.1", origin_port)
    site = Site(PROFILES["nginx"], EdgeOptions(), behind, (port,), {}, prefix, worker_count, concurrency)
    for name, text in nginx.edge(site, port).files.items():
        (prefix / name).write_text(text, encoding="utf-8")


@dataclass
class Origin:
    """Answers one request after the other on a socket, by path, and remembers the heads it got."""

    listener: socket.socket
    heads: list[str] = field(default_factory=list)
    meeting: threading.Barrier = field(default_factory=lambda: threading.Barrier(2, timeout=5))
    released: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            while head := _read_head(connection):
                self.heads.append(head)
                answer = ANSWERS.get(head.split()[1])
                if answer is None:
                    return  # the connection breaks under the request
                if "/together" in head:
                    self.meeting.wait()
                if "/held" in head:
                    self.released.wait(timeout=5)
                connection.sendall(answer)

    def count(self, line: str) -> int:
        return sum(head.startswith(line + " ") for head in self.heads)


def _read_head(connection: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head:
        if not (part := connection.recv(65536)):
            return ""
        head += part
    return head.decode()


def _answer(headers: str, status: str = "200 OK", body: str = "x" * 2000) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n\r\n{body}".encode()


PAGE = "Content-Type: text/html\r\nX-Page-Kind: product\r\nX-Request-ID: origin\r\n"
ANSWERS = {
    "/fresh": _answer(PAGE + 'Cache-Control: public, max-age=60\r\nETag: "v1"'),
    "/plain": _answer(PAGE + "Cache-Control: public, max-age=60"),
    "/short": _answer(PAGE + "Cache-Control: public, max-age=1, stale-while-revalidate=30"),
    "/brief": _answer(PAGE + "Cache-Control: public, max-age=1"),
    "/private": _answer(PAGE + "Cache-Control: private, no-store"),
    "/cookie": _answer(PAGE + "Cache-Control: public, max-age=60\r\nSet-Cookie: a=b"),
    "/bare": _answer(PAGE.strip()),
    "/cart/together": _answer(PAGE + "Cache-Control: private, no-store"),
    "/waiting-room/together": _answer(PAGE + "Cache-Control: private, no-store"),
    "/cart/held": _answer(PAGE + "Cache-Control: private, no-store"),
    "/missing": _answer(PAGE + "Cache-Control: private, no-store", status="404 Not Found"),
    "/ops/truth": _answer(PAGE.strip()),
}


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with closing(ports.listen()) as listener:
        served = Origin(listener)
        threading.Thread(target=served.serve, daemon=True).start()
        yield served
        listener.shutdown(socket.SHUT_RDWR)


@dataclass
class Edge:
    url: str
    prefix: Path
    process: subprocess.Popen[bytes]

    def cache_status(self, path: str, method: str = "GET", **headers: str) -> str:
        answer = requests.request(method, self.url + path, headers=headers, timeout=10, allow_redirects=False)
        return answer.headers["Cache-Status"]


@pytest.fixture
def prefix(state_dir: Path) -> Path:
    """A folder of the user that nginx runs as, as the supervisor makes it."""
    folder = Path(tempfile.mkdtemp(prefix="edge-", dir=state_dir))
    if user := default_run_as():
        shutil.chown(folder, user)
    return folder


def _run(prefix: Path, *options: str) -> "subprocess.Popen[bytes]":
    assert PROGRAM is not None
    command = (*nginx.command(PROGRAM, prefix), *options)
    return subprocess.Popen(command, user=default_run_as(), extra_groups=[] if default_run_as() else None)


@pytest.fixture
def edge(origin: Origin, prefix: Path) -> Iterator[Edge]:
    with running(origin, prefix) as started:
        yield started


@contextmanager
def running(origin: Origin, prefix: Path, concurrency: int | None = None) -> Iterator[Edge]:
    with closing(ports.reserve()) as reserved:
        port = ports.number_of(reserved)
        write(prefix, port, ports.number_of(origin.listener), 1, concurrency)
        with _run(prefix) as process:
            eventually(lambda: _accepts(port))
            origin.heads.clear()
            yield Edge(f"http://127.0.0.1:{port}", prefix, process)
            process.send_signal(signal.SIGQUIT)


def _accepts(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("concurrency", [None, 100])
def test_nginx_accepts_the_configuration(
    prefix: Path, capfd: pytest.CaptureFixture[str], concurrency: int | None
) -> None:
    write(prefix, 18080, 18081, 2, concurrency)
    with _run(prefix, "-t") as trial:
        assert trial.wait(timeout=10) == 0
    assert "warn" not in capfd.readouterr().err


def test_a_cacheable_page_is_stored_and_then_served_from_the_cache(edge: Edge, origin: Origin) -> None:
    assert edge.cache_status("/fresh") == "lonjak-nginx; fwd=uri-miss; stored"
    assert edge.cache_status("/fresh") == "lonjak-nginx; hit"
    assert origin.count("GET /fresh") == 1


@pytest.mark.parametrize("path", ["/private", "/cookie", "/bare", "/missing"])
def test_what_is_not_for_everybody_is_never_stored(edge: Edge, origin: Origin, path: str) -> None:
    assert [edge.cache_status(path) for _ in range(2)] == ["lonjak-nginx; fwd=uri-miss"] * 2
    assert origin.count(f"GET {path}") == 2


def test_a_stale_page_is_served_while_a_new_one_is_fetched(edge: Edge) -> None:
    edge.cache_status("/short")
    assert eventually(lambda: "STALE" in edge.cache_status("/short"))
    assert eventually(lambda: edge.cache_status("/short") == "lonjak-nginx; hit")


def test_an_expired_page_is_not_served_stale_unless_the_shop_allows_it(edge: Edge) -> None:
    edge.cache_status("/brief")
    assert eventually(lambda: edge.cache_status("/brief") != "lonjak-nginx; hit")
    assert eventually(lambda: "fwd=stale" in edge.cache_status("/brief"))


@pytest.mark.parametrize("path", ["/cart/together", "/waiting-room/together"])
def test_two_shoppers_get_the_same_personal_page_at_the_same_time(edge: Edge, path: str) -> None:
    with ThreadPoolExecutor(2) as shoppers:
        said = list(shoppers.map(edge.cache_status, [path] * 2))  # the origin waits for both
    assert said == ["lonjak-nginx; fwd=bypass"] * 2


def test_requests_beyond_the_throttle_are_refused_at_once_and_only_as_long_as_others_are_in_work(
    origin: Origin, prefix: Path
) -> None:
    with running(origin, prefix, concurrency=2) as edge, ThreadPoolExecutor(2) as shoppers:
        held = [shoppers.submit(requests.get, edge.url + "/cart/held", timeout=10) for _ in range(2)]
        eventually(lambda: origin.count("GET /cart/held") == 2)
        refused = requests.get(edge.url + "/fresh", timeout=10)
        origin.released.set()
        assert [answer.result().status_code for answer in held] == [200, 200]
        eventually(lambda: requests.get(edge.url + "/fresh", timeout=10).status_code == 200)
    assert (refused.status_code, refused.headers["Cache-Status"]) == (503, "lonjak-nginx; detail=LOCAL")


def test_a_page_from_the_cache_carries_the_number_of_the_request_that_gets_it(edge: Edge) -> None:
    for number in ("visit-1", "visit-2"):
        answer = requests.get(edge.url + "/fresh", headers={"X-Request-ID": number}, timeout=10)
        assert answer.headers["X-Request-ID"] == number
    assert answer.headers["Cache-Status"] == "lonjak-nginx; hit"


def test_an_authorised_request_goes_past_the_cache(edge: Edge) -> None:
    edge.cache_status("/fresh")
    assert edge.cache_status("/fresh", Authorization="Bearer x") == "lonjak-nginx; fwd=bypass"


def test_a_post_is_forwarded_for_its_method(edge: Edge) -> None:
    assert edge.cache_status("/private", method="POST") == "lonjak-nginx; fwd=method"


@pytest.mark.parametrize("path", ["/ops/truth", "/ops", "/metrics", "//ops/truth", "/%6fps/truth", "/a/..%2fops/truth"])
def test_the_shops_books_are_hidden(edge: Edge, origin: Origin, path: str) -> None:
    request = requests.Request("GET", edge.url).prepare()
    request.url = edge.url + path
    with requests.Session() as session:
        answer = session.send(request, timeout=10)
    assert (answer.status_code, answer.headers["Cache-Status"]) == (404, "lonjak-nginx; detail=LOCAL")
    assert origin.heads == []


def test_a_malformed_request_gets_a_cache_status_too(edge: Edge) -> None:
    port = int(edge.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")  # without Host
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert "\r\nCache-Status: lonjak-nginx; detail=LOCAL\r\n" in answer


def test_the_origin_hears_who_asked_from_the_edge_alone(edge: Edge, origin: Origin) -> None:
    headers = {"X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7", "X-Request-ID": "order-17"}
    requests.get(edge.url + "/private", headers=headers, timeout=10)
    head = origin.heads[-1]
    assert re.findall(r"(?im)^((?:x-forwarded-for|forwarded|x-request-id|accept-encoding|host): ?.*?)\r$", head) == [
        f"Host: {edge.url.removeprefix('http://')}",
        "X-Forwarded-For: 127.0.0.1",
        "X-Request-ID: order-17",
    ]


def test_pages_are_compressed_and_keep_their_validator(edge: Edge) -> None:
    for _ in range(2):
        answer = requests.get(edge.url + "/fresh", timeout=10)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["ETag"] == 'W/"v1"'
    again = requests.get(edge.url + "/fresh", headers={"If-None-Match": 'W/"v1"'}, timeout=10)
    assert (again.status_code, again.headers["Cache-Status"]) == (304, "lonjak-nginx; hit")


def test_a_get_is_sent_once_more_over_a_new_connection_but_a_post_never(edge: Edge, origin: Origin) -> None:
    counts = {}
    for method in ("GET", "POST"):
        requests.get(edge.url + "/private", timeout=10)  # leaves a kept connection, which then breaks
        answer = requests.request(method, edge.url + "/broken", timeout=10)
        assert (answer.status_code, "Cache-Status" in answer.headers) == (502, True)
        counts[method] = origin.count(f"{method} /broken")
    assert counts == {"GET": 2, "POST": 1}


def test_the_access_log_is_complete_after_the_stop(edge: Edge) -> None:
    for path in ("/fresh", "/fresh", "/private", "/ops"):
        requests.get(edge.url + path, timeout=10)
    edge.process.send_signal(signal.SIGQUIT)
    edge.process.wait(timeout=10)
    lines = [json.loads(line) for line in (edge.prefix / nginx.ACCESS_LOG).read_text().splitlines()]
    said = [(line["kind"], line["status"], line["cache"]) for line in lines if line["status"] != 400]
    assert said == [
        ("product", 200, "miss"),
        ("product", 200, "hit"),
        ("product", 200, "miss"),
        ("", 404, "none"),
    ]
    assert all(line["bytes"] > 0 and line["at"] > 1.7e9 and line["duration_s"] >= 0 for line in lines)
