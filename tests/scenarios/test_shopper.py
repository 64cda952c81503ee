"""Journeys and walks against a scripted shop: no HTTP, no time."""

from collections import deque
from random import Random

import pytest

from scenarios.deals import Deals
from scenarios.journeys import take
from scenarios.mix import LEAVE, Mix, SessionEnd, State, Step
from scenarios.mixes import MIXES
from scenarios.outcomes import Outcome
from scenarios.people import AccountBook, invent_account
from scenarios.shopper import Ending, walk
from scenarios.storefront import Page, Product, ProductLink, Sale, SaleState
from scenarios.think_times import Exponential
from scenarios.visit import Visit

PAUSE = Exponential(7.0, 70.0)
LINKS = tuple(ProductLink(number, f"Kemeja Batik {number}") for number in range(1, 25))
SALE_ID = 25
STARTS_AT = 1_795_000_030.0
UPCOMING = Sale(SaleState.UPCOMING, STARTS_AT, 1)
OPEN = Sale(SaleState.OPEN, STARTS_AT, 1)
SOLD_OUT = Sale(SaleState.SOLD_OUT, STARTS_AT, 1)


class ScriptedShop:
    """A storefront that writes down what it is asked, and answers as told: `outcomes` by method name, then OK.

    Product `SALE_ID` shows the scripted `sales` in turn, the last one for ever; without any it is as the others.
    """

    def __init__(
        self, product_count: int | None = 100, sales: tuple[Sale, ...] = (), **outcomes: list[Outcome]
    ) -> None:
        self.asked: list[str] = []
        self.arguments: dict[str, object] = {}
        self.product_count = product_count
        self.basket_count = 0
        self._sales = deque(sales)
        self._outcomes = {name: deque(scripted) for name, scripted in outcomes.items()}

    def units_of(self, product_id: int) -> int:
        return self.basket_count

    def _page(self, name: str, kind: str, argument: object = None, **shown: object) -> Page:
        self.asked.append(name)
        self.arguments[name] = argument
        scripted = self._outcomes.get(name)
        outcome = scripted.popleft() if scripted else Outcome.OK
        if outcome is Outcome.OK:
            return Page(kind, outcome, **shown)
        return Page(kind, outcome, wait_s=2.0 if outcome in (Outcome.HELD_BACK, Outcome.OVERLOADED) else None)

    def home(self) -> Page:
        self.product_count = self.product_count or 100
        return self._page("home", "home", products=LINKS[:8], categories=("/category/batik", "/category/tas"))

    def category(self, link: str, *, sort: str | None = None) -> Page:
        return self._page("category", "category", (link, sort), products=LINKS, next_page="/category/batik?page=2")

    def search_form(self) -> Page:
        return self._page("search_form", "search")

    def search(self, query: str) -> Page:
        return self._page("search", "search", query, products=LINKS[:5])

    def product(self, product_id: int) -> Page:
        sale = None
        if product_id == SALE_ID and self._sales:
            sale = self._sales.popleft() if len(self._sales) > 1 else self._sales[0]
        stock = 0 if sale and sale.state is SaleState.SOLD_OUT else 8
        return self._page("product", "product", product_id, product=Product(product_id, "Kemeja", 150_000, stock, sale))

    def wait(self, product_id: int) -> Page:
        page = self._page("wait", "waiting_room", product_id)
        return self.product(product_id) if page.ok else page

    def add_to_cart(self, product: Product, quantity: int) -> Page:
        page = self._page("add_to_cart", "cart", (product, quantity))
        self.basket_count += quantity if page.ok else 0
        return page

    def cart(self) -> Page:
        return self._page("cart", "cart")

    def checkout(self) -> Page:
        return self._page("checkout", "checkout")

    def send_address(self, address: object) -> Page:
        return self._page("send_address", "payment", address, idempotency_key="key-1")

    def payment_form(self) -> Page:
        return self._page("payment_form", "payment", idempotency_key="key-2")

    def use_vouchers(self, coupon: str, gift_card: str) -> Page:
        return self._page("use_vouchers", "payment", (coupon, gift_card), idempotency_key="key-1", amount_idr=125_000)

    def send_back(self, order_id: int) -> Page:
        return self._page("send_back", "confirmation", order_id)

    def pay(self, form: Page, *, card: str) -> Page:
        page = self._page("pay", "confirmation", (form.idempotency_key, card), order_id=41)
        self.basket_count = 0 if page.ok else self.basket_count
        return page

    def register(self, account: object) -> Page:
        return self._page("register", "account", account)

    def log_in(self, account: object) -> Page:
        return self._page("log_in", "account", account)

    def account(self) -> Page:
        return self._page("account", "account")

    def orders(self) -> Page:
        return self._page("orders", "orders")


