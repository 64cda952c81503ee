"""Bounded places: how a server takes work in, in whatever state its protections are.

    arrival ──► a place is free? ──► served
                 │ no
                 ▼
                queue, first come first served, bounded in length and time ──► served
                 │ full, or waited too long
                 ▼
                refused

By Little's law an unbounded queue only lets everybody wait longer than anybody has patience for.
The operators' doors need no place: a server that is full must still be able to say so.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONCURRENCY = 100
QUEUE_S = 5.0
_PLACELESS = frozenset({"/healthz", "/readyz", "/metrics"})
# More than any form of ours; a longer body is left with the server, and its sender's leaving goes unnoticed.
_MOST_HEARD_BYTES = 65_536


def needs_place(scope: Scope) -> bool:
    """Tell shoppers' requests from operators' and from what is no request."""
    if scope["type"] != "http":
        return False
    path: str = scope["path"]
    return path not in _PLACELESS and not path.startswith("/ops/")


def queue_length_for(concurrency: int) -> int:
    """Return how many requests may wait for so many places."""
    return 2 * concurrency


class Admission:
    """ASGI middleware: serves at most `concurrency` requests at once; `in_progress` is how many it serves now."""

    def __init__(
        self,
        app: ASGIApp,
        refuse: ASGIApp,
        *,
        concurrency: int = CONCURRENCY,
        queue_length: int | None = None,
        queue_s: float = QUEUE_S,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Wrap `app`; `refuse` answers what does not fit. Without a length the queue is twice as long as the places."""
        self._app = app
        self._refuse = refuse
        self._concurrency = concurrency
        self._queue_length = queue_length_for(concurrency) if queue_length is None else queue_length
        self._queue_s = queue_s
        self._clock = clock
        self._queue: OrderedDict[asyncio.Future[bool], float] = OrderedDict()
        self.in_progress = 0
        self.refused_count = 0

    @property
    def places(self) -> int:
        """How many requests it serves at once at most."""
        return self._concurrency

    @property
    def waiting(self) -> int:
        """How many requests stand in the queue."""
        return len(self._queue)

    @property
    def longest_wait_s(self) -> float:
        """How long the first in the queue has waited so far; 0 if nobody waits."""
        return self._clock() - next(iter(self._queue.values())) if self._queue else 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not needs_place(scope):
            await self._app(scope, receive, send)
        elif self.in_progress < self._concurrency:
            self.in_progress += 1
            await self._serve(scope, receive, send)
        else:
            await self._queue_up(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            # All who have come are counted before anybody is served. Else pages that need nothing but the processor
            # would be served as they are read, never two at once, and their queue be the event loop's, without bounds.
            await asyncio.sleep(0)
            await self._app(scope, receive, send)
        finally:
            self._hand_on()

    def _hand_on(self) -> None:
        """Give a place to the first in the queue; nobody who comes now can be faster."""
        while self._queue:
            turn, _ = self._queue.popitem(last=False)
            if not turn.done():
                turn.set_result(True)
                return
        self.in_progress -= 1

    def _turn_away(self, turn: asyncio.Future[bool]) -> None:
        if self._queue.pop(turn, None) is not None and not turn.done():
            turn.set_result(False)

    async def _queue_up(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(self._queue) < self._queue_length:
            client = _WaitingClient(receive)
            has_place = await self._wait(client)
            if has_place:
                await self._serve(scope, client.receive, send)
                return
            if client.is_gone:
                return
            receive = client.receive
        self.refused_count += 1
        await self._refuse(scope, receive, send)

    async def _wait(self, client: "_WaitingClient") -> bool:
        """Return whether the client was given a place; else it has left, or waited long enough."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        self._queue[turn] = self._clock()
        patience = loop.call_later(self._queue_s, self._turn_away, turn)
        leaving = asyncio.create_task(client.leave())
        leaving.add_done_callback(lambda _: self._turn_away(turn))
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.result():
                self._hand_on()
            raise
        finally:
            self._queue.pop(turn, None)
            patience.cancel()
            leaving.cancel()


class _WaitingClient:
    """Listens to a client that waits, to notice that it leaves; the application hears all of it later."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._heard: deque[Message] = deque()
        self.is_gone = False

    async def leave(self) -> None:
        """Return when the client has hung up. May be cancelled: a server takes a message only when its wait is over."""
        heard_bytes = 0
        while heard_bytes <= _MOST_HEARD_BYTES:
            message = await self._receive()
            self._heard.append(message)
            if message["type"] == "http.disconnect":
                self.is_gone = True
                return
            heard_bytes += len(message.get("body", b""))
        await asyncio.get_running_loop().create_future()

    async def receive(self) -> Message:
        """Tell the application what was heard, then what is to come."""
        return self._heard.popleft() if self._heard else await self._receive()
