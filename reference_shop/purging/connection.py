"""A connection to a purge door that stays open from one request to the next. HTTP/1.1, answers without their bodies."""

import asyncio
from typing import Self

import httptools

_CHUNK_BYTES = 65_536


class Connection:
    """Asks one request after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Use these streams."""
        self._reader = reader
        self._writer = writer
        self.stays_open = True

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        """Connect; raises OSError."""
        return cls(*await asyncio.open_connection(host, port))

    async def ask(self, request: bytes) -> int:
        """Send a request and return the answer's status when all of it is there; raises OSError.

        ConnectionError: the other side closed before it answered.
        """
        self._writer.write(request)
        answer = _Answer()
        while not answer.is_complete:
            data = await self._reader.read(_CHUNK_BYTES)
            if not data:
                self.stays_open = False
                if answer.has_head:  # a body may be ended by the end of the connection
                    break
                raise ConnectionResetError("the connection was closed before there was an answer")
            try:
                answer.parser.feed_data(data)
            except httptools.HttpParserError as error:
                raise OSError(f"what was answered is no HTTP: {error}") from error
        self.stays_open = self.stays_open and answer.keeps_alive
        return int(answer.parser.get_status_code())

    def close(self) -> None:
        """Close, without waiting."""
        self._writer.close()


class _Answer:
    """What the parser says of an answer."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.has_head = False
        self.is_complete = False
        self.keeps_alive = False

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_message_complete(self) -> None:
        self.is_complete = True
        self.keeps_alive = self.parser.should_keep_alive()  # asked later, the parser knows no more
