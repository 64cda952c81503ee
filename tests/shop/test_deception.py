"""Addresses and headers that are made to fool a cache in front of the shop: it answers them so that none can be."""

import socket

import pytest
import requests

from tests.shop.processes import Program
from tests.shop.shopper import Shopper, on_body, order_id_of

CATALOGUE = ["/", "/category/kopi", "/search?q=kopi", "/product/741"]
NO_ADDRESSES = [
    "/account/x.css", "/account.css", "/account;x.css", "/account%2fx.css", "/account%00.css", "/account%3fx.css",
    "/account/", "/account%0a.css", "/ACCOUNT", "//account", "/static/..%2faccount", "/static/../account",
    "/images/products/../../account", "/x/..%2f..%2faccount",
    "/cart/x.css", "/cart.js", "/cart;x.css", "/cart%2fx.css", "/cart/items/x.css", "/cart%23x.css", "/cart/",
    "/fragment/header/x.css", "/fragment/header.css", "/fragment/header;x.css", "/fragment/header%2f..%2fx.css",
    "/orders/x.css", "/orders;x.css", "/orders/", "/orders.css",
    "/orders/ORDER/confirmation/x.js", "/orders/ORDER/confirmation.js", "/orders/ORDER/confirmation;x.js",
    "/orders/ORDER/confirmation%2fx.js", "/orders/ORDER%2fconfirmation%2fx.js", "/orders/ORDER;x/confirmation",
    "/orders/ORDER.css", "/checkout/x.css", "/checkout/payment/x.css", "/checkout/payment.css", "/waiting-room/x.css",
]  # fmt: skip


@pytest.fixture(scope="module")
def customer(shop: Program) -> tuple[Shopper, int]:
    """Somebody with an account, an order and a cart; and the order."""
    shopper = Shopper(shop.url)
    shopper.register()
    order_id = order_id_of(shopper.pay(shopper.prepare(741)))
    shopper.add(742, 3)
    return shopper, order_id


def asked(shopper: Shopper, path: str, **headers: str) -> requests.Response:
    """Ask for exactly this path, nothing put in order."""
    request = shopper.session.prepare_request(requests.Request("GET", shopper.url, headers=headers))
    request.url = shopper.url + path
    return shopper.session.send(request, allow_redirects=False, timeout=10)


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_only_looks_like_a_personal_address_is_none(customer: tuple[Shopper, int], address: str) -> None:
    shopper, order_id = customer
    answer = asked(shopper, address.replace("ORDER", str(order_id)))
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "private, no-store"
    for personal in ("Siti Aminah", "@contoh.id", "Budi Santoso", "data-cart-count", "data-order", "data-visitor"):
        assert personal not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/cart?x.css", "/account?/x.css", "/fragment/header?v=1.css", "/orders?x.js", "/orders/ORDER/confirmation?x.js"],
)
def test_a_personal_page_stays_private_whatever_its_query_looks_like(customer: tuple[Shopper, int], path: str) -> None:
    shopper, order_id = customer
    answer = asked(shopper, path.replace("ORDER", str(order_id)))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"


ODDITIES = [
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example", "X-Host": "evil.example", "Forwarded": "host=evil.example;proto=https"},
    {"X-Forwarded-Proto": "http", "X-Forwarded-Port": "1", "X-Forwarded-Scheme": "nothttps"},
    {"X-Forwarded-Prefix": "/evil", "X-Forwarded-Server": "evil.example"},
    {"X-Original-URL": "/cart", "X-Rewrite-URL": "/cart"},
    {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "DELETE", "X-Method-Override": "PUT"},
    {"X-Wap-Profile": "https://evil.example/x.xml", "Accept-Language": "xx", "User-Agent": "<script>evil</script>"},
    {"Host": "evil.example:1"},
    {"Cookie": "lonjak_cart=<script>; lonjak_session=evil; other=evil"},
    {"Range": "bytes=cow", "Accept-Encoding": "evil", "Content-Type": "evil/evil", "Accept": "x"},
    {"Authorization": "Basic evil", "X-Real-IP": "evil", "True-Client-IP": "evil"},
    {"X-Oversized-Header": "x" * 8_000},
    {f"X-Oversized-Header-{number}": "x" * 8_000 for number in range(8)},
    {"X-Oversized-Header": "x" * 200_000},
]


@pytest.mark.parametrize("oddity", ODDITIES, ids=lambda oddity: next(iter(oddity)))
@pytest.mark.parametrize("path", CATALOGUE)
def test_no_header_changes_a_page_that_everybody_gets(shop: Program, path: str, oddity: dict[str, str]) -> None:
    plain = requests.get(shop.url + path, timeout=10)
    odd = requests.get(shop.url + path, headers=oddity, timeout=10)
    assert (plain.status_code, odd.status_code) == (200, 200)
    assert odd.content == plain.content
    assert (odd.headers["cache-control"], odd.headers["etag"]) == (
        plain.headers["cache-control"],
        plain.headers["etag"],
    )
    assert "evil" not in str(odd.headers)


@pytest.mark.parametrize("oddity", ODDITIES[:6], ids=lambda oddity: next(iter(oddity)))
def test_no_header_makes_a_personal_page_of_another_or_a_public_one(
    customer: tuple[Shopper, int], oddity: dict[str, str]
) -> None:
    shopper, _ = customer
    cart = asked(shopper, "/cart", **oddity)
    assert (cart.status_code, cart.headers["cache-control"]) == (200, "private, no-store")
    assert on_body(cart, "page-kind") == "cart"
    assert "evil" not in cart.text


def test_no_header_changes_the_method_of_a_request(shopper: Shopper) -> None:
    shopper.add(743)
    override = {"X-HTTP-Method-Override": "GET", "X-HTTP-Method": "GET"}
    assert shopper.post("/cart/items", {"product_id": 743, "quantity": 1}, **override).status_code == 303
    asked(shopper, "/cart/items", **{"X-HTTP-Method-Override": "POST"})
    assert on_body(shopper.get("/cart"), "cart-count") == "2"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404), ("GET", "/product/0", 404), ("GET", "/category/kopi?page=x", 400),
        ("GET", "/search?q=" + "x" * 200, 400), ("GET", "/static/none.css", 404),
        ("GET", "/images/products/x.jpg", 404),
        ("POST", "/product/741", 405), ("PURGE", "/product/741", 405), ("DELETE", "/", 405), ("OPTIONS", "/", 405),
        ("TRACE", "/", 405), ("POST", "/checkout/payment", 400), ("GET", "/cart/items", 405),
    ],
)  # fmt: skip
def test_no_cache_may_keep_a_refusal(shop: Program, method: str, path: str, status: int) -> None:
    answer = requests.request(method, shop.url + path, timeout=10)
    assert answer.status_code == status
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /product/741 HTTP/1.1\r\nHost: x\r\nX-Meta: a\x07b\r\n\r\n",
        b"GET /product/741 HTTP/9.9\r\nHost: x\r\n\r\n",
    ],
)
def test_what_the_server_itself_refuses_gives_no_cache_a_reason_to_keep_it(shop: Program, request_line: bytes) -> None:
    port = int(shop.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request_line)
        head = connection.recv(65_536).partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 400 ")  # no status that a cache may keep by itself
    assert b"public" not in head
    assert b"max-age" not in head
    assert b"expires" not in head
