"""A page that was made for one shopper says for whom; one that is for everybody says nothing of anybody."""

import asyncio
import re
import time
from hashlib import blake2s
from typing import cast

import pytest
import requests

from reference_shop.domain.payments import PaymentProvider
from reference_shop.repository.database import Database
from reference_shop.services.sales import CurrentSales
from reference_shop.web.cookies import visitor_secret
from reference_shop.web.files import StaticFiles
from reference_shop.web.kinds import is_personal
from reference_shop.web.pages import Pages
from reference_shop.web.routes import Backends, open_shop
from reference_shop.web.settings import WebSettings
from tests.shop.database import ask, put_on_shelf
from tests.shop.operator import begin_sale
from tests.shop.processes import OPS_TOKEN, SCHEMA, Postgres, Program
from tests.shop.shopper import ADDRESS, BAD_CARD, Shopper, on_body, order_id_of

# An address of every route that is for everybody, and of every one that is for a shopper.
SHARED = {
    "/images/products/{name}": "/images/products/1-thumb.jpg",
    "/product/{product_id}": "/product/721",
    "/category/{slug}": "/category/kopi",
    "/search": "/search?q=kopi",
    "/": "/",
    "/static/{name}": "/static/none.css",
    "/login": "/login",
    "/register": "/register",
    "/logout": "/logout",
    "/healthz": "/healthz",
    "/readyz": "/readyz",
    "/ops/truth": "/ops/truth",
    "/ops/offers": "/ops/offers",
}
PERSONAL = {
    "/fragment/header": "/fragment/header",
    "/cart": "/cart",
    "/cart/items": "/cart/items",
    "/cart/lines": "/cart/lines",
    "/waiting-room": "/waiting-room?product_id=721",
    "/checkout": "/checkout",
    "/checkout/payment": "/checkout/payment",
    "/checkout/voucher": "/checkout/voucher",
    "/orders/{order_id}/confirmation": "/orders/{order_id}/confirmation",
    "/orders/{order_id}/return": "/orders/999999/return",
    "/orders": "/orders",
    "/account": "/account",
}
FORMS = {"/cart/items": 400, "/cart/lines": 400, "/checkout/voucher": 400, "/orders/{order_id}/return": 404}


def expected(token: str) -> str:
    return blake2s(b"lonjak-visitor:" + token.encode(), digest_size=8).hexdigest()


def mark_on(page: requests.Response) -> str | None:
    """The mark on the element that says what kind of page it is; there must be no other."""
    marks = re.findall(r'data-visitor="([^"]*)"', page.text)
    on_element = re.findall(r'<(?:body|div) data-page-kind="[a-z_]+"[^>]* data-visitor="([0-9a-f]{16})"', page.text)
    assert marks == on_element
    return marks[0] if marks else None


def test_the_mark_is_made_of_the_cart_else_of_the_session() -> None:
    assert visitor_secret({"lonjak_cart": "a-token"}) == "34766a5549052c27"
    assert visitor_secret({"lonjak_cart": "a-token", "lonjak_session": "other"}) == "34766a5549052c27"
    assert visitor_secret({"lonjak_session": "a-token"}) == "34766a5549052c27"
    assert visitor_secret({"lonjak_cart": "", "lonjak_session": "a-token"}) == "34766a5549052c27"
    assert visitor_secret({"lonjak_cart": "another"}) != "34766a5549052c27"
    assert visitor_secret({"lonjak_cart": "x" * 10_000}) == expected("x" * 10_000)
    assert visitor_secret({}) is None
    assert visitor_secret({"lonjak_ticket": "1.2.x", "lonjak_cart": ""}) is None


def test_every_route_of_the_shop_is_known_to_be_shared_or_personal(postgres: Postgres, shop: Program) -> None:
    async def routes() -> set[str]:
        async with Database(postgres.url, SCHEMA, name="test") as database:
            settings = WebSettings.from_json(WEB_SETTINGS)
            backends = Backends(database, cast("PaymentProvider", None), CurrentSales(database))
            static = StaticFiles()
            return {route.path for route in await open_shop(settings, backends, static, Pages(static))}

    assert asyncio.run(routes()) == set(SHARED) | set(PERSONAL)
    addresses = {path.partition("?")[0].replace("{order_id}", "7") for path in PERSONAL.values()}
    assert {path for path in SHARED.values() if is_personal(path)} == set()
    assert {path for path in addresses if not is_personal(path)} == set()


