"""The control file of a proxy: slower for a while, cut for a while, as before afterwards."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from reference_shop.throttles.control import LOOK_EVERY_S, Control, Orders, follow, parse_orders
from reference_shop.throttles.proxy import Proxy, Target
from tests.stack.conftest import eventually
from tests.stack.test_proxy import Passage, everything, proxy

SLOW_S = 0.2


def test_a_delay_is_ordered_until_an_instant_and_then_is_the_usual_one_again() -> None:
    orders = parse_orders('{"delay_ms": 250, "delay_until": 100.5}')
    assert [orders.delay_at(now, usual_s=0.02) for now in (0, 100.4, 100.5)] == [0.25, 0.25, 0.02]
    assert not orders.is_down_at(0)


def test_a_delay_without_an_end_and_an_end_without_a_delay_order_nothing() -> None:
    assert parse_orders('{"delay_ms": 250}').delay_at(1, usual_s=0.02) == 0.02
    assert parse_orders('{"delay_until": 100}').delay_at(1, usual_s=0.02) == 0.02


def test_a_cut_ends_at_its_instant() -> None:
    orders = parse_orders('{"down_until": 100.5}')
    assert [orders.is_down_at(now) for now in (0, 100.4, 100.5)] == [True, True, False]
    assert orders.delay_at(0, usual_s=0.02) == 0.02


@pytest.mark.parametrize(
    "text", ["", "[]", "7", '{"delay_ms": -1}', '{"delay_ms": true}', '{"down_until": "soon"}', '{"gravity": 9.8}', "{"]
)
def test_orders_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (json's own sentence, or ours)
        parse_orders(text)


def test_a_missing_file_orders_nothing_and_a_half_written_one_nothing_new(tmp_path: Path) -> None:
    file = tmp_path / "control.json"
    control = Control(file)
    assert control.look() == Orders()
    file.write_text('{"down_until": 7}')
    assert control.look() == Orders(down_until=7.0)
    for broken in (b'{"down_un', b"\xff"):
        file.write_bytes(broken)
        assert control.look() == Orders(down_until=7.0)
    file.unlink()
    assert control.look() == Orders()


def test_a_proxy_follows_its_file_every_50_ms(tmp_path: Path) -> None:
    """The clock stands at 100.0 at first, and goes on with each pause."""
    file, now, seen = tmp_path / "control.json", [100.0], []
    followed = Proxy(Target("127.0.0.1", 1), 0.02)
    file.write_text('{"delay_ms": 300, "delay_until": 100.14}')

    async def pause(for_s: float) -> None:
        seen.append((for_s, followed.delay_s))
        now[0] += for_s
        if len(seen) == 5:
            raise EOFError

    with pytest.raises(EOFError):
        asyncio.run(follow(Control(file), followed, 0.02, clock=lambda: now[0], pause=pause))
    assert seen == [(LOOK_EVERY_S, delay_s) for delay_s in (0.3, 0.3, 0.3, 0.02, 0.02)]


@pytest.fixture(scope="module")
def controlled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Passage, Path]]:
    """A running proxy without a delay, and its control file."""
    folder = tmp_path_factory.mktemp("control")
    for path in (folder, folder.parent, folder.parent.parent):
        path.chmod(0o755)
    with proxy(control=folder / "control.json") as passage:
        yield passage, folder / "control.json"


def order(file: Path, **values: float) -> None:
    """Write a control file, whole; the proxy looks at it in a moment."""
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(values))
    fresh.chmod(0o644)
    fresh.replace(file)


def test_a_kept_connection_is_slowed_down_and_goes_on_as_before(controlled: tuple[Passage, Path]) -> None:
    passage, file = controlled
    client, server = passage.connect()

    def took_s() -> float:
        sent_at = time.monotonic()
        client.sendall(b"question")
        assert server.recv(100) == b"question"
        return time.monotonic() - sent_at

    with client, server:
        assert eventually(lambda: took_s() < SLOW_S)
        order(file, delay_ms=SLOW_S * 1000, delay_until=time.time() + 60)
        assert eventually(lambda: min(took_s() for _ in range(3)) >= SLOW_S)
        order(file)
        assert eventually(lambda: took_s() < SLOW_S)


def gets_through(passage: Passage) -> bool:
    """Whether somebody who connects reaches the server; of those who did, none is left there."""
    reached_count = 0
    with suppress(TimeoutError, ConnectionResetError), socket.create_connection(passage.entrance, timeout=10):
        while True:
            passage.server.accept()[0].close()
            reached_count += 1
    return reached_count > 0


def test_a_cut_resets_old_and_new_connections_at_once_and_ends_by_itself(controlled: tuple[Passage, Path]) -> None:
    passage, file = controlled
    client, server = passage.connect()
    with client, server:
        order(file, down_until=time.time() + 300)
        for connection in (client, server):
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
    with pytest.raises(ConnectionResetError), socket.create_connection(passage.entrance, timeout=10) as refused:
        refused.recv(1)
    passage.server.settimeout(0.3)
    with pytest.raises(TimeoutError):  # what was refused never reached the server
        passage.server.accept()
    order(file, down_until=time.time() + 0.5)  # which nobody takes back
    assert eventually(lambda: gets_through(passage))
    passage.server.settimeout(10)
    client, server = passage.connect()
    with client, server:
        client.sendall(b"back")
        client.shutdown(socket.SHUT_WR)
        assert everything(server) == b"back"
