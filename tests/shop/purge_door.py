"""A cache's purge door of the tests' own, and the purger that knocks at it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self, cast
from uuid import uuid4

from tests.shop.processes import RUN_AS, SCHEMA, WITHIN_S, wait_until


@dataclass(frozen=True, slots=True)
class Knock:
    """A request: when it came (epoch seconds), over which connection (the peer's port), and what it said."""

    at: float
    connection: int
    door: str
    target: str
    host: str
    keys: str
    request_id: str

    @property
    def product_ids(self) -> set[int]:
        """The products that it is about."""
        words = self.keys.split() if self.keys else [self.target.replace("/product/", "product-")]
        return {int(word.removeprefix("product-")) for word in words}


@dataclass
class PurgeDoor:
    """Listens on a port that stays the same when it is closed and opened again."""

    name: str = "cache"
    by: tuple[str, ...] = ("url",)
    status: Callable[[Knock], int] = lambda _: 200
    knocks: list[Knock] = field(default_factory=list)
    port: int = 0
    freed: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.freed.set()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.freed.set()
        self.close()

    def open(self) -> None:
        """Answer from now on."""
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.door = self
        self.port = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def close(self) -> None:
        """Refuse connections from now on, and hang up on those there are."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for connection in self._server.connections:
            connection.close()

    def settings(self) -> dict[str, object]:
        """What the purger is told of it."""
        return {"cache": self.name, "url": f"http://127.0.0.1:{self.port}", "by": list(self.by)}

    def of(self, product_id: int) -> list[Knock]:
        """The requests about one product."""
        return [knock for knock in self.knocks if product_id in knock.product_ids]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    door: PurgeDoor

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.connections: list[Any] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.append(_Closable(request))
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that were closed under a handler."""


@dataclass
class _Closable:
    socket: Any

    def close(self) -> None:
        try:
            self.socket.shutdown(2)
        except OSError:
            return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PURGE(self) -> None:
        door = cast("_Server", self.server).door
        knock = Knock(
            time.time(),
            int(self.client_address[1]),
            door.name,
            self.path,
            self.headers["Host"],
            self.headers.get("Surrogate-Key", ""),
            self.headers["X-Request-ID"],
        )
        door.knocks.append(knock)
        door.freed.wait(WITHIN_S)
        self.send_response(door.status(knock))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"1\n")

    def log_message(self, *said: object) -> None:
        """Stay silent."""


@dataclass(frozen=True, slots=True)
class Purger:
    """The program, and its log."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def messages(self) -> list[str]:
        """What it said; each line is JSON."""
        return [json.loads(line)["message"] for line in self.log.read_text().splitlines()]

    def stop(self) -> tuple[int, float]:
        """End it; its exit status, and how many seconds it took."""
        started = time.monotonic()
        self.process.terminate()
        return self.process.wait(WITHIN_S), time.monotonic() - started


def settings_for(database_url: str, doors: Sequence[PurgeDoor], **more: object) -> dict[str, object]:
    """What the purger is told."""
    return {
        "database_url": database_url,
        "schema": SCHEMA,
        "doors": [door.settings() for door in doors],
        "how": "url",
        "host": "shop.test:8080",
        "run_as": RUN_AS,
    } | more


@contextmanager
def purger(folder: Path, settings: dict[str, object], launcher: Sequence[str] = ("-m",)) -> Iterator[Purger]:
    """The program, from when it follows the ledger on; `folder` is one that the unprivileged user may enter."""
    log = folder / f"purger-{uuid4().hex}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, *launcher, "reference_shop.purging"],
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=file,
            env=os.environ | {"HOME": str(folder)},
        )
    try:
        assert process.stdin is not None
        with process.stdin as stdin:
            stdin.write(json.dumps(settings).encode())
        wait_until(lambda: _follows(process, log), "the start of the purger")
        yield Purger(process, log)
    finally:
        process.kill()
        process.wait(WITHIN_S)


def _follows(process: "subprocess.Popen[bytes]", log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    return b"follows the ledger" in log.read_bytes()
