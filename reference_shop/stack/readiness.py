"""When a process counts as ready: it answered, over the very door that its clients use, or it said so itself."""

import asyncio
import os
from collections.abc import Callable, Coroutine

import asyncpg  # type: ignore[import-untyped,unused-ignore]  # published without types

from reference_shop.stack.child import Child
from reference_shop.stack.ports import HOST

_POLL_S = 0.05
ANSWER_S = 2.0
_READY_PATH = "/readyz"


def answers_http(
    port: int, *, any_status: bool = False, answer_s: float = ANSWER_S
) -> Callable[[Child], Coroutine[None, None, None]]:
    """Ready once GET /readyz gives 200, or, of an edge whose origin may be down just then, any answer.

    It is asked again when there is no answer within `answer_s`: another worker may have taken the question with it.
    """

    async def ready(_child: Child) -> None:
        while (status := await _status_of(port, answer_s)) != 200 and not (any_status and status):
            await asyncio.sleep(_POLL_S)

    return ready


def announced_and_answers_http(port: int, answer_s: float = ANSWER_S) -> Callable[[Child], Coroutine[None, None, None]]:
    """Ready once the process wrote to its pipe and /readyz gives 200.

    Shop workers share one listening socket: which of them answers is the kernel's choice, so an answer alone says
    nothing of this one.
    """
    answers = answers_http(port, answer_s=answer_s)

    async def ready(child: Child) -> None:
        await _announcement(child)
        await answers(child)

    return ready


async def announced(child: Child) -> None:
    """Ready once the process wrote to its pipe."""
    await _announcement(child)


async def launched(_child: Child) -> None:
    """Ready at once: nobody waits for this process."""


def accepts_sessions(url: str) -> Callable[[Child], Coroutine[None, None, None]]:
    """Ready once a database session can be opened."""

    async def ready(_child: Child) -> None:
        while True:
            try:
                session = await asyncpg.connect(url, timeout=ANSWER_S)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(_POLL_S)
            else:
                await session.close()
                return

    return ready


async def _announcement(child: Child) -> None:
    """Wait for a byte on the process's pipe; for ever when it ends without one, as its end is seen elsewhere."""
    if child.ready_fd is None:
        return
    loop, spoke = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(child.ready_fd, spoke.set)
    try:
        await spoke.wait()
    finally:
        if child.ready_fd is not None:
            loop.remove_reader(child.ready_fd)
    if child.ready_fd is None or not os.read(child.ready_fd, 64):
        await asyncio.shield(child.exited)


async def _status_of(port: int, answer_s: float) -> int | None:
    """Status of GET /readyz on 127.0.0.1; None without an answer."""
    try:
        async with asyncio.timeout(answer_s):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(f"GET {_READY_PATH} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
                line = await reader.readline()
            finally:
                writer.close()
        return int(line.split()[1])
    except (OSError, TimeoutError, ValueError, IndexError):
        return None
