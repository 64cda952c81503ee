"""Personal pages under addresses that look like a file's, in front of caches and shops of all sorts."""

from random import Random

from loadgen.http.cookies import CookieJar
from scenarios.safety.deception import DISGUISES, Deception
from scenarios.safety.visitor_secret import CART_COOKIE, secret_of
from tests.scenarios.safety_edges import (
    BUSY,
    HOST,
    Edge,
    Notes,
    Reply,
    Request,
    ignores_endings,
    keeps_all,
    personal,
    run,
    shop,
)

ALL_ROUNDS = 2  # to ask for every address once


def goes_by_the_ending(request: Request, reply: Reply) -> bool:
    return request.url.endswith((".css", ".js"))


def probe(edge: Edge, rounds: int = ALL_ROUNDS) -> Notes:
    notes = Notes()
    run(Deception(edge, notes, lambda: 7).round, rounds)
    return notes


def test_a_cache_that_goes_by_the_ending_gives_away_what_a_careless_shop_shows() -> None:
    notes = probe(Edge(ignores_endings, goes_by_the_ending))
    assert notes.checked == {"deception": len(DISGUISES)}
    assert len(notes.leaks) == sum(disguise.endswith((".css", ".js")) for disguise in DISGUISES) == 6
    assert {leak["told"] for leak in notes.leaks} == {
        "a stranger without cookies was shown a personal page: the visitor's who was led there"
    }


def test_a_cache_that_keeps_the_cart_needs_no_deceiving() -> None:
    notes = probe(Edge(shop, keeps_all))
    assert [leak["url"].partition("?")[0] for leak in notes.leaks] == ["/cart", "/cart", "/fragment/header"]
    [plain, *_] = notes.leaks
    assert plain == {
        "check": "deception",
        "url": "/cart",
        "page_kind": "cart",
        "cache_status": "edge; hit",
        "cache_control": "private, no-store",
        "key": "shop.test/cart",
        "told": "a stranger without cookies was shown a personal page: the visitor's who was led there",
    }


def test_a_cache_that_obeys_the_shop_gives_nothing_away() -> None:
    notes = probe(Edge(ignores_endings))
    assert (notes.checked, notes.leaks) == ({"deception": len(DISGUISES)}, [])


def test_a_shop_that_knows_its_addresses_gives_a_cache_nothing_to_keep() -> None:
    assert probe(Edge(shop, goes_by_the_ending)).leaks[0]["url"].startswith("/cart?")
    assert len(probe(Edge(shop, lambda request, reply: request.url.partition("?")[0].endswith(".css"))).leaks) == 0


def test_a_page_of_some_other_visitor_is_a_leak_as_well() -> None:
    edge, other = Edge(shop, keeps_all), CookieJar()
    other.set(CART_COOKIE, "someone", HOST)
    list(edge.ask("/cart", other))
    assert probe(edge, 1).leaks[0]["told"].endswith("some other visitor's")


def test_what_is_told_holds_neither_secret_nor_cookie() -> None:
    edge = Edge(ignores_endings, keeps_all)
    told = str(probe(edge).leaks)
    [token] = {asked.token for asked in edge.asked} - {None}
    assert token is not None
    assert token not in told
    assert secret_of(token) not in told


def test_one_cart_is_filled_and_nothing_is_bought() -> None:
    edge = Edge()
    probe(edge, 5)
    assert [asked.url for asked in edge.asked if asked.method != "GET"] == ["/cart/items"]
    assert len(edge.asked) == 1 + 5 * 8


def test_addresses_that_may_be_are_new_each_time() -> None:
    edge = Edge()
    probe(edge, 2 * ALL_ROUNDS)
    asked = [request.url for request in edge.asked if request.token is None and request.method == "GET"]
    assert len(asked) - len(set(asked)) == 2  # /cart and /fragment/header a second time


def test_a_shop_that_is_down_leaves_the_question_open() -> None:
    notes = probe(Edge(lambda request: BUSY))
    assert (notes.checked, notes.leaks) == ({}, [])


def test_a_shop_that_is_down_after_the_cart_was_filled_leaves_the_question_open() -> None:
    edge = Edge(lambda request: personal(request) if request.method == "POST" else BUSY)
    notes = probe(edge)
    assert len(edge.asked) == 1 + 2 * len(DISGUISES)
    assert (notes.checked, notes.leaks) == ({}, [])


def test_a_shop_that_is_busy_now_and_then_is_no_leak() -> None:
    rng = Random(3)
    notes = probe(Edge(lambda request: BUSY if rng.random() < 0.3 else ignores_endings(request)), 50)
    assert notes.leaks == []
    assert 50 < notes.checked["deception"] < 200
