"""Many shoppers who ask for one page at the same moment, each over a connection of its own."""

import asyncio
import resource
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from urllib.parse import urlsplit

_FILES = 8192


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body_length: int


def _nothing() -> None:
    pass


def ask_at_once(urls: tuple[str, ...], path: str, count: int, when_sent: Callable[[], None] = _nothing) -> list[Answer]:
    """`count` requests for `path`, spread over the doors; all connections are open before the first is sent."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    return asyncio.run(_ask(urls, path, count, when_sent))


async def _ask(urls: tuple[str, ...], path: str, count: int, when_sent: Callable[[], None]) -> list[Answer]:
    doors = cycle(urlsplit(url) for url in urls)
    opened = []
    for _ in range(count):
        door = next(doors)
        opened.append((*await asyncio.open_connection(door.hostname, door.port), door.netloc))
    try:
        for _, writer, host in opened:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        when_sent()
        return await asyncio.gather(*(asyncio.wait_for(_read(reader), 60) for reader, _, _ in opened))
    finally:
        for _, writer, _ in opened:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    length = 0
    if "content-length" in headers:
        length = len(await reader.readexactly(int(headers["content-length"])))
    else:
        while size := int(await reader.readline(), 16):
            length += len((await reader.readexactly(size + 2))[:-2])
    return Answer(int(head[0].split()[1]), headers, length)
