"""The reference storefront at a flash sale, with vouchers, returns, an overloaded shop, and others' pages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from loadgen.http.client import Timeouts
from loadgen.offers import FlashSale
from loadgen.records import LedgerLine
from loadgen.session import SessionCut
from scenarios.browser import Browser
from scenarios.outcomes import Outcome
from scenarios.reference_storefront import Catalogue, ReferenceStorefront
from scenarios.reference_visitor import SaleTerms
from scenarios.shop_visits import ShopVisits
from scenarios.storefront import Account, Address, Page, Product, Sale, SaleState
from tests.engine.scripted_pages import SCENARIO, PageServer, Scripted, Visitor
from tests.scenarios import shop_pages as shop

STYLE = Scripted("body{}", content_type="text/css", cache_control="public, max-age=60", kind="static")
DEAL = Product(7, "Kemeja Batik", 150_000, 5, Sale(SaleState.OPEN, shop.STARTS_AT, 1))
ADDRESS = Address(shop.RECIPIENT, "08990000001", "Jalan Contoh No. 1", "Medan", "Sumatera Utara", "20111")
PERSON = Account("Pembeli a1", "pembeli@example.com", "rahasia-sekali")
TO_CART = Scripted(status=303, kind="cart", location="/cart")
TO_WAITING_ROOM = Scripted(status=303, kind="cart", location="/waiting-room?product_id=7")
WAITING = Scripted(shop.waiting_room(), kind="waiting_room", refresh="2")
EMPTY_BADGE = Scripted(shop.fragment(0), kind="fragment")
FORM = Page("payment", Outcome.OK, idempotency_key=shop.KEY, amount_idr=150_000)
ROOM = "/waiting-room?product_id=7"


class Clock:
    """Monotonic seconds that the test sets."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[PageServer]:
    running = PageServer()
    running.answer("GET", "/static/shop.1a.css", STYLE)
    running.answer("GET", "/fragment/header", EMPTY_BADGE)
    yield running
    running.stop()


@pytest.fixture
def visitor(server: PageServer) -> Iterator[Visitor]:
    coming = Visitor(server.url, Timeouts(1.0, 1.0, 1.0))
    yield coming
    coming.session.client.close()


@pytest.fixture
def storefront(server: PageServer, visitor: Visitor, clock: Clock) -> ReferenceStorefront:
    """Its sale keeps units for 15 s."""
    browser = Browser(visitor.session, server.url)
    return ReferenceStorefront(visitor.session, browser, Catalogue(), 8.0, sale=SaleTerms(7, 15.0), clock=clock)


def with_the_deal_in_the_cart(server: PageServer, storefront: ReferenceStorefront) -> None:
    server.answer("POST", "/cart/items", TO_CART)
    server.answer("GET", "/cart", Scripted(shop.cart({7: 1}), kind="cart"))
    server.answer("GET", "/fragment/header", Scripted(shop.fragment(1), kind="fragment"))
    assert storefront.add_to_cart(DEAL, 1).ok


def refused(kind: str, code: str, status: int, retry_after: str = "") -> Scripted:
    return Scripted(shop.error(kind, code, status), status, kind, retry_after=retry_after)


def ledger(visitor: Visitor) -> list[LedgerLine]:
    return visitor.recorded()[1]


def failed_count(visitor: Visitor) -> int:
    return sum(counts["failed_count"] for counts in visitor.recorded()[0].values())


@pytest.mark.parametrize(
    ("code", "outcome"), [("sale_not_open", Outcome.SALE_NOT_OPEN), ("sale_limit", Outcome.SALE_LIMIT)]
)
def test_what_a_sale_refuses_is_no_failure(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront, code: str, outcome: Outcome
) -> None:
    server.answer("POST", "/cart/items", refused("cart", code, 409))
    assert storefront.add_to_cart(DEAL, 2).outcome is outcome
    counters, lines, _ = visitor.recorded()
    assert counters["cart"]["failed_count"] == 0
    assert [(line.action, line.outcome, line.reason) for line in lines] == [("add_to_cart", "fail", code)]


