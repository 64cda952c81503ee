"""HTTP/1.1 to the payment provider: one connection per exchange in flight, kept for the next exchange."""

import asyncio
from time import monotonic
from typing import Protocol

import httptools

# The provider keeps idle connections for longer than this, so that a reused one is alive, unless it was restarted.
_IDLE_LIMIT_S = 30.0
_CONNECT_S = 5.0
_CHUNK_BYTES = 65536


class Answer(Protocol):
    """Takes an answer's body piece by piece; what it raises ends the exchange."""

    def on_body(self, chunk: bytes) -> None:
        """Take the next piece."""


class ProviderConnections:
    """The connections to one provider. Raises OSError, TimeoutError, EOFError or httptools.HttpParserError."""

    def __init__(self, host: str, port: int) -> None:
        """Connect on the first exchange."""
        self._host, self._port = host, port
        self._idle: list[_Channel] = []

    async def exchange(self, request: bytes, answer: Answer) -> int:
        """Send a request, feed what comes back to `answer`, return its status.

        A request that an idle connection did not answer with a single byte is sent once more, on a new connection:
        a provider that was restarted has closed what lay idle. Only because every request to it may be repeated (a
        GET, or a POST that bears an idempotency key) is that allowed: it may have arrived the first time.
        """
        if kept := self._take_idle():
            try:
                return await self._use(kept, request, answer)
            except (OSError, EOFError):
                if kept.has_answered:
                    raise
        return await self._use(await _Channel.open(self._host, self._port), request, answer)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    async def _use(self, channel: "_Channel", request: bytes, answer: Answer) -> int:
        try:
            status = await channel.exchange(request, answer)
        except BaseException:
            channel.close()
            raise
        self._idle.append(channel)
        return status

    def _take_idle(self) -> "_Channel | None":
        while self._idle:
            channel = self._idle.pop()
            if channel.is_fresh():
                return channel
            channel.close()
        return None


class _Channel:
    """One connection, used by one exchange at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._used_at = monotonic()
        self.has_answered = False

    @classmethod
    async def open(cls, host: str, port: int) -> "_Channel":
        async with asyncio.timeout(_CONNECT_S):
            return cls(*await asyncio.open_connection(host, port))

    def is_fresh(self) -> bool:
        return monotonic() - self._used_at < _IDLE_LIMIT_S and not self._reader.at_eof()

    async def exchange(self, request: bytes, answer: Answer) -> int:
        self.has_answered = False
        self._writer.write(request)
        end = _End(answer)
        parser = httptools.HttpResponseParser(end)
        while not end.has_come:
            chunk = await self._reader.read(_CHUNK_BYTES)
            if not chunk:
                raise EOFError("the provider's answer broke off")
            self.has_answered = True
            parser.feed_data(chunk)
        self._used_at = monotonic()
        return int(parser.get_status_code())

    def close(self) -> None:
        self._writer.close()


class _End:
    """Passes the body on and notices its end."""

    def __init__(self, answer: Answer) -> None:
        self.on_body = answer.on_body
        self.has_come = False

    def on_message_complete(self) -> None:
        self.has_come = True
