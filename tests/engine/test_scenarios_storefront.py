"""The reference storefront over real HTTP: what it asks for, what it believes, and what it writes into the ledger."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import gevent
import pytest

from loadgen.errors import ConfigProblem, TargetUnrecognised
from loadgen.http.client import Timeouts
from loadgen.records import LedgerLine
from scenarios.browser import Browser
from scenarios.mixes import MIXES
from scenarios.outcomes import Outcome
from scenarios.reference_storefront import Catalogue, ReferenceStorefront
from scenarios.shop_visits import recognise
from scenarios.storefront import Page, Product
from tests.engine.scripted_pages import SCENARIO, PageServer, Scripted, Visitor
from tests.engine.scripted_shop import eventually
from tests.scenarios import shop_pages as shop

KEMEJA = Product(7, "Kemeja Batik", 150_000, 5)
PUBLIC = "public, max-age=0, s-maxage=60"
STYLE = Scripted("body{}", content_type="text/css", cache_control="public, max-age=60", kind="static", etag='"s"')
TAKEN = Scripted(status=303, kind="cart", location="/cart")
PAID = Scripted(status=303, kind="payment", location="/orders/41/confirmation")
FORM = Page("payment", Outcome.OK, idempotency_key=shop.KEY, amount_idr=150_000)
CARD = "tok_0001"


@pytest.fixture
def server() -> Iterator[PageServer]:
    running = PageServer()
    running.answer("GET", "/static/shop.1a.css", STYLE)
    running.answer("GET", "/fragment/header", Scripted(shop.fragment(0), kind="fragment"))
    yield running
    running.stop()


@pytest.fixture
def visitor(server: PageServer) -> Iterator[Visitor]:
    coming = Visitor(server.url, Timeouts(1.0, 1.0, 1.0))
    yield coming
    coming.session.client.close()


@pytest.fixture
def storefront(server: PageServer, visitor: Visitor) -> ReferenceStorefront:
    return open_storefront(server, visitor)


def open_storefront(server: PageServer, visitor: Visitor, patience_s: float = 8.0) -> ReferenceStorefront:
    return ReferenceStorefront(visitor.session, Browser(visitor.session, server.url), Catalogue(), patience_s)


def with_one_in_the_cart(server: PageServer, storefront: ReferenceStorefront) -> None:
    server.answer("POST", "/cart/items", TAKEN)
    server.answer("GET", "/cart", Scripted(shop.cart({7: 1}), kind="cart"))
    server.answer("GET", "/fragment/header", Scripted(shop.fragment(1), kind="fragment"))
    assert storefront.add_to_cart(KEMEJA, 1).ok


def place_order_line(visitor: Visitor) -> LedgerLine:
    _, ledger, _ = visitor.recorded()
    assert [line.action for line in ledger] == ["add_to_cart", "place_order"]
    return ledger[1]


def test_a_page_is_fetched_with_its_files_and_the_header(server: PageServer, storefront: ReferenceStorefront) -> None:
    server.answer("GET", "/", Scripted(shop.home(), kind="home", cache_control=PUBLIC, etag='"h"'))
    assert storefront.home().ok
    assert server.asked == ["GET /", "GET /static/shop.1a.css", "GET /fragment/header"]
    assert storefront.product_count == 2000


def test_a_second_look_is_revalidated_and_its_fresh_files_are_not_asked_for(
    server: PageServer, storefront: ReferenceStorefront
) -> None:
    server.answer("GET", "/", Scripted(shop.home(), kind="home", cache_control=PUBLIC, etag='"h"'))
    first, second = storefront.home(), storefront.home()
    assert first == second
    assert server.asked[3:] == ["GET /", "GET /fragment/header"]
    assert server.seen[3].headers["if-none-match"] == '"h"'


def test_a_personal_page_is_asked_for_in_full_each_time(server: PageServer, storefront: ReferenceStorefront) -> None:
    server.answer("GET", "/orders", Scripted(shop.page("orders", 'data-order-count="0"'), kind="orders", etag='"o"'))
    storefront.orders()
    storefront.orders()
    assert all("if-none-match" not in seen.headers for seen in server.seen if seen.url == "/orders")


def test_a_form_is_sent_as_a_browser_would(server: PageServer, storefront: ReferenceStorefront) -> None:
    server.answer("GET", "/product/7", Scripted(shop.product(7), kind="product"))
    storefront.product(7)
    with_one_in_the_cart(server, storefront)
    landed = server.seen[0].headers
    sent = next(seen for seen in server.seen if seen.method == "POST")
    assert ("referer" in landed, landed["sec-fetch-site"]) == (False, "none")
    assert sent.headers["origin"] == server.url
    assert sent.headers["referer"] == f"{server.url}/product/7"
    assert sent.headers["sec-fetch-site"] == "same-origin"
    assert "Mobile" in sent.headers["user-agent"]
    assert sent.body == "product_id=7&quantity=1"


def test_a_wrong_page_is_a_failed_sample_of_class_content(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    server.answer("GET", "/product/7", Scripted(shop.product(9), kind="product"))
    assert storefront.product(7) == Page("product", Outcome.FAILED)
    counters, _, funnel = visitor.recorded()
    assert (counters["product"]["failed_count"], counters["product"]["failed_content_count"]) == (1, 1)
    assert funnel["product_count"] == 0


def test_an_empty_file_is_a_failed_sample(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    server.answer("GET", "/static/shop.1a.css", replace(STYLE, body=""))
    server.answer("GET", "/", Scripted(shop.home(), kind="home"))
    assert storefront.home().ok
    assert visitor.recorded()[0]["static"]["failed_content_count"] == 1


def test_a_page_slower_than_the_patience_is_too_slow(server: PageServer, visitor: Visitor) -> None:
    server.answer("GET", "/", Scripted(shop.home(), kind="home", wait_s=0.05))
    assert open_storefront(server, visitor, patience_s=0.04).home().outcome is Outcome.TOO_SLOW


def test_redirects_count_towards_the_patience(server: PageServer, visitor: Visitor) -> None:
    server.answer("POST", "/cart/items", replace(TAKEN, wait_s=0.06))
    server.answer("GET", "/cart", Scripted(shop.cart({7: 1}), kind="cart", wait_s=0.06))
    page = open_storefront(server, visitor, patience_s=0.11).add_to_cart(KEMEJA, 1)
    assert page.outcome is Outcome.TOO_SLOW


def test_a_sold_out_product_refused_by_the_cart_is_no_failure(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    server.answer("POST", "/cart/items", Scripted(shop.error("cart", "out_of_stock", 409), 409, "cart"))
    assert storefront.add_to_cart(KEMEJA, 1).outcome is Outcome.OUT_OF_STOCK
    counters, ledger, _ = visitor.recorded()
    assert counters["cart"]["failed_count"] == 0
    assert [(line.action, line.outcome, line.reason) for line in ledger] == [("add_to_cart", "fail", "out_of_stock")]
    assert storefront.basket_count == 0


def test_a_cart_without_what_was_put_in_is_a_failed_page(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    server.answer("POST", "/cart/items", TAKEN)
    server.answer("GET", "/cart", Scripted(shop.cart({}), kind="cart"))
    assert storefront.add_to_cart(KEMEJA, 1).outcome is Outcome.FAILED
    _, ledger, funnel = visitor.recorded()
    assert ledger[0].outcome == "ok"
    assert funnel["cart_count"] == 0


def test_after_a_change_without_an_answer_nobody_is_sure_of_the_cart(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    server.answer("POST", "/cart/items", Scripted(status=503))
    server.answer("GET", "/cart", Scripted(shop.cart({7: 1}), kind="cart"))
    server.answer("GET", "/fragment/header", Scripted(shop.fragment(1), kind="fragment"))
    assert storefront.add_to_cart(KEMEJA, 1).outcome is Outcome.FAILED
    assert storefront.cart().ok
    counters, ledger, _ = visitor.recorded()
    assert counters["fragment"]["failed_count"] == 0
    assert (ledger[0].outcome, ledger[0].reason) == ("unknown", "status 503")


def test_a_payment_agrees_to_the_total_that_its_form_shows(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    with_one_in_the_cart(server, storefront)
    server.answer("GET", "/checkout/payment", Scripted(shop.payment(amount_idr=125_000), kind="payment"))
    server.answer("POST", "/checkout/payment", PAID)
    storefront.pay(storefront.payment_form(), card=CARD)
    sent = next(seen for seen in server.seen if (seen.method, seen.url) == ("POST", "/checkout/payment"))
    assert sent.body == f"idempotency_key={shop.KEY}&card_token={CARD}&total_idr=125000"
    assert place_order_line(visitor).amount_idr == 125_000


def test_an_acknowledged_payment_is_ok_with_order_amount_and_items(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    with_one_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/payment", PAID)
    server.answer("GET", "/orders/41/confirmation", Scripted(shop.confirmation(41), kind="confirmation"))
    server.answer("GET", "/fragment/header", Scripted(shop.fragment(0), kind="fragment"))
    assert storefront.pay(FORM, card=CARD).order_id == 41
    line = place_order_line(visitor)
    assert (line.outcome, line.order_id, line.idempotency_key) == ("ok", 41, shop.KEY)
    assert (line.amount_idr, line.items) == (150_000, ((7, 1),))
    assert storefront.basket_count == 0


def test_an_order_stays_ok_when_its_confirmation_breaks(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    with_one_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/payment", PAID)
    server.answer("GET", "/orders/41/confirmation", Scripted(status=502))
    page = storefront.pay(FORM, card=CARD)
    assert (page.outcome, page.order_id) == (Outcome.FAILED, 41)
    assert place_order_line(visitor).outcome == "ok"


def test_a_declined_card_is_an_outcome_and_a_failed_attempt(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    with_one_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/payment", Scripted(shop.error("payment", "payment_declined", 402), 402, "payment"))
    assert storefront.pay(FORM, card=CARD).outcome is Outcome.PAYMENT_DECLINED
    line = place_order_line(visitor)
    assert (line.outcome, line.reason) == ("fail", "payment_declined")
    assert storefront.basket_count == 1


@pytest.mark.parametrize(
    ("answer", "ending"),
    [
        (Scripted(status=504), ("unknown", "status 504")),
        (Scripted(status=200), ("unknown", "status 200")),
        (replace(PAID, wait_s=1.5), ("unknown", "no answer")),
        (Scripted(shop.error("payment", "checkout_expired", 400), 400, "payment"), ("fail", "status 400")),
    ],
    ids=["gateway timeout", "not an acknowledgement", "timeout", "refused"],
)
def test_a_payment_without_an_acknowledgement(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront, answer: Scripted, ending: tuple[str, str]
) -> None:
    with_one_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/payment", answer)
    assert storefront.pay(FORM, card=CARD).outcome is Outcome.FAILED
    line = place_order_line(visitor)
    assert (line.outcome, line.reason) == ending
    assert line.idempotency_key == shop.KEY


def test_a_payment_in_flight_when_the_shopper_is_killed_is_unknown(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    with_one_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/payment", replace(PAID, wait_s=5.0))
    paying = gevent.spawn(storefront.pay, FORM, card=CARD)
    eventually(lambda: "POST /checkout/payment" in server.asked)
    paying.kill()
    assert place_order_line(visitor).outcome == "unknown"


def test_the_bundled_shop_is_recognised(server: PageServer) -> None:
    server.answer("GET", "/", Scripted(shop.home(), kind="home"))
    recognise(SCENARIO, server.url)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Scripted("<html>It works!</html>"), "front page does not carry the shop's mark"),
        (Scripted(status=503), "front page answers 503"),
        (Scripted(wait_s=9.0), "nothing came back within 4 s"),
    ],
)
def test_another_site_is_not_recognised(server: PageServer, answer: Scripted, sentence: str) -> None:
    server.answer("GET", "/", answer)
    with pytest.raises(TargetUnrecognised, match=sentence):
        recognise(SCENARIO, server.url)


def test_a_front_page_that_redirects_to_a_foreign_host_is_refused_by_its_name(server: PageServer) -> None:
    # In a process of its own: a gate cannot be removed again.
    server.answer("GET", "/", Scripted(status=302, location="http://192.0.2.1/"))
    look = (
        "import sys, locust\n"
        "from loadgen.gate import Gate\n"
        "from loadgen.errors import TargetRefused\n"
        "from scenarios.reference_recognition import why_not_recognised\n"
        "Gate().install()\n"
        "try:\n    print(why_not_recognised(sys.argv[1]))\n"
        "except TargetRefused as refused:\n    print(refused)\n"
    )
    said = subprocess.run([sys.executable, "-c", look, server.url], capture_output=True, text=True, check=True).stdout
    assert said == (
        f"the front page of {server.url} redirects elsewhere: "
        "192.0.2.1 is neither loopback nor an address of a host given by --allow-host: nothing was sent\n"
    )


def test_unknown_mix_and_storefront_are_named_together_with_the_known_ones(server: PageServer) -> None:
    wrong = replace(SCENARIO, storefront="magento", shoppers=replace(SCENARIO.shoppers, mix="bazaar"))
    with pytest.raises(ConfigProblem) as problem:
        recognise(wrong, server.url)
    assert problem.value.problems == (
        "scenario tiny: [shoppers] mix is 'bazaar', but must be one of " + ", ".join(MIXES),
        "scenario tiny: storefront is 'magento', but must be one of reference",
    )
    assert server.asked == []


def test_a_crowd_that_comes_for_a_sale_needs_one(server: PageServer) -> None:
    wrong = replace(SCENARIO, shoppers=replace(SCENARIO.shoppers, mix="flash-sale"))
    with pytest.raises(ConfigProblem, match=r"mix is 'flash-sale', but there is no \[flash_sale\]: add one"):
        recognise(wrong, server.url)
    assert server.asked == []