def visit_to(
    shop: ScriptedShop, seed: int = 1, accounts: AccountBook | None = None, deals: Deals | None = None
) -> Visit:
    book = accounts or AccountBook()
    return Visit(shop, book, Random(seed), zipf_exponent=1.0, deals=deals or Deals(), now=lambda: STARTS_AT - 12.0)


def pays(visit: Visit) -> Outcome:
    """Takes all steps from a product to the order."""
    for step in (Step.LANDING, Step.ADD_TO_CART, Step.CHECKOUT, Step.ADDRESS):
        take(visit, step)
    return take(visit, Step.PAY)


def test_a_product_is_chosen_among_the_links_of_the_page():
    shop = ScriptedShop()
    visit = visit_to(shop)
    take(visit, Step.HOME)
    take(visit, Step.PRODUCT)
    assert shop.arguments["product"] in {link.product_id for link in LINKS[:8]}


def test_a_product_is_not_opened_twice_while_others_are_left():
    shop = ScriptedShop()
    visit = visit_to(shop)
    take(visit, Step.HOME)
    opened = []
    for _ in range(8):
        take(visit, Step.PRODUCT)
        opened.append(shop.arguments["product"])
    assert sorted(opened) == [link.product_id for link in LINKS[:8]]


def test_upper_links_are_opened_more_often():
    firsts = []
    for seed in range(300):
        shop = ScriptedShop()
        visit = visit_to(shop, seed)
        take(visit, Step.CATEGORY)
        take(visit, Step.PRODUCT)
        firsts.append(shop.arguments["product"])
    # Zipf with exponent 1 over 24 links: 1 / H(24) = 26.5 % for the first, 1.1 % for the last.
    assert firsts.count(1) / 300 == pytest.approx(0.265, abs=0.08)


def test_landing_before_the_catalogue_size_is_known_opens_the_front_page_first():
    shop = ScriptedShop(product_count=None)
    assert take(visit_to(shop), Step.LANDING) is Outcome.OK
    assert shop.asked == ["home", "product"]


def test_zero_results_are_answered_by_fewer_words():
    shop = ScriptedShop(search=[Outcome.ZERO_RESULTS])
    visit = visit_to(shop)
    visit.memory.names = ("Kemeja Batik",)
    visit.memory.intended = "kemeja batik"
    assert take(visit, Step.REFORMULATE) is Outcome.ZERO_RESULTS
    assert visit.memory.intended == "kemeja"


def test_a_product_seen_goes_into_the_cart():
    shop = ScriptedShop()
    visit = visit_to(shop)
    take(visit, Step.LANDING)
    take(visit, Step.ADD_TO_CART)
    product, quantity = shop.arguments["add_to_cart"]
    assert product.product_id == shop.arguments["product"]
    assert 1 <= quantity <= 3


def test_a_filled_cart_is_shown_where_no_product_was_looked_at():
    shop = ScriptedShop()
    visit = visit_to(shop)
    for step in (Step.LANDING, Step.ADD_TO_CART, Step.HOME, Step.ADD_TO_CART):
        take(visit, step)
    assert shop.asked[-1] == "cart"


def test_a_declined_card_is_followed_by_another_card_and_another_key():
    shop = ScriptedShop(pay=[Outcome.PAYMENT_DECLINED])
    visit = visit_to(shop)
    for step in (Step.LANDING, Step.ADD_TO_CART, Step.CHECKOUT, Step.ADDRESS):
        assert take(visit, step) is Outcome.OK
    assert take(visit, Step.PAY) is Outcome.PAYMENT_DECLINED
    first_key, first_card = shop.arguments["pay"]
    assert take(visit, Step.PAY) is Outcome.OK
    second_key, second_card = shop.arguments["pay"]
    assert (first_key, second_key) == ("key-1", "key-2")
    assert first_card != second_card


