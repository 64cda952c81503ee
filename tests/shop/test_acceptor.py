"""A busy worker takes connections out of the kernel's queue as fast as they come, and leaves the rest to the others."""

import asyncio
import errno
import logging
import socket
from collections.abc import Coroutine
from contextlib import ExitStack
from itertools import pairwise

import pytest
import uvloop

from reference_shop.acceptor import Acceptor
from tests.shop import virtual_time
from tests.shop.processes import listen


class Counted(asyncio.Protocol):
    """Counts the connections that were begun."""

    begun: list[asyncio.BaseTransport]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.begun.append(transport)


def counting() -> type[Counted]:
    """Return a protocol with a count of its own."""

    class Own(Counted):
        begun: list[asyncio.BaseTransport] = []  # noqa: RUF012  (this class's)

    return Own


def callers(stack: ExitStack, listener: socket.socket, number: int) -> None:
    """Connect so many times; the kernel accepts for whoever listens."""
    for _ in range(number):
        caller = stack.enter_context(socket.socket())
        caller.connect(listener.getsockname())


def run_on_uvloop(story: Coroutine[object, object, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(story)


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


def test_fifty_connections_at_once_are_begun_within_a_few_turns_of_the_loop() -> None:
    async def story() -> None:
        with ExitStack() as stack:
            listener = stack.enter_context(listen())
            callers(stack, listener, 50)
            protocol = counting()
            acceptor = Acceptor(listener, protocol)
            await turns(10)
            assert len(protocol.begun) == 50
            acceptor.close()
            for transport in protocol.begun:
                transport.close()
            await turns(3)

    run_on_uvloop(story())


def test_uvloops_own_server_would_take_a_turn_for_each() -> None:
    async def story() -> None:
        with ExitStack() as stack:
            listener = stack.enter_context(listen())
            callers(stack, listener, 50)
            protocol = counting()
            server = await asyncio.get_running_loop().create_server(protocol, sock=listener)
            await turns(10)
            assert 1 <= len(protocol.begun) <= 12
            server.close()
            for transport in protocol.begun:
                transport.close()
            await server.wait_closed()

    run_on_uvloop(story())


def test_of_a_crowd_the_first_turn_takes_a_few_and_each_turn_after_it_twice_as_many() -> None:
    async def story() -> None:
        with ExitStack() as stack:
            listener = stack.enter_context(listen())
            callers(stack, listener, 60)
            protocol = counting()
            acceptor = Acceptor(listener, protocol)
            counts = []
            for _ in range(8):
                await turns(1)
                counts.append(len(protocol.begun))
            steps = [later - earlier for earlier, later in pairwise(counts) if later > earlier]
            assert steps == [8, 16, 32, 4]
            acceptor.close()
            for transport in protocol.begun:
                transport.close()
            await turns(3)

    run_on_uvloop(story())


def test_after_its_end_connections_are_left_to_the_siblings_on_the_same_socket() -> None:
    async def story() -> None:
        with ExitStack() as stack:
            listener = stack.enter_context(listen())
            ended, sibling = counting(), counting()
            acceptor = Acceptor(stack.enter_context(listener.dup()), ended)
            acceptor.close()
            await acceptor.wait_closed()
            callers(stack, listener, 3)
            await turns(10)
            assert len(ended.begun) == 0
            other = Acceptor(listener, sibling)
            await turns(10)
            assert len(sibling.begun) == 3
            other.close()
            for transport in sibling.begun:
                transport.close()
            await turns(3)

    run_on_uvloop(story())


class FullOnce(socket.socket):
    """A socket that cannot be accepted from once, because too many files are open."""

    is_full = True

    def accept(self) -> tuple[socket.socket, object]:
        if self.is_full:
            self.is_full = False
            raise OSError(errno.EMFILE, "too many open files")
        return super().accept()


def test_when_too_many_files_are_open_it_rests_for_a_second_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        with ExitStack() as stack:
            listener = stack.enter_context(FullOnce())
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            callers(stack, listener, 1)
            protocol = counting()
            acceptor = Acceptor(listener, protocol)
            await asyncio.sleep(0.99)
            assert (listener.is_full, protocol.begun) == (False, [])
            await asyncio.sleep(0.02)
            assert len(protocol.begun) == 1
            acceptor.close()
            protocol.begun[0].close()
            await turns(3)

    with caplog.at_level(logging.WARNING):
        virtual_time.run(story())
    assert [record.getMessage() for record in caplog.records] == [
        "no connection can be accepted for a moment: [Errno 24] too many open files"
    ]
