"""The delaying proxy alone, as the program that the stack starts."""

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from reference_shop.stack import ports
from reference_shop.stack.settings import default_run_as
from tests.stack.conftest import eventually

DELAY_S = 0.1
TRIES = 3  # of which a busy machine may delay some


@dataclass
class Passage:
    """A running proxy: where clients connect, where it connects to."""

    entrance: tuple[str, int]
    server: socket.socket
    process: "subprocess.Popen[bytes]"

    def connect(self, source: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
        """A client's connection and the same as the server has it."""
        client = socket.create_connection(self.entrance, timeout=10, source_address=(source, 0))
        accepted, _ = self.server.accept()
        accepted.settimeout(10)
        return client, accepted


PROGRAM = "reference_shop.throttles"
WATCHED = Path(__file__).parents[1] / "shop" / "watched.py"


@contextmanager
def proxy(
    delay_s: float = 0.0,
    *,
    keep_client_address: bool = False,
    host: str = "127.0.0.1",
    control: Path | None = None,
    launcher: tuple[str, ...] = ("-m",),
) -> Iterator[Passage]:
    announced, announce = os.pipe()
    with ExitStack() as stack:
        entrance = stack.enter_context(ports.listen())
        server = stack.enter_context(ports.listen())
        server.settimeout(10)
        settings = {
            "listen_fd": entrance.fileno(),
            "host": host,
            "port": ports.number_of(server),
            "delay_ms": delay_s * 1000,
            "keep_client_address": keep_client_address,
            "control": str(control) if control else None,
            "ready_fd": announce,
            "run_as": default_run_as(),
        }
        command = (sys.executable, "-P", *launcher, PROGRAM)
        process = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(entrance.fileno(), announce))
        )
        os.close(announce)
        stack.callback(process.kill)
        assert process.stdin is not None
        process.stdin.write(json.dumps(settings).encode())
        process.stdin.close()
        assert os.read(announced, 1) == b"1"
        os.close(announced)
        yield Passage(entrance.getsockname(), server, process)


@pytest.fixture(scope="module")
def quick() -> Iterator[Passage]:
    with proxy(keep_client_address=True) as started:
        yield started


@pytest.fixture(scope="module")
def slow() -> Iterator[Passage]:
    with proxy(DELAY_S) as started:
        yield started


def everything(connection: socket.socket) -> bytes:
    """All bytes up to the end of the stream."""
    parts = []
    while part := connection.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("which", ["quick", "slow"])
def test_bytes_arrive_as_they_were_sent_in_both_directions_at_once(which: str, request: pytest.FixtureRequest) -> None:
    """More of them than all buffers on the way hold."""
    there, back = random.Random(1).randbytes(9_000_000), random.Random(2).randbytes(9_000_000)
    client, server = request.getfixturevalue(which).connect()

    def send(connection: socket.socket, content: bytes) -> None:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)

    with client, server, ThreadPoolExecutor(4) as pool:
        sending = [pool.submit(send, client, there), pool.submit(send, server, back)]
        arrived, returned = pool.submit(everything, server), pool.submit(everything, client)
        assert (arrived.result() == there, returned.result() == back) == (True, True)
        assert [done.result() for done in sending] == [None, None]


def test_each_burst_is_held_back_and_answers_are_not(slow: Passage) -> None:
    client, server = slow.connect()

    def answered_s() -> float:
        sent_at = time.monotonic()
        client.sendall(b"question")
        assert server.recv(100) == b"question"
        held_s = time.monotonic() - sent_at
        server.sendall(b"answer")
        assert client.recv(100) == b"answer"
        assert held_s >= DELAY_S
        return time.monotonic() - sent_at - held_s

    with client, server:
        assert min(answered_s() for _ in range(TRIES)) < DELAY_S


def test_bursts_of_one_connection_do_not_wait_for_each_other_and_keep_their_order(slow: Passage) -> None:
    client, server = slow.connect()

    def took_s() -> float:
        began_at = time.monotonic()
        for number in range(8):
            client.sendall(bytes([number]))
            time.sleep(DELAY_S / 8)  # so that each is a burst of its own
        arrived = b""
        while len(arrived) < 8:
            arrived += server.recv(100)
        assert arrived == bytes(range(8))
        return time.monotonic() - began_at

    with client, server:
        assert min(took_s() for _ in range(TRIES)) < 4 * DELAY_S  # one after the other they would take 8


