"""A real HTTP server that answers each address from a script; for storefronts, what reached it is the oracle."""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import gevent
from gevent.event import Event as Flag
from locust.event import EventHook

from loadgen.config import Load, Scenario, Shoppers
from loadgen.http.client import DEFAULT_TIMEOUTS, Timeouts
from loadgen.recorder import Recorder
from loadgen.records import LedgerLine
from loadgen.runclock import RunClock
from loadgen.session import Session
from tests.engine.prompt_server import PromptServer

SCENARIO = Scenario("tiny", "", "reference", None, Load(), Shoppers(segments={"phone": 1.0}), (), ())


@dataclass(frozen=True)
class Scripted:
    """One answer, given after `wait_s` seconds; an empty header is left out."""

    body: str = ""
    status: int = 200
    kind: str = ""
    location: str = ""
    cache_control: str = "private, no-store"
    content_type: str = "text/html; charset=utf-8"
    etag: str = ""
    wait_s: float = 0.0
    refresh: str = ""
    retry_after: str = ""


@dataclass(frozen=True)
class Seen:
    """One request as it reached the server."""

    method: str
    url: str
    headers: dict[str, str]
    body: str


class PageServer:
    """Answers (method, address) with the scripted answers in turn, the last one for ever; anything else is a 404."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._scripts: dict[tuple[str, str], deque[Scripted]] = defaultdict(deque)
        self._server = PromptServer(("127.0.0.1", 0), self._serve, log=None, error_log=None)
        self._server.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def asked(self) -> list[str]:
        return [f"{seen.method} {seen.url}" for seen in self.seen]

    def answer(self, method: str, url: str, *answers: Scripted) -> None:
        self._scripts[method, url] = deque(answers)

    def stop(self) -> None:
        self._server.stop(timeout=0.5)  # connections that their clients have closed end by themselves

    def _serve(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        query = environ["QUERY_STRING"]
        url = environ["PATH_INFO"] + (f"?{query}" if query else "")
        headers = {name[5:].lower().replace("_", "-"): str(environ[name]) for name in environ if name[:5] == "HTTP_"}
        self.seen.append(Seen(environ["REQUEST_METHOD"], url, headers, environ["wsgi.input"].read().decode()))
        scripts = self._scripts[environ["REQUEST_METHOD"], url]
        scripted = Scripted(status=404) if not scripts else scripts.popleft() if len(scripts) > 1 else scripts[0]
        gevent.sleep(scripted.wait_s)
        held = scripted.etag and headers.get("if-none-match") == scripted.etag
        start_response(f"{304 if held else scripted.status} Scripted", _headers(scripted))
        return [b"" if held else scripted.body.encode()]


class Visitor:
    """A session with a recorder of its own, and what it recorded."""

    def __init__(self, target: str, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> None:
        self.recorder = Recorder(RunClock(time.time()))
        event = EventHook()
        event.add_listener(self.recorder.on_request)
        self.session = Session(
            0,
            0.0,
            scenario=SCENARIO,
            target=target,
            recorder=self.recorder,
            cut=Flag(),
            request_event=event,
            timeouts=timeouts,
        )

    def recorded(self) -> tuple[dict[str, Counter[str]], list[LedgerLine], Counter[str]]:
        """Counters by page kind, the ledger, and the funnel."""
        counters: dict[str, Counter[str]] = defaultdict(Counter)
        ledger: list[LedgerLine] = []
        funnel: Counter[str] = Counter()
        for second in self.recorder.take():
            for kind, counts in second.counters.items():
                counters[kind].update(counts)
            ledger += second.ledger
            for counts in second.funnel.values():
                funnel.update(counts)
        return counters, ledger, funnel


def _headers(scripted: Scripted) -> list[tuple[str, str]]:
    named = {
        "Content-Type": scripted.content_type,
        "Cache-Control": scripted.cache_control,
        "X-Page-Kind": scripted.kind,
        "Location": scripted.location,
        "ETag": scripted.etag,
        "Refresh": scripted.refresh,
        "Retry-After": scripted.retry_after,
    }
    return [(name, value) for name, value in named.items() if value]