def test_who_is_held_back_sees_the_waiting_room_and_when_to_look_again(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    server.answer("POST", "/cart/items", TO_WAITING_ROOM)
    server.answer("GET", ROOM, WAITING)
    page = storefront.add_to_cart(DEAL, 1)
    assert (page.kind, page.outcome, page.wait_s) == ("waiting_room", Outcome.HELD_BACK, 2.0)
    assert server.asked[:2] == ["POST /cart/items", f"GET {ROOM}"]
    counters, lines, _ = visitor.recorded()
    assert (counters["waiting_room"]["request_count"], counters["waiting_room"]["failed_count"]) == (1, 0)
    assert [(line.outcome, line.reason) for line in lines] == [("fail", "held_back")]
    assert storefront.basket_count == 0


def test_who_is_let_in_sees_the_product(server: PageServer, storefront: ReferenceStorefront) -> None:
    server.answer("GET", ROOM, WAITING, Scripted(status=303, kind="waiting_room", location="/product/7"))
    server.answer("GET", "/product/7", Scripted(shop.product(7, sale="open"), kind="product"))
    assert storefront.wait(7).outcome is Outcome.HELD_BACK
    page = storefront.wait(7)
    assert (page.ok, page.product) == (True, DEAL)


def test_a_waiting_room_says_that_it_is_sold_out(server: PageServer, storefront: ReferenceStorefront) -> None:
    server.answer("GET", ROOM, Scripted(shop.waiting_room("sold_out"), kind="waiting_room"))
    assert storefront.wait(7).outcome is Outcome.OUT_OF_STOCK


def test_units_that_are_kept_must_be_in_the_cart(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront, clock: Clock
) -> None:
    with_the_deal_in_the_cart(server, storefront)
    server.answer("GET", "/cart", Scripted(shop.cart({}), kind="cart"))
    clock.now_s += 14.9
    assert storefront.cart().outcome is Outcome.FAILED
    assert visitor.recorded()[0]["cart"]["failed_content_count"] == 1


def test_units_whose_time_is_up_may_be_gone_and_that_is_noticed(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront, clock: Clock
) -> None:
    with_the_deal_in_the_cart(server, storefront)
    server.answer("GET", "/cart", Scripted(shop.cart({}), kind="cart"))
    server.answer("GET", "/fragment/header", EMPTY_BADGE)
    clock.now_s += 15.0
    assert storefront.cart().ok
    assert storefront.basket_count == 0
    assert failed_count(visitor) == 0


def pay(storefront: ReferenceStorefront) -> Page:
    return storefront.pay(FORM, card="tok_0001")


@dataclass(frozen=True)
class Going:
    """A step of the checkout, and how a shop answers it that finds nothing in the cart."""

    step: Callable[[ReferenceStorefront], Page]
    request: tuple[str, str]
    answer: Scripted


EXPIRED = {
    "the address form": Going(
        lambda storefront: storefront.checkout(),
        ("GET", "/checkout"),
        Scripted(status=303, kind="checkout", location="/cart"),
    ),
    "the address": Going(
        lambda storefront: storefront.send_address(ADDRESS),
        ("POST", "/checkout"),
        refused("checkout", "checkout_expired", 400),
    ),
    "the payment form": Going(
        lambda storefront: storefront.payment_form(),
        ("GET", "/checkout/payment"),
        Scripted(status=303, kind="payment", location="/checkout"),
    ),
    "the payment": Going(pay, ("POST", "/checkout/payment"), refused("payment", "checkout_expired", 400)),
}


@pytest.mark.parametrize("going", EXPIRED.values(), ids=EXPIRED)
def test_a_checkout_whose_only_goods_went_back_has_expired(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront, clock: Clock, going: Going
) -> None:
    with_the_deal_in_the_cart(server, storefront)
    server.answer(*going.request, going.answer)
    clock.now_s += 15.0
    assert going.step(storefront).outcome is Outcome.RESERVATION_EXPIRED
    assert (storefront.basket_count, failed_count(visitor)) == (0, 0)


@pytest.mark.parametrize("going", EXPIRED.values(), ids=EXPIRED)
def test_a_checkout_that_loses_goods_which_are_kept_is_broken(
    server: PageServer, storefront: ReferenceStorefront, clock: Clock, going: Going
) -> None:
    with_the_deal_in_the_cart(server, storefront)
    server.answer(*going.request, going.answer)
    clock.now_s += 14.9
    assert going.step(storefront).outcome is Outcome.FAILED


def test_a_payment_for_what_went_back_did_not_happen(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    with_the_deal_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/payment", refused("payment", "reservation_expired", 409))
    assert pay(storefront).outcome is Outcome.RESERVATION_EXPIRED
    line = ledger(visitor)[-1]
    assert (line.action, line.outcome, line.reason) == ("place_order", "fail", "reservation_expired")


@pytest.mark.parametrize(
    ("code", "outcome"), [("price_changed", Outcome.PRICE_CHANGED), ("voucher_refused", Outcome.VOUCHER_REFUSED)]
)
def test_a_payment_at_another_price_did_not_happen(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront, code: str, outcome: Outcome
) -> None:
    with_the_deal_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/payment", refused("payment", code, 409))
    assert pay(storefront).outcome is outcome
    counters, lines, _ = visitor.recorded()
    assert (counters["payment"]["failed_count"], storefront.basket_count) == (0, 1)
    assert (lines[-1].outcome, lines[-1].reason, lines[-1].items) == ("fail", code, ((7, 1),))


@pytest.mark.parametrize("code", ["overloaded", "payments_unavailable"])
def test_an_overloaded_shop_has_failed_and_says_when_to_come_back(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront, code: str
) -> None:
    with_the_deal_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/payment", refused("payment", code, 503, retry_after="2"))
    page = pay(storefront)
    assert (page.outcome, page.wait_s) == (Outcome.OVERLOADED, 2.0)
    counters, lines, _ = visitor.recorded()
    assert (counters["payment"]["failed_count"], counters["payment"]["failed_http_5xx_count"]) == (1, 1)
    assert (lines[-1].outcome, lines[-1].reason) == ("fail", code)
    assert storefront.cart().ok  # as nothing was done, it is still known what the cart holds


def test_an_overloaded_page_is_known_as_such(server: PageServer, storefront: ReferenceStorefront) -> None:
    server.answer("GET", "/product/7", refused("product", "overloaded", 503, retry_after="soon"))
    page = storefront.product(7)
    assert (page.outcome, page.wait_s) == (Outcome.OVERLOADED, None)


def test_a_503_of_somebody_else_leaves_open_what_happened(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    with_the_deal_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/payment", Scripted("<h1>503</h1>", 503, retry_after="2"))
    assert pay(storefront).outcome is Outcome.FAILED
    assert ledger(visitor)[-1].outcome == "unknown"


def test_a_voucher_that_is_taken_shows_the_new_total(server: PageServer, storefront: ReferenceStorefront) -> None:
    with_the_deal_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/voucher", Scripted(status=303, kind="payment", location="/checkout/payment"))
    server.answer("GET", "/checkout/payment", Scripted(shop.payment(amount_idr=125_000), kind="payment"))
    page = storefront.use_vouchers("PAYDAY", "KADO-1")
    assert (page.ok, page.amount_idr) == (True, 125_000)
    sent = next(seen for seen in server.seen if seen.url == "/checkout/voucher")
    assert sent.body == "coupon=PAYDAY&gift_card=KADO-1"


def test_a_voucher_that_is_refused_is_gone_on_without(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    with_the_deal_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/voucher", refused("payment", "voucher_refused", 409))
    server.answer("GET", "/checkout/payment", Scripted(shop.payment(), kind="payment"))
    page = storefront.use_vouchers("PAYDAY", "")
    assert (page.ok, page.amount_idr) == (True, 150_000)
    assert failed_count(visitor) == 0


def with_an_order(server: PageServer, storefront: ReferenceStorefront) -> None:
    with_the_deal_in_the_cart(server, storefront)
    paid = Scripted(shop.confirmation(41), kind="confirmation")
    returned = Scripted(shop.confirmation(41, state="returning"), kind="confirmation")
    server.answer("POST", "/checkout/payment", Scripted(status=303, kind="payment", location="/orders/41/confirmation"))
    server.answer("GET", "/orders/41/confirmation", paid, returned)
    server.answer("GET", "/fragment/header", EMPTY_BADGE)
    assert pay(storefront).ok


def test_an_order_is_sent_back(server: PageServer, visitor: Visitor, storefront: ReferenceStorefront) -> None:
    with_an_order(server, storefront)
    back = Scripted(status=303, kind="confirmation", location="/orders/41/confirmation")
    server.answer("POST", "/orders/41/return", back)
    assert storefront.send_back(41).ok
    counters, lines, _ = visitor.recorded()
    assert sum(counts["failed_count"] for counts in counters.values()) == 0
    line = lines[-1]
    assert (line.action, line.outcome, line.order_id) == ("return_order", "ok", 41)
    assert (line.amount_idr, line.items) == (150_000, ((7, 1),))


def test_an_order_that_cannot_be_sent_back_stays(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    with_an_order(server, storefront)
    server.answer("POST", "/orders/41/return", refused("orders", "not_returnable", 409))
    assert storefront.send_back(41).outcome is Outcome.NOT_RETURNABLE
    line = ledger(visitor)[-1]
    assert (line.outcome, line.order_id, line.reason) == ("fail", 41, "not_returnable")


def test_a_confirmation_that_goes_to_somebody_else_is_noticed(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    with_the_deal_in_the_cart(server, storefront)
    form = Scripted(status=303, kind="checkout", location="/checkout/payment")
    server.answer("POST", "/checkout", form)
    server.answer("GET", "/checkout/payment", Scripted(shop.payment(), kind="payment"))
    assert storefront.send_address(ADDRESS).ok
    assert storefront.send_address(replace(ADDRESS, recipient="Pembeli 99")).outcome is Outcome.FAILED
    assert visitor.recorded()[0]["payment"]["failed_content_count"] == 1


def logged_in(server: PageServer, storefront: ReferenceStorefront) -> Page:
    server.answer("GET", "/register", Scripted(shop.page("login", "", '<input name="password">'), kind="login"))
    server.answer("POST", "/register", Scripted(status=303, kind="login", location="/account"))
    server.answer("GET", "/account", Scripted(shop.account(PERSON.email), kind="account"))
    greeting = Scripted(shop.fragment(0, PERSON.name), kind="fragment")
    server.answer("GET", "/fragment/header", EMPTY_BADGE, greeting)
    return storefront.register(PERSON)


def test_a_shopper_who_logs_in_is_greeted_by_name(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    assert logged_in(server, storefront).ok
    server.answer("GET", "/orders", Scripted(shop.orders(), kind="orders"))
    assert storefront.account().ok
    assert storefront.orders().ok
    assert failed_count(visitor) == 0


def test_somebody_elses_account_is_noticed(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    assert logged_in(server, storefront).ok
    server.answer("GET", "/account", Scripted(shop.account("lain@example.com"), kind="account"))
    server.answer("GET", "/orders", Scripted(shop.orders(12), kind="orders"))
    server.answer("GET", "/fragment/header", Scripted(shop.fragment(0, "Pembeli b2"), kind="fragment"))
    server.answer("GET", "/search", Scripted(shop.page("search"), kind="search"))
    assert storefront.account().outcome is Outcome.FAILED
    assert storefront.orders().outcome is Outcome.FAILED
    assert storefront.search_form().ok
    counters = visitor.recorded()[0]
    kinds = ("account", "orders", "fragment")
    assert [counters[kind]["failed_content_count"] for kind in kinds] == [1, 1, 1]


def test_an_order_of_ones_own_must_stand_in_the_history(
    server: PageServer, visitor: Visitor, storefront: ReferenceStorefront
) -> None:
    with_an_order(server, storefront)
    server.answer("GET", "/orders", Scripted(shop.orders(41), kind="orders"), Scripted(shop.orders(), kind="orders"))
    assert storefront.orders().ok
    assert storefront.orders().outcome is Outcome.FAILED


def test_an_order_that_nobody_was_told_of_may_stand_in_the_history(
    server: PageServer, storefront: ReferenceStorefront
) -> None:
    with_the_deal_in_the_cart(server, storefront)
    server.answer("POST", "/checkout/payment", refused("payment", "payment_declined", 402))
    server.answer("GET", "/orders", Scripted(shop.orders(40), kind="orders"))
    assert storefront.orders().outcome is Outcome.FAILED
    assert pay(storefront).outcome is Outcome.PAYMENT_DECLINED
    assert storefront.orders().ok


def visits(server: PageServer, mix: str = "flash-sale") -> ShopVisits:
    """Whoever comes wants product 7, of whose sale the shop's pages tell."""
    sale = FlashSale(7, 100, 1, starts_at_s=30.0, reservation_s=15.0)
    scenario = replace(SCENARIO, shoppers=replace(SCENARIO.shoppers, mix=mix, think_time_scale=0.0), flash_sale=sale)
    return ShopVisits(scenario)


def with_a_sale(server: PageServer, *pages: str) -> None:
    server.answer("GET", "/product/7", *(Scripted(page, kind="product") for page in pages))
    server.answer("GET", "/register", Scripted(status=404))


def end_of_sale(visitor: Visitor) -> LedgerLine:
    [line] = [line for line in ledger(visitor) if line.action == "flash_sale"]
    return line


def test_a_shopper_who_finds_nothing_left_ends_knowing(server: PageServer, visitor: Visitor) -> None:
    with_a_sale(server, shop.product(7, sale="open"), shop.product(7, stock=0, sale="sold_out"))
    server.answer("POST", "/cart/items", refused("cart", "out_of_stock", 409))
    for _ in visits(server).visit(visitor.session):
        pass
    line = end_of_sale(visitor)
    assert (line.outcome, line.reason, line.order_id, line.items) == ("fail", "sold_out", None, ((7, 0),))
    assert not visitor.session.abandoned


def test_a_shopper_whom_the_end_of_the_run_cuts_short_is_counted_too(server: PageServer, visitor: Visitor) -> None:
    with_a_sale(server, shop.product(7, sale="upcoming"))
    visit = visits(server).visit(visitor.session)
    next(visit)
    with pytest.raises(SessionCut):
        visit.throw(SessionCut())
    line = end_of_sale(visitor)
    assert (line.outcome, line.reason) == ("fail", "cut")


def test_a_shopper_of_the_marketplace_who_never_wanted_the_sale_has_no_end_of_it(
    server: PageServer, visitor: Visitor
) -> None:
    for _ in visits(server, "marketplace").visit(visitor.session):
        pass
    assert [line for line in ledger(visitor) if line.action == "flash_sale"] == []
