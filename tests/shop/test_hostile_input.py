"""Whatever is sent: a clear 4xx, never a 5xx, and nothing changed."""

import socket
from uuid import uuid4

import pytest
import requests

from tests.shop.processes import Program
from tests.shop.shopper import ADDRESS, Shopper, on_body, truth

LONG = "x" * 300

GETS = [
    ("/category/none", 404), ("/category/kopi?page=0", 400), ("/category/kopi?page=-1", 400),
    ("/category/kopi?page=x", 400),
    ("/category/kopi?page=99999", 404), ("/category/kopi?page=9999999999999", 400), ("/category/kopi?sort=stock", 400),
    ("/category/..%2f..%2fetc", 404), ("/search?q=" + LONG, 400), ("/search?q=a%00b", 400),
    ("/search?q=kopi&page=500", 404),
    ("/product/0", 404), ("/product/-1", 404), ("/product/abc", 404), ("/product/99999999999999999999", 404),
    ("/product/1;drop", 404), ("/product/%F0%9F%98%80", 404), ("/product/1/", 404), ("/product/2147483648", 404),
    ("/orders/0/confirmation", 404), ("/orders/x/confirmation", 404),
    ("/orders/99999999999999999999/confirmation", 404),
    ("/images/products/1-huge.jpg", 404), ("/images/products/0-thumb.jpg", 404), ("/images/products/..%2f1", 404),
    ("/images/products/99999-thumb.jpg", 404), ("/static/../web/app.py", 404), ("/static/%2e%2e%2fapp.py", 404),
    ("/waiting-room", 404), ("/waiting-room?product_id=-1", 404), ("/waiting-room?product_id=9999999999", 404),
    ("/waiting-room?product_id=" + "9" * 30, 404),
    ("/orders/1/return", 405), ("/checkout/voucher", 405), ("/ops/offers", 405), ("/metrics/x", 404),
    ("/cart/items", 405), ("/logout", 405), ("/.env", 404), ("/ops/truth", 401),
]  # fmt: skip

POSTS = [
    ("/cart/items", {}, 400),
    ("/cart/items", {"product_id": "1"}, 400),
    ("/cart/items", {"product_id": "x", "quantity": "1"}, 400),
    ("/cart/items", {"product_id": "1", "quantity": "0"}, 400),
    ("/cart/items", {"product_id": "1", "quantity": "-3"}, 400),
    ("/cart/items", {"product_id": "1", "quantity": "1e3"}, 400),
    ("/cart/items", {"product_id": "1", "quantity": "999999999999999999999"}, 400),
    ("/cart/items", {"product_id": "1", "quantity": "²"}, 400),
    ("/cart/items", {"product_id": "99999", "quantity": "1"}, 404),
    ("/cart/items", {"product_id": "99999999999", "quantity": "1"}, 400),
    ("/cart/lines", {"product_id": "99999", "quantity": "1"}, 404),
    ("/cart/lines", {"product_id": "1", "quantity": "21"}, 400),
    ("/checkout", {}, 400),
    ("/checkout", ADDRESS | {"phone": "not a phone"}, 400),
    ("/checkout", ADDRESS | {"postcode": "1234"}, 400),
    ("/checkout", ADDRESS | {"street": LONG}, 400),
    ("/checkout", ADDRESS | {"city": "Ban\x00dung"}, 400),
    ("/checkout", ADDRESS | {"recipient": "  "}, 400),
    ("/checkout/payment", {}, 400),
    ("/checkout/payment", {"idempotency_key": "none", "card_token": "tok_approved"}, 400),
    ("/checkout/payment", {"idempotency_key": str(uuid4()), "card_token": "4111111111111111"}, 400),
    ("/checkout/payment", {"idempotency_key": str(uuid4()), "card_token": "tok_approved"}, 400),
    ("/checkout/payment", {"idempotency_key": str(uuid4()), "card_token": "tok_approved", "total_idr": "-5"}, 400),
    ("/checkout/payment", {"idempotency_key": str(uuid4()), "card_token": "tok_approved", "total_idr": "9" * 30}, 400),
    ("/checkout/payment", {"idempotency_key": str(uuid4()), "card_token": "tok_approved", "total_idr": "1.5"}, 400),
    ("/checkout/voucher", {}, 400),
    ("/checkout/voucher", {"coupon": "x" * 100, "gift_card": ""}, 400),
    ("/checkout/voucher", {"coupon": "' OR 1=1", "gift_card": ""}, 400),
    ("/checkout/voucher", {"coupon": "", "gift_card": "KADO-1"}, 400),  # without a checkout
    ("/orders/1/return", {}, 404),
    ("/orders/x/return", {}, 404),
    ("/orders/-1/return", {}, 404),
    ("/orders/99999999999999999999/return", {}, 404),
    ("/ops/offers", {"flash_sale": "x"}, 401),
    ("/ops/truth", {}, 405),
    ("/waiting-room", {"product_id": "1"}, 405),
    ("/login", {"email": "x", "password": "short"}, 400),
    ("/login", {"email": "nobody@contoh.id", "password": "x" * 200}, 400),
    ("/login", {"email": "nobody@contoh.id", "password": "long enough"}, 403),
    ("/register", {"name": "A", "email": "a@b", "password": "1"}, 400),
    ("/", {"q": "x"}, 405),
    ("/product/1", {}, 405),
    ("/nowhere", {"a": "b"}, 404),
]


