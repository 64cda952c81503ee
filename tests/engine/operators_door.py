"""A shop's operators' door, as far as offers go: takes what is posted to /ops/offers, and answers as told."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.engine.prompt_server import PromptServer

TOKEN = "let-me-in"
MADE = {"flash_sale": {"sale_id": 9, "product_id": 3, "price_idr": 99000}}
END = b'{"type":"end","lines":0,"at":5.0,"pending_count":0}\n'


@dataclass
class Door:
    """`before` is called before each answer to offers; `posted` holds what came, with the token it came with."""

    status: str = "200 OK"
    answer: Any = field(default_factory=lambda: MADE)
    before: Callable[[], object] = lambda: None
    posted: list[tuple[str, Any]] = field(default_factory=list)
    ops_url: str = ""

    def serve(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/ops/truth":
            start_response("200 OK", [("Content-Type", "application/x-ndjson")])
            return [END]
        assert (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("POST", "/ops/offers")
        self.posted.append((environ.get("HTTP_AUTHORIZATION", ""), json.loads(environ["wsgi.input"].read())))
        self.before()
        start_response(self.status, [("Content-Type", "application/json")])
        return [json.dumps(self.answer).encode()]


@contextmanager
def operators_door(**how: Any) -> Iterator[Door]:
    door = Door(**how)
    server = PromptServer(("127.0.0.1", 0), door.serve, log=None, error_log=None)
    server.start()
    door.ops_url = f"http://127.0.0.1:{server.server_port}/ops/truth"
    try:
        yield door
    finally:
        server.stop(timeout=0)
