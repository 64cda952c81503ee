"""A shop and a cache in memory, careful or not, for the probes; what they were asked is the oracle."""

from collections import Counter
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from loadgen.http.cookies import CookieJar
from scenarios.safety.asking import Answered, Asking
from scenarios.safety.cache_signs import came_from_cache
from scenarios.safety.visitor_secret import CART_COOKIE, secret_of

HOST = "shop.test"


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str]
    token: str | None = None


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: str = "<html>a page</html>"
    headers: Mapping[str, str] = field(default_factory=dict)


PUBLIC = Reply(headers={"cache-control": "public, s-maxage=30", "x-page-kind": "product"})
BUSY = Reply(503, "busy")
Shop = Callable[[Request], Reply]
Rule = Callable[[Request, Reply], bool]


def shop(request: Request) -> Reply:
    """A shop without faults: it knows its addresses, and the visitor."""
    path = request.url.partition("?")[0]
    if path.startswith("/product/"):
        return PUBLIC
    return personal(request) if path in {"/cart", "/fragment/header", "/account"} else Reply(404, "no such page")


def personal(request: Request) -> Reply:
    """A page of the visitor's own."""
    shown = f' data-visitor="{secret_of(request.token)}"' if request.token else ""
    headers = {"cache-control": "private, no-store", "x-page-kind": "cart"}
    return Reply(body=f'<body data-page-kind="cart"{shown}>', headers=headers)


def ignores_endings(request: Request) -> Reply:
    """A shop that shows the page of the longest address it knows, whatever follows."""
    return PUBLIC if request.url.startswith("/product/") else personal(request)


def obeys(request: Request, reply: Reply) -> bool:
    """What a cache may keep."""
    return request.method == "GET" and reply.status == 200 and "public" in reply.headers.get("cache-control", "")


def keeps_all(request: Request, reply: Reply) -> bool:
    return request.method != "POST"


def keeps_nothing(request: Request, reply: Reply) -> bool:
    return False


class Edge:
    """Asks like `wire`, of a cache that keeps what `rule` says in front of a shop."""

    def __init__(self, origin: Shop = shop, rule: Rule = obeys, *, signed: bool = True) -> None:
        self.asked: list[Request] = []
        self._origin = origin
        self._rule = rule
        self._signed = signed
        self._kept: dict[str, Reply] = {}

    def ask(
        self,
        url: str,
        who: CookieJar,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        provokes: bool = False,
    ) -> Asking:
        request = Request(method, url, headers or {}, who.get(CART_COOKIE))
        self.asked.append(request)
        reply = self._answer(request)
        if (token := reply.headers.get("x-new-cart")) is not None:
            who.set(CART_COOKIE, token, HOST)
        yield 0.0
        return Answered(
            url=url,
            key=HOST + url,
            status=reply.status,
            page_kind=reply.headers.get("x-page-kind", ""),
            cache_status=reply.headers.get("cache-status", ""),
            cache_control=reply.headers.get("cache-control", ""),
            from_cache=came_from_cache(lambda name: reply.headers.get(name, "")),
            head="".join(f"{name}: {value}\r\n" for name, value in reply.headers.items()).encode(),
            body=b"" if method == "HEAD" else reply.body.encode(),
        )

    def _answer(self, request: Request) -> Reply:
        kept = self._kept.get(request.url) if request.method in {"GET", "HEAD"} else None
        if kept is not None:
            return self._sign(kept, "hit")
        reply = self._origin(request)
        if request.method == "POST" and request.url == "/cart/items" and reply.status < 500:
            return Reply(303, "", {"x-new-cart": f"cart-{len(self.asked)}"})
        if self._rule(request, reply):
            self._kept[request.url] = replace(reply, body="") if request.method == "HEAD" else reply
        return self._sign(reply, "fwd=uri-miss")

    def _sign(self, reply: Reply, what: str) -> Reply:
        return replace(reply, headers={**reply.headers, "cache-status": f"edge; {what}"}) if self._signed else reply


class Notes:
    """What the checks told."""

    def __init__(self) -> None:
        self.checked: Counter[str] = Counter()
        self.leaks: list[dict[str, str]] = []

    def safety_checked(self, check: str, count: int = 1) -> None:
        self.checked[check] += count

    def leak(self, check: str, **told: Any) -> None:
        self.leaks.append({"check": check, **told})


def run(rounds: Callable[[], Generator[float, None, None]], count: int = 1) -> None:
    for _ in range(count):
        for _pause_s in rounds():
            pass