def books(shop: Program) -> list[dict[str, object]]:
    """All facts but when they were asked for."""
    return [fact for fact in truth(shop.url) if fact["type"] not in {"shown", "end"}]


@pytest.mark.parametrize(("path", "status"), GETS)
def test_a_hostile_address_is_refused(shopper: Shopper, path: str, status: int) -> None:
    request = requests.Request("GET", shopper.url).prepare()
    request.url = shopper.url + path  # unnormalised
    answer = shopper.session.send(request, allow_redirects=False, timeout=10)
    assert answer.status_code == status
    assert answer.headers["x-page-kind"]


@pytest.mark.parametrize(("path", "form", "status"), POSTS)
def test_a_hostile_form_is_refused_and_changes_nothing(
    shop: Program, shopper: Shopper, path: str, form: dict[str, object], status: int
) -> None:
    shopper.add(301, 2)
    before = books(shop)
    assert shopper.post(path, form).status_code == status
    assert on_body(shopper.get("/cart"), "cart-count") == "2"
    assert books(shop) == before


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"product_id=1&quantity=1", "application/json", 400),
        (b"product_id=1&quantity=1", "multipart/form-data; boundary=x", 400),
        (b"product_id=1&product_id=2&quantity=1", "application/x-www-form-urlencoded", 400),
        (b"product_id=%ff%fe&quantity=1", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe\xfd", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 1000, "application/x-www-form-urlencoded", 400),
        (b"product_id=" + b"1" * 100_000, "application/x-www-form-urlencoded", 413),
    ],
)
def test_a_body_that_is_no_form_of_ours_is_refused(shopper: Shopper, body: bytes, kind: str, status: int) -> None:
    answer = shopper.session.post(
        f"{shopper.url}/cart/items", data=body, headers={"Content-Type": kind}, allow_redirects=False, timeout=10
    )
    assert answer.status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[bad"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_post_from_another_sites_page_is_refused(shopper: Shopper, headers: dict[str, str]) -> None:
    refusal = shopper.post("/cart/items", {"product_id": 302, "quantity": 1}, **headers)
    assert (refusal.status_code, on_body(refusal, "error")) == (403, "forbidden")
    assert "set-cookie" not in refusal.headers


def test_a_post_from_our_own_page_is_accepted(shopper: Shopper) -> None:
    headers = {"Origin": shopper.url, "Sec-Fetch-Site": "same-origin"}
    assert shopper.post("/cart/items", {"product_id": 302, "quantity": 1}, **headers).status_code == 303


def test_too_much_of_one_product_is_refused_and_the_cart_stays(shopper: Shopper) -> None:
    shopper.add(1, 20)
    assert shopper.add(1, 1).status_code == 400
    assert on_body(shopper.get("/cart"), "cart-count") == "20"


@pytest.mark.parametrize("cookie", ["", "x", "x" * 5000, "%00", "';--", "é"])
def test_a_forged_cookie_opens_nothing(shopper: Shopper, cookie: str) -> None:
    value = f"lonjak_cart={cookie}; lonjak_session={cookie}"
    answer = requests.get(f"{shopper.url}/cart", headers={"Cookie": value.encode()}, timeout=10)
    assert answer.status_code == 200
    assert on_body(answer, "cart-count") == "0"


def test_garbage_on_the_wire_does_not_hurt_the_next_shopper(shop: Program, shopper: Shopper) -> None:
    port = int(shop.url.rsplit(":", 1)[1])
    for garbage in (b"\x16\x03\x01\x00\xa5\x01", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 1000):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            assert not connection.recv(12).startswith(b"HTTP/1.1 5")
    assert shopper.get("/").status_code == 200


def test_html_in_what_a_shopper_wrote_is_shown_as_text(shopper: Shopper) -> None:
    script = "<script>alert(1)</script>"
    assert script not in shopper.get(f"/search?q={script}").text
    shopper.add(303)
    shopper.post("/checkout", ADDRESS | {"recipient": script})
    assert script not in shopper.get("/checkout/payment").text


def test_cookies_are_out_of_reach_for_scripts_and_other_sites(shopper: Shopper) -> None:
    first = shopper.add(304)
    assert {"httponly", "samesite=lax", "path=/"} <= set(first.headers["set-cookie"].lower().split("; "))
    assert "set-cookie" not in shopper.add(304).headers


@pytest.mark.parametrize("path", ["/", "/cart", "/nowhere"])
def test_every_page_forbids_foreign_scripts_and_frames(shopper: Shopper, path: str) -> None:
    headers = shopper.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
