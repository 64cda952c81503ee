"""Purges products at one cache's door: `PURGE /product/N`, or `PURGE /` with their keys in `Surrogate-Key`."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reference_shop.purging.connection import Connection
from reference_shop.purging.settings import DoorSettings
from reference_shop.web.caching import product_key

# A door that purges by fetching anew takes as long as the origin does, however far away it is.
_TIMEOUT_S = 5.0
_CONNECTIONS = 8
_KEYS_PER_REQUEST = 100


@dataclass(slots=True)
class Purged:
    """What became of products: purged, refused with a status other than 200, or without an answer.

    `problem` says what was wrong with the last of those.
    """

    done: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    unanswered: set[int] = field(default_factory=set)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Request:
    target: str
    product_ids: tuple[int, ...]
    keys: str = ""


class Door:
    """A cache's purge door; up to 8 requests at once, over connections that are kept."""

    def __init__(self, settings: DoorSettings, host: str, numbers: Iterator[int]) -> None:
        """Purge pages of `host`; each request carries the next of `numbers` in its X-Request-ID."""
        self._settings = settings
        self._host = host
        self._numbers = numbers
        self._idle: list[Connection] = []

    async def purge(self, product_ids: Sequence[int]) -> Purged:
        """Purge these products' pages; once a request stays without an answer, the others are not sent."""
        outcome = Purged(unanswered=set(product_ids))
        to_send = deque(self._requests(product_ids))
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_CONNECTIONS, len(to_send))):
                group.create_task(self._send(to_send, outcome))
        return outcome

    def close(self) -> None:
        """Close all connections."""
        while self._idle:
            self._idle.pop().close()

    def _requests(self, product_ids: Sequence[int]) -> list[_Request]:
        if self._settings.way == "url":
            return [_Request(f"/product/{product_id}", (product_id,)) for product_id in product_ids]
        parts = (
            tuple(product_ids[first : first + _KEYS_PER_REQUEST])
            for first in range(0, len(product_ids), _KEYS_PER_REQUEST)
        )
        return [_Request("/", part, " ".join(map(product_key, part))) for part in parts]

    async def _send(self, to_send: deque[_Request], outcome: Purged) -> None:
        while to_send:
            request = to_send.popleft()
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    status = await self._ask(self._written(request))
            except OSError as error:  # TimeoutError is one
                outcome.problem = str(error) or f"no answer within {_TIMEOUT_S:.0f} s"
                to_send.clear()
                return
            outcome.unanswered.difference_update(request.product_ids)
            if status == 200:
                outcome.done.update(request.product_ids)
            else:
                outcome.refused.update(request.product_ids)
                outcome.problem = f"{request.target} was answered with {status}"

    async def _ask(self, request: bytes) -> int:
        while self._idle:
            try:
                return await self._through(self._idle.pop(), request)
            except ConnectionError:
                continue  # it was closed while nobody used it; a purge may be sent twice
        return await self._through(await Connection.open("127.0.0.1", self._settings.port), request)

    async def _through(self, connection: Connection, request: bytes) -> int:
        kept = False
        try:
            status = await connection.ask(request)
            kept = connection.stays_open
        finally:
            if kept:
                self._idle.append(connection)
            else:
                connection.close()
        return status

    def _written(self, request: _Request) -> bytes:
        lines = [
            f"PURGE {request.target} HTTP/1.1",
            f"Host: {self._host}",
            f"X-Request-ID: purge-{next(self._numbers)}",
            *([f"Surrogate-Key: {request.keys}"] if request.keys else []),
        ]
        return "\r\n".join([*lines, "", ""]).encode("ascii")
