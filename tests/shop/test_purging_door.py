"""How the purger speaks to a cache, and what it believes of its own settings."""

import asyncio
import json
import re
import socket
from collections.abc import Awaitable, Callable
from itertools import count
from threading import Thread
from typing import TypeVar

import pytest

from reference_shop.protections.catalogue_cache import TTL_S
from reference_shop.purging.door import Door, Purged
from reference_shop.purging.settings import DoorSettings, PurgerSettings
from tests.shop.processes import listen, port_of
from tests.shop.purge_door import PurgeDoor

Told = TypeVar("Told")


def at(port: int, tell: Callable[[Door], Awaitable[Told]], way: str = "url") -> Told:
    """Speak to a door."""

    async def run() -> Told:
        door = Door(DoorSettings("cache", port, way), "shop.test:8080", count(501))
        try:
            return await tell(door)
        finally:
            door.close()

    return asyncio.run(run())


def test_by_url_each_product_is_a_request_with_the_shoppers_host_and_an_id_of_its_own() -> None:
    with PurgeDoor() as cache:
        assert at(cache.port, lambda door: door.purge([17, 4])) == Purged(done={4, 17})
    assert {(knock.target, knock.host, knock.keys) for knock in cache.knocks} == {
        ("/product/17", "shop.test:8080", ""),
        ("/product/4", "shop.test:8080", ""),
    }
    assert sorted(knock.request_id for knock in cache.knocks) == ["purge-501", "purge-502"]


def test_by_key_up_to_a_hundred_products_are_one_request() -> None:
    products = list(range(1, 151))
    with PurgeDoor() as cache:
        assert at(cache.port, lambda door: door.purge(products), "key") == Purged(done=set(products))
    assert {knock.target for knock in cache.knocks} == {"/"}
    assert sorted(len(knock.product_ids) for knock in cache.knocks) == [50, 100]
    assert set().union(*(knock.product_ids for knock in cache.knocks)) == set(products)


def test_connections_are_kept_and_there_are_eight_at_most() -> None:
    with PurgeDoor() as cache:

        async def tell(door: Door) -> None:
            for _ in range(3):
                await door.purge(range(1, 31))

        at(cache.port, tell)
    assert len(cache.knocks) == 90
    assert len({knock.connection for knock in cache.knocks}) <= 8


def test_a_connection_that_was_closed_meanwhile_is_replaced() -> None:
    with PurgeDoor() as cache:

        async def tell(door: Door) -> Purged:
            await door.purge([1])
            await asyncio.to_thread(cache.close)
            await asyncio.to_thread(cache.open)
            return await door.purge([2])

        assert at(cache.port, tell) == Purged(done={2})


def test_nobody_behind_the_door_is_no_answer() -> None:
    with listen() as reserved:
        port = port_of(reserved)
    outcome = at(port, lambda door: door.purge([1, 2]))
    assert (outcome.done, outcome.refused, outcome.unanswered) == (set(), set(), {1, 2})
    assert "refused" in outcome.problem.lower() or "connect" in outcome.problem.lower()


def test_a_status_other_than_200_is_a_refusal_of_that_product_only() -> None:
    with PurgeDoor(status=lambda knock: 502 if knock.target == "/product/2" else 200) as cache:
        outcome = at(cache.port, lambda door: door.purge([1, 2, 3]))
    assert outcome == Purged({1, 3}, {2}, set(), "/product/2 was answered with 502")


@pytest.mark.parametrize(
    ("answer", "is_done"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhallo\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", True),
        (b"HTTP/1.0 200 Purged\r\nConnection: close\r\n\r\n", True),
        (b"HTTP/1.1 200", False),
        (b"", False),
        (b"220 smtp.test ESMTP\r\n", False),
    ],
)
def test_an_answer_may_end_in_any_way_that_http_knows(answer: bytes, is_done: bool) -> None:
    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(answer)

    with listen() as listener:
        serving = Thread(target=serve, args=(listener,))
        serving.start()
        outcome = at(port_of(listener), lambda door: door.purge([1]))
        serving.join()
    assert outcome.done == ({1} if is_done else set())
    assert outcome.unanswered == (set() if is_done else {1})


GOOD: dict[str, object] = {
    "database_url": "postgresql://lonjak@127.0.0.1:5432/postgres",
    "schema": "shop",
    "doors": [
        {"cache": "lonjak-shield", "url": "http://127.0.0.1:4001", "by": ["url", "key"]},
        {"cache": "lonjak-pop-1", "url": "http://127.0.0.1:4002/", "by": ["url"]},
    ],
    "how": "key",
    "host": "127.0.0.1:8080",
    "run_as": None,
}


def test_each_door_is_purged_by_key_if_that_is_wanted_and_it_can() -> None:
    settings = PurgerSettings.from_json(json.dumps(GOOD))
    assert settings.doors == (DoorSettings("lonjak-shield", 4001, "key"), DoorSettings("lonjak-pop-1", 4002, "url"))
    by_url = PurgerSettings.from_json(json.dumps(GOOD | {"how": "url"}))
    assert [door.way for door in by_url.doors] == ["url", "url"]


def test_the_second_purge_comes_after_what_a_worker_remembers() -> None:
    again_after_s = PurgerSettings.from_json(json.dumps(GOOD)).again_after_s
    assert again_after_s is not None
    assert again_after_s > TTL_S
    assert PurgerSettings.from_json(json.dumps(GOOD | {"again_after_s": None})).again_after_s is None


def door(**fields: object) -> dict[str, object]:
    return {"doors": [{"cache": "edge", "url": "http://127.0.0.1:4001", "by": ["url"]} | fields]}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"how": "all"}, "how is 'all', it must be one of url, key"),
        ({"doors": []}, "doors must be a list of at least one door"),
        ({"doors": ["http://127.0.0.1:1"]}, "a door must be an object"),
        ({"doors": [{"cache": "edge"}]}, "a door has no by"),
        (door(by=[]), "the door of edge can be purged by nothing, and not by url"),
        (door(by=["ban"]), "the door of edge can be purged by ban, and not by url"),
        (door(url="http://example.com:80"), "the door of edge is 'http://example.com:80': it must be http://127.0.0.1"),
        (door(url="https://127.0.0.1:80"), "it must be http://127.0.0.1:PORT"),
        (door(url="http://127.0.0.1"), "it must be http://127.0.0.1:PORT"),
        (door(cache="a b"), "a door's cache is 'a b', which is no name"),
        ({"host": "shop\r\nX-Evil: 1"}, "which is no host"),
        ({"again_after_s": 0}, "again_after_s is 0, it must be above 0 and at most 60"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        PurgerSettings.from_json(json.dumps(GOOD | change))


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps(GOOD | {"colour": "red"})])
def test_what_is_no_settings_is_refused(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        PurgerSettings.from_json(text)
