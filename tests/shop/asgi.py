"""Asks ASGI applications without a server between."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Headers = list[tuple[bytes, bytes]]


def scope_of(path: str, method: str = "GET", headers: Iterable[tuple[bytes, bytes]] = ()) -> Scope:
    """Describe a request as a server would."""
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"shop.test"), *headers],
        "scheme": "http",
        "server": ("shop.test", 80),
        "client": ("127.0.0.1", 40000),
    }


@dataclass
class Visit:
    """A request and what was answered so far; status 0 until then."""

    scope: Scope
    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""
    _to_come: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)

    def post(self, body: bytes, *, more: bool = False) -> None:
        """Send a piece of the body."""
        self._to_come.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def hang_up(self) -> None:
        """Leave."""
        self._to_come.put_nowait({"type": "http.disconnect"})

    async def receive(self) -> Message:
        """Give the application what was sent."""
        return await self._to_come.get()

    async def send(self, message: Message) -> None:
        """Take what the application answers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            self.body += message["body"]

    def start(self, app: ASGIApp) -> asyncio.Task[None]:
        """Ask in a task of its own, as servers do."""

        async def asked() -> None:
            await app(self.scope, self.receive, self.send)

        return asyncio.create_task(asked())


async def ask(app: ASGIApp, path: str, method: str = "GET", headers: Iterable[tuple[bytes, bytes]] = ()) -> Visit:
    """Ask, and return when it was answered."""
    visit = Visit(scope_of(path, method, headers))
    visit.post(b"")
    await app(visit.scope, visit.receive, visit.send)
    return visit


async def turns(number: int = 5) -> None:
    """Let everything run that can."""
    for _ in range(number):
        await asyncio.sleep(0)


def answering(status: int) -> ASGIApp:
    """Return an application that answers at once."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return app


ok = answering(200)
refuse = answering(503)


@dataclass
class Kitchen:
    """An application that serves nobody before it is told to; `guests` are the paths it is serving, in order."""

    guests: dict[str, asyncio.Event] = field(default_factory=dict)
    served: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve when it is time."""
        self.guests[scope["path"]] = ready = asyncio.Event()
        try:
            await ready.wait()
        finally:
            del self.guests[scope["path"]]
        self.served.append(scope["path"])
        await ok(scope, receive, send)

    async def serve(self, path: str) -> None:
        """Finish one."""
        self.guests[path].set()
        await turns()
