"""When a process counts as ready: it answered, over the very door that its clients use, or it said so itself."""

import asyncio
import os
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path

import asyncpg  # type: ignore[import-untyped,unused-ignore]  # published without types

from reference_shop.stack.child import Child
from reference_shop.stack.ports import HOST

_POLL_S = 0.05
ANSWER_S = 2.0
_READY_PATH = "/readyz"
_VARNISH_LOG = "/_.vsm_child/_.Log"


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


def answers_https(
    port: int, authority: Path, answer_s: float = ANSWER_S
) -> Callable[[Child], Coroutine[None, None, None]]:
    """Ready once it answers over TLS, with a certificate that the authority vouches for, whatever the status."""

    async def ready(_child: Child) -> None:
        context = ssl.create_default_context(cafile=authority)
        while await _status_of(port, answer_s, context) is None:
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


async def reads_varnish_log(child: Child) -> None:
    """Ready once varnishncsa has the memory before it that Varnish logs to: it begins at the end of what is there."""
    while _VARNISH_LOG not in _mapped_by(child.identity.pid):
        await asyncio.sleep(_POLL_S)


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


def _mapped_by(pid: int) -> str:
    """The files that a process has in its memory, one a line with more of each (proc(5))."""
    try:
        return Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has ended, which is seen elsewhere
        return ""


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


async def _status_of(port: int, answer_s: float, tls: ssl.SSLContext | None = None) -> int | None:
    """Status of GET /readyz on 127.0.0.1; None without an answer."""
    try:
        async with asyncio.timeout(answer_s):
            reader, writer = await asyncio.open_connection(HOST, port, ssl=tls)
            try:
                writer.write(f"GET {_READY_PATH} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
                line = await reader.readline()
            finally:
                writer.close()
        return int(line.split()[1])
    except (OSError, TimeoutError, ValueError, IndexError):
        return None