WEB_SETTINGS = f"""{{
    "listen_fd": 0, "database_url": "", "schema": "{SCHEMA}", "payment_url": "http://127.0.0.1:1",
    "ops_token": "{OPS_TOKEN}", "images_dir": "/nowhere", "worker": "none", "behind_edge": false,
    "access_log": "/dev/null"
}}"""


@pytest.fixture
def customer(shopper: Shopper, postgres: Postgres) -> Shopper:
    """Somebody with an account and a full cart, at the payment form."""
    put_on_shelf(postgres.url, 721, 50)
    shopper.register()
    shopper.prepare(721)
    return shopper


def cart_token(shopper: Shopper) -> str:
    return str(shopper.session.cookies["lonjak_cart"])


@pytest.mark.parametrize("route", PERSONAL)
def test_every_personal_page_says_for_whom_it_was_made(customer: Shopper, route: str) -> None:
    path = PERSONAL[route]
    if "{order_id}" in path:
        path = path.format(order_id=order_id_of(customer.pay(customer.key())))
    page = customer.post(path, {}) if route in FORMS else customer.get(path)
    assert page.status_code == FORMS.get(route, 200)
    assert page.headers["cache-control"] == "private, no-store"
    assert mark_on(page) == expected(cart_token(customer))


@pytest.mark.parametrize("path", [*SHARED.values(), "/product/0", "/nowhere", "/category/none"])
def test_no_other_page_says_anything_of_anybody(customer: Shopper, path: str) -> None:
    for page in (customer.get(path), customer.post(path, {"email": "x"})):
        assert mark_on(page) is None
        assert expected(cart_token(customer)) not in page.text


def test_a_page_for_a_stranger_says_nothing(shopper: Shopper) -> None:
    for path in ("/cart", "/orders", "/fragment/header", "/orders/1/confirmation", "/waiting-room?product_id=722"):
        assert mark_on(shopper.get(path)) is None
    assert mark_on(shopper.post("/cart/items", {})) is None


def test_who_is_logged_in_and_has_no_cart_is_known_by_the_session(shopper: Shopper) -> None:
    shopper.register()
    token = str(shopper.session.cookies["lonjak_session"])
    assert {mark_on(shopper.get(path)) for path in ("/cart", "/account", "/fragment/header")} == {expected(token)}


def test_the_mark_is_of_the_cookie_that_came_and_not_of_one_that_is_set(shopper: Shopper, postgres: Postgres) -> None:
    put_on_shelf(postgres.url, 723, 9)
    added = shopper.add(723)
    assert "lonjak_cart" in added.headers["set-cookie"]
    forged = requests.get(f"{shopper.url}/cart", headers={"Cookie": "lonjak_cart=forged"}, timeout=10)
    assert mark_on(forged) == expected("forged")


def test_errors_at_personal_addresses_say_it_too(customer: Shopper, postgres: Postgres) -> None:
    put_on_shelf(postgres.url, 724, 0)
    mine = expected(cart_token(customer))
    assert mark_on(customer.add(724)) == mine  # 409
    assert mark_on(customer.pay(customer.key(), BAD_CARD)) == mine  # 402
    assert mark_on(customer.get("/orders/1/confirmation")) == mine  # 404, somebody else's or nobody's
    assert mark_on(customer.post("/checkout", ADDRESS | {"phone": "x"})) == mine  # 400, the form again
    assert mark_on(customer.post("/cart/items", {}, Origin="https://evil.example")) == mine  # 403


def test_a_waiting_room_is_each_shoppers_own(shop: Program, postgres: Postgres) -> None:
    put_on_shelf(postgres.url, 723, 9)
    begin_sale(shop.url, 725, 10, starts_at=time.time() + 600, ends_at=time.time() + 700)
    ask(postgres.url, "UPDATE flash_sales SET ticket_count = 1000 WHERE product_id = 725")
    marks = []
    for _ in range(2):
        with Shopper(shop.url) as shopper:
            shopper.add(723)
            page = shopper.get("/waiting-room?product_id=725")
            assert on_body(page, "sale-state") == "waiting"
            assert mark_on(page) == expected(cart_token(shopper))
            marks.append(mark_on(page))
    assert marks[0] != marks[1]