def test_nothing_is_paid_for_with_an_empty_cart():
    shop = ScriptedShop()
    visit = visit_to(shop)
    for step in (Step.CHECKOUT, Step.ADDRESS, Step.PAY):
        take(visit, step)
    assert shop.asked == ["cart", "cart", "cart"]


def test_the_order_history_needs_an_account_first():
    shop = ScriptedShop()
    take(visit_to(shop), Step.ORDERS)
    assert shop.asked == ["register", "orders"]


def test_an_account_is_one_shoppers_at_a_time():
    book = AccountBook()
    book.put_back(invent_account())
    first, second = visit_to(ScriptedShop(), 1, book), visit_to(ScriptedShop(), 1, book)
    take(first, Step.SIGN_IN)
    take(second, Step.SIGN_IN)
    assert (first.storefront.asked, second.storefront.asked) == (["log_in"], ["register"])
    first.leave()
    assert book.take() == first.memory.account


@pytest.mark.parametrize("mix", MIXES.values(), ids=lambda mix: mix.name)
def test_every_step_of_a_mix_can_be_taken_from_the_start(mix):
    for state in mix.states.values():
        assert take(visit_to(ScriptedShop(product_count=None)), state.step) is Outcome.OK


def walked(
    mix: Mix, shop: ScriptedShop, seed: int = 1, scale: float = 1.0, deals: Deals | None = None
) -> tuple[Ending, float]:
    """The walk's ending, and the seconds it thought."""
    now = [0.0]

    steps = walk(mix, visit_to(shop, seed, deals=deals), clock=lambda: now[0], think_time_scale=scale)
    while True:
        try:
            now[0] += next(steps)
        except StopIteration as end:
            return end.value, now[0]


def test_a_shopper_whose_patience_runs_out_abandons():
    shop = ScriptedShop(home=[Outcome.TOO_SLOW])
    mix = Mix("m", "", {"a": 1.0}, {"a": State(Step.HOME, PAUSE, {"a": 1.0})}, {Outcome.TOO_SLOW: {LEAVE: 1.0}})
    assert walked(mix, shop) == (Ending.ABANDONED, 0.0)


def test_a_shopper_who_is_done_finishes_without_a_last_thought():
    mix = Mix("m", "", {"a": 1.0}, {"a": State(Step.HOME, PAUSE, {LEAVE: 1.0})}, {})
    assert walked(mix, ScriptedShop()) == (Ending.FINISHED, 0.0)


def test_an_outcome_chooses_the_next_step():
    states = {
        "search": State(Step.SEARCH, PAUSE, {LEAVE: 1.0}, {Outcome.ZERO_RESULTS: {"again": 1.0}}),
        "again": State(Step.REFORMULATE, PAUSE, {LEAVE: 1.0}),
    }
    shop = ScriptedShop(search=[Outcome.ZERO_RESULTS])
    walked(Mix("m", "", {"search": 1.0}, states, {}), shop)
    assert shop.asked == ["search", "search"]


def test_a_timed_session_ends_on_its_next_return_to_the_front_page():
    states = {"HOME": State(Step.HOME, PAUSE, {"LIST": 1.0}), "LIST": State(Step.CATEGORY, PAUSE, {"HOME": 1.0})}
    mix = Mix("m", "", {"HOME": 1.0}, states, {}, SessionEnd(Exponential(100.0, 400.0), at="HOME"))
    shop = ScriptedShop()
    ending, thought_s = walked(mix, shop)
    assert ending is Ending.FINISHED
    assert shop.asked[-1] == "category"
    assert 0.0 < thought_s < 600.0


def test_think_time_scale_stretches_the_session_with_its_pauses():
    mix = MIXES["tpcw-shopping"]
    (_, whole_s), (_, tenth_s) = (walked(mix, ScriptedShop(), seed=4, scale=scale) for scale in (1.0, 0.1))
    assert tenth_s == pytest.approx(0.1 * whole_s)


def test_the_same_seed_walks_the_same_way():
    first, second = ScriptedShop(), ScriptedShop()
    walked(MIXES["marketplace"], first, seed=9)
    walked(MIXES["marketplace"], second, seed=9)
    assert first.asked == second.asked
