"""Whose secret may stand on a page, and what is told when it is somebody else's."""

from types import SimpleNamespace
from typing import Any

import pytest

from loadgen.http.cookies import CookieJar
from scenarios.safety.cache_signs import came_from_cache, shows_cache
from scenarios.safety.visitor_secret import CART_COOKIE, SESSION_COOKIE, VisitorSecrets, secret_of, secrets_in
from tests.scenarios.safety_edges import HOST, Notes

PRIVATE = "private, no-store"
PUBLIC = "public, max-age=0, s-maxage=60"


class Shopper(Notes):
    """A session as far as the inspector looks at it."""

    def __init__(self, **cookies: str) -> None:
        super().__init__()
        self.client = SimpleNamespace(cookies=CookieJar())
        for name, value in cookies.items():
            self.take(name, value)
        self.inspector = VisitorSecrets(self)  # type: ignore[arg-type]

    def take(self, name: str, value: str) -> None:
        self.client.cookies.set(name, value, HOST)

    def see(self, content: bytes | None, **headers: str) -> None:
        self.inspector.about_to_ask()
        self.inspector.inspect(_response(content, headers))


def _response(content: bytes | None, headers: dict[str, str]) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(
        content=content,
        name="cart",
        path="/cart",
        host=SimpleNamespace(header="shop.test:8080"),
        header=lambda name: named.get(name, ""),
    )


def page(*tokens: str) -> bytes:
    return "".join(f'<body data-page-kind="cart" data-visitor="{secret_of(token)}">' for token in tokens).encode()


def test_the_secret_is_the_digest_that_the_shop_writes() -> None:
    # BLAKE2s of "lonjak-visitor:abc", 8 bytes: tests/shop/test_visitor_secret.py holds the shop to the same.
    assert secret_of("abc") == "ee9337164a072ba4"


def test_only_whole_secrets_count() -> None:
    assert secrets_in(b'<p data-visitor="0123456789abcdef"> <p data-visitor="">') == {"0123456789abcdef"}


@pytest.mark.parametrize(
    "cookies",
    [{CART_COOKIE: "mine"}, {SESSION_COOKIE: "mine"}, {CART_COOKIE: "mine", SESSION_COOKIE: "other"}],
    ids=["cart", "session", "cart before session"],
)
def test_ones_own_secret_on_a_personal_page_is_as_it_should_be(cookies: dict[str, str]) -> None:
    shopper = Shopper(**cookies)
    shopper.see(page("mine"), cache_control=PRIVATE, cache_status="edge; fwd=bypass")
    assert (shopper.checked, shopper.leaks) == ({"visitor": 1}, [])


@pytest.mark.parametrize("content", [b"<html>a page</html>", b"busy", b'data-visitor=""'])
def test_a_page_without_a_secret_is_searched(content: bytes) -> None:
    shopper = Shopper(lonjak_cart="mine")
    shopper.see(content, cache_control=PUBLIC)
    assert (shopper.checked, shopper.leaks) == ({"visitor": 1}, [])


@pytest.mark.parametrize("content", [None, b""])
def test_what_came_without_text_is_not_counted(content: bytes | None) -> None:
    shopper = Shopper(lonjak_cart="mine")
    shopper.see(content)
    assert shopper.checked == {}


def test_the_secret_of_another_is_a_leak() -> None:
    shopper = Shopper(lonjak_cart="mine", lonjak_session="my account")
    shopper.see(page("mine", "theirs"), cache_control=PRIVATE, cache_status="edge; hit", x_page_kind="fragment")
    assert shopper.leaks == [
        {
            "check": "visitor",
            "url": "/cart",
            "page_kind": "fragment",
            "cache_status": "edge; hit",
            "cache_control": PRIVATE,
            "key": "shop.test:8080/cart",
            "told": "a cache showed a visitor the secret of another",
        }
    ]


def test_a_shop_that_mixes_visitors_up_by_itself_is_told_apart() -> None:
    shopper = Shopper(lonjak_cart="mine")
    shopper.see(page("theirs"), cache_control=PRIVATE, cache_status="edge; fwd=bypass")
    assert [leak["told"] for leak in shopper.leaks] == ["the shop showed a visitor the secret of another"]


def test_a_secret_shown_to_one_without_cookies_is_a_leak() -> None:
    shopper = Shopper()
    shopper.see(page("theirs"), cache_control=PUBLIC)
    told = "the shop showed a visitor whom the shop does not know yet the secret of another"
    assert [leak["told"] for leak in shopper.leaks] == [told]


def test_ones_own_secret_out_of_a_cache_is_a_leak() -> None:
    shopper = Shopper(lonjak_cart="mine")
    shopper.see(page("mine"), cache_control=PRIVATE, cache_status="shield; hit, edge; fwd=uri-miss")
    told = "a cache handed out a page that shows the visitor's own secret: it keeps what is one visitor's alone"
    assert [leak["told"] for leak in shopper.leaks] == [told]


def test_a_page_that_a_cache_might_keep_and_did_not_is_none() -> None:
    shopper = Shopper(lonjak_cart="mine")
    shopper.see(page("mine"), cache_control=PUBLIC, cache_status="edge; fwd=bypass")
    assert shopper.leaks == []


def test_a_cookie_that_comes_with_the_answer_may_be_the_one_it_is_for() -> None:
    shopper = Shopper(lonjak_session="account")
    for token in ("account", "new cart"):
        shopper.inspector.about_to_ask()
        shopper.take(CART_COOKIE, "new cart")
        shopper.inspector.inspect(_response(page(token), {"cache-control": PRIVATE}))
    assert (shopper.checked, shopper.leaks) == ({"visitor": 2}, [])


def test_what_was_asked_for_without_the_cookie_is_not_ones_own_for_ever() -> None:
    shopper = Shopper(lonjak_session="account", lonjak_cart="cart")
    shopper.see(page("account"), cache_control=PRIVATE)
    assert len(shopper.leaks) == 1


def test_what_is_told_holds_neither_secret_nor_cookie() -> None:
    shopper = Shopper(lonjak_cart="mine")
    shopper.see(page("theirs", "mine"), cache_control=PUBLIC)
    assert not any(word in str(shopper.leaks) for word in (secret_of("theirs"), secret_of("mine"), "theirs", "mine"))


@pytest.mark.parametrize(
    ("headers", "seen", "kept"),
    [
        ({}, False, False),
        ({"cache-status": "edge; hit"}, True, True),
        ({"cache-status": "edge; hit; ttl=-1; detail=STALE"}, True, True),
        ({"cache-status": "edge; fwd=uri-miss; collapsed"}, True, True),
        ({"cache-status": "edge; fwd=uri-miss; stored", "age": "3"}, True, False),
        ({"cache-status": "shield; hit, edge; fwd=uri-miss"}, True, True),
        ({"age": "0"}, True, False),
        ({"age": "12"}, True, True),
        ({"x-cache": "Hit from cloudfront"}, True, True),
        ({"x-cache": "Miss from cloudfront"}, True, False),
        ({"cf-cache-status": "HIT"}, True, True),
        ({"cf-cache-status": "DYNAMIC"}, True, False),
        ({"via": "1.1 proxy"}, True, False),
    ],
)
def test_what_an_answer_tells_of_caches(headers: dict[str, str], seen: bool, kept: bool) -> None:
    def header(name: str) -> str:
        return headers.get(name, "")

    assert (shows_cache(header), came_from_cache(header)) == (seen, kept)
