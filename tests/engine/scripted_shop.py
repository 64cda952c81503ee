"""A real HTTP server for the engine's tests, which counts what reaches it: the oracle from outside."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import gevent

from tests.engine.prompt_server import PromptServer

Answer = tuple[str, list[tuple[str, str]], bytes]
PAGE = b"<html>hello</html>"
CACHEABLE = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Cache-Control", "public, max-age=60"),
    ("Cache-Status", "shield; fwd=miss, edge; hit; ttl=9"),
]


class ScriptedShop:
    """Answers `/slow/<seconds>`, `/away`, `/status/<code>` as they say, anything else with a cacheable page.

    While it is `broken`, every answer is an error.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.visitors: Counter[str] = Counter()
        self.broken = False
        self._server = PromptServer(("127.0.0.1", 0), self._serve, log=None, error_log=None)
        self._server.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def stop(self) -> None:
        self._server.stop(timeout=0)

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.counts[path] += 1
        self.visitors[environ["REMOTE_ADDR"]] += 1
        status, headers, body = self._answer(path)
        start_response(status, headers)
        return [body]

    def _answer(self, path: str) -> Answer:
        if self.broken:
            return "500 Broken", [("Content-Type", "text/plain")], b"broken"
        first, _, rest = path.strip("/").partition("/")
        match first:
            case "slow":
                gevent.sleep(float(rest))
            case "away":
                return "302 Found", [("Location", "http://10.1.2.3/elsewhere")], b""
            case "near":
                return "302 Found", [("Location", "/landed")], b""
            case "status":
                return f"{rest} Scripted", [("Content-Type", "application/octet-stream")], b"\xff\xfe\x00"
        return "200 OK", CACHEABLE, PAGE


@contextmanager
def scripted_shop() -> Iterator[ScriptedShop]:
    shop = ScriptedShop()
    try:
        yield shop
    finally:
        shop.stop()


def eventually(holds: Callable[[], object], within_s: float = 30.0) -> None:
    """Wait until something holds; fail when it does not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        gevent.sleep(0.02)