def test_many_connections_are_held_back_at_the_same_time(slow: Passage) -> None:
    with ExitStack() as stack:
        pairs = [tuple(map(stack.enter_context, slow.connect())) for _ in range(200)]
        began_at = time.monotonic()
        for number, (client, _) in enumerate(pairs):
            client.sendall(b"%d" % number)
        assert {pair[1].recv(100) for pair in pairs} == {b"%d" % number for number in range(200)}
        assert DELAY_S <= time.monotonic() - began_at < 100 * DELAY_S  # one after the other they would take 200


def test_a_client_that_has_said_all_still_gets_its_answer(slow: Passage) -> None:
    client, server = slow.connect()
    with client, server:
        client.sendall(b"all")
        client.shutdown(socket.SHUT_WR)
        assert everything(server) == b"all"
        server.sendall(b"answer")
        server.close()
        assert everything(client) == b"answer"


def test_a_server_that_closes_is_seen_to_close(quick: Passage) -> None:
    client, server = quick.connect()
    with client:
        server.sendall(b"goodbye")
        server.close()
        assert everything(client) == b"goodbye"


def test_a_client_that_is_gone_frees_the_server_and_the_proxy(slow: Passage) -> None:
    before = psutil.Process(slow.process.pid).num_fds()
    client, server = slow.connect()
    with server:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # closing resets
        client.sendall(b"never mind")
        client.close()
        assert everything(server) == b""
    eventually(lambda: psutil.Process(slow.process.pid).num_fds() <= before)


def test_nobody_waits_for_a_server_that_is_gone() -> None:
    with proxy(DELAY_S) as passage:
        passage.server.close()
        with socket.create_connection(passage.entrance, timeout=10) as client:
            assert client.recv(1) == b""


@pytest.mark.parametrize("source", ["127.0.0.1", "127.64.3.7"])
def test_the_server_sees_the_clients_own_address(quick: Passage, source: str) -> None:
    client, server = quick.connect(source)
    with client, server:
        assert server.getpeername()[0] == source


def test_without_being_told_so_the_proxy_shows_its_own_address(slow: Passage) -> None:
    client, server = slow.connect("127.64.3.7")
    with client, server:
        assert server.getpeername()[0] == "127.0.0.1"


def test_a_stopped_proxy_lets_a_conversation_end_and_takes_no_new_one() -> None:
    with proxy(DELAY_S) as passage:
        client, server = passage.connect()
        with client, server:
            client.sendall(b"last words")
            passage.process.terminate()
            client.shutdown(socket.SHUT_WR)
            assert everything(server) == b"last words"
            server.close()
            assert everything(client) == b""
        assert passage.process.wait(timeout=10) == 0


def test_a_stopped_proxy_does_not_wait_for_ever() -> None:
    with proxy() as passage:
        client, server = passage.connect()
        with client, server:
            passage.process.terminate()
            assert passage.process.wait(timeout=10) == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_once_privileges_are_dropped_the_interpreter_may_be_out_of_reach(tmp_path: Path, host: str) -> None:
    launcher, control = (str(WATCHED), str(tmp_path)), tmp_path / "control.json"
    keeps = host == "127.0.0.1"
    with proxy(DELAY_S, host=host, keep_client_address=keeps, control=control, launcher=launcher) as passage:
        client, server = passage.connect("127.64.3.7")
        with client, server:
            client.sendall(b"question")
            assert server.recv(100) == b"question"
        passage.server.close()
        with socket.create_connection(passage.entrance, timeout=10) as client:
            assert client.recv(1) == b""
        passage.process.terminate()
        assert passage.process.wait(timeout=10) == 0
    assert (tmp_path / PROGRAM).read_text() == ""


def test_settings_that_make_no_sense_are_refused() -> None:
    command = (sys.executable, "-P", "-m", PROGRAM)
    settings = {"listen_fd": 0, "host": "127.0.0.1", "port": 1, "delay_ms": -1}
    ended = subprocess.run(command, input=json.dumps(settings), capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert (
        ended.stderr == "throttles: the settings on standard input are wrong: delay_ms is -1, it must be at least 0\n"
    )
