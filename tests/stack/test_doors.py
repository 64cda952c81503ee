"""Who listens where: the chain of doors from the shopper to the shop, with all that may stand between."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from reference_shop.edges import EdgeOptions
from reference_shop.stack.doors import EdgeDoors, ShopDoors, open_edge_doors, open_public, open_shop_doors
from reference_shop.stack.settings import StackSettings
from tests.stack.conftest import small

Open = Callable[[StackSettings], tuple[EdgeDoors, ShopDoors]]
LINK = EdgeOptions(origin_rtt_ms=0)
SLOW = ("edge.delay-ms=5",)


@pytest.fixture
def opened() -> Iterator[Open]:
    with ExitStack() as stack:

        def open_all(settings: StackSettings) -> tuple[EdgeDoors, ShopDoors]:
            before = open_edge_doors(settings, open_public(settings, 0))
            shop = open_shop_doors(settings, before)
            for door in (*before.public, *before.edge, *before.inner.values(), before.link, shop.shop, shop.payment):
                if door:
                    stack.enter_context(door)
            return before, shop

        yield open_all


def test_without_an_edge_the_shop_has_the_public_door(opened: Open) -> None:
    before, shop = opened(small())
    assert (before.public, before.edge, before.link) == ((shop.shop,), (), None)


def test_without_an_edge_the_link_has_the_public_door(opened: Open) -> None:
    before, shop = opened(small(edge_options=LINK))
    assert (before.public, before.edge) == ((before.link,), ())
    assert shop.shop is not before.link


def test_a_slow_shop_without_an_edge_stands_behind_throttle_and_link(opened: Open) -> None:
    before, shop = opened(small(throttles=SLOW))
    assert (before.edge, before.link, shop.shop in before.public) == ((), None, False)
    before, shop = opened(small(edge_options=LINK, throttles=SLOW))
    assert len({before.public[0], before.link, shop.shop}) == 3


def test_an_edge_has_the_public_door_unless_it_is_slow(opened: Open) -> None:
    before, shop = opened(small(edge="nginx"))
    assert (before.edge, before.link, shop.shop in before.public) == (before.public, None, False)
    before, _ = opened(small(edge="nginx", throttles=SLOW))
    assert set(before.edge).isdisjoint(before.public)
    before, shop = opened(small(edge="nginx", edge_options=LINK))
    assert len({*before.public, before.link, shop.shop}) == 3


def test_direct_with_tls_is_an_edge_of_its_own(opened: Open) -> None:
    before, shop = opened(small(edge_options=EdgeOptions(tls=True)))
    assert (before.edge, shop.shop in before.public) == (before.public, False)


def test_two_points_of_presence_have_two_public_doors_and_each_its_throttle(opened: Open) -> None:
    before, _ = opened(small(edge="two-tier"))
    assert len(set(before.numbers)) == 2
    assert before.edge == before.public
    before, _ = opened(small(edge="two-tier", throttles=SLOW))
    assert len({*before.edge, *before.public}) == 4


def test_only_doors_that_a_program_inherits_listen_already(opened: Open) -> None:
    before, shop = opened(small(edge="varnish", edge_options=EdgeOptions(origin_rtt_ms=0, purge="key")))
    assert [listens(door) for door in (*before.edge, *before.inner.values())] == [False] * (1 + len(before.inner))
    assert before.link is not None
    assert [listens(door) for door in (before.link, shop.shop, shop.payment)] == [True] * 3
    before, _ = opened(small(edge="nginx", throttles=SLOW))
    assert [listens(door) for door in (*before.public, *before.edge)] == [True, False]


def listens(door: socket.socket) -> bool:
    return bool(door.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
