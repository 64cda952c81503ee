import pytest

from scenarios import reference_pages as pages
from scenarios.answers import Answer, ContentMismatch
from scenarios.outcomes import Outcome
from scenarios.storefront import Page, Product, ProductLink, Sale, SaleState
from tests.scenarios import shop_pages as shop
from tests.scenarios.shop_pages import answer

CATEGORIES = ("/category/batik", "/category/tas-kulit")
KEMEJA = "Kemeja Batik"


def test_the_front_page_shows_each_product_and_category_once():
    read = pages.read_home(answer("home", shop.home()))
    links = (ProductLink(1, KEMEJA), ProductLink(2, "Tas & Dompet"))
    assert read == Page("home", Outcome.OK, products=links, categories=CATEGORIES)


def test_the_front_page_may_tell_the_size_of_the_catalogue():
    assert pages.read_product_count(answer("home", shop.home())) == 2000
    assert pages.read_product_count(answer("home", shop.page("home"))) is None


def test_a_product_page_tells_price_stock_and_what_is_like_it():
    read = pages.read_product(7)(answer("product", shop.product(7, stock=5)))
    assert read.product == Product(7, KEMEJA, 150_000, 5)
    assert (read.outcome, read.products) == (Outcome.OK, (ProductLink(8, KEMEJA),))


def test_a_sold_out_product_is_an_outcome_not_a_failure():
    assert pages.read_product(7)(answer("product", shop.product(7, stock=0))).outcome is Outcome.OUT_OF_STOCK


def test_a_category_leads_to_its_next_page():
    html = shop.category("batik", 3, 4, following="/category/batik?sort=popular&amp;page=2")
    read = pages.read_category("batik")(answer("category", html))
    assert (read.next_page, len(read.products)) == ("/category/batik?sort=popular&page=2", 2)


def test_a_search_without_results_is_an_outcome_not_a_failure():
    assert pages.read_search("kemmmeja")(answer("search", shop.search("kemmmeja"))).outcome is Outcome.ZERO_RESULTS


def test_a_query_comes_back_as_it_was_asked():
    assert pages.read_search('"tas"')(answer("search", shop.search("&#34;tas&#34;", 1))).ok


def test_a_product_on_sale_tells_when_it_begins_and_how_many_each_may_have():
    read = pages.read_product(7)(answer("product", shop.product(7, sale="upcoming", limit=2)))
    assert read.product == Product(7, KEMEJA, 150_000, 5, Sale(SaleState.UPCOMING, shop.STARTS_AT, 2))
    assert read.outcome is Outcome.OK


def test_a_sale_that_is_sold_out_is_a_product_that_is_sold_out():
    read = pages.read_product(7)(answer("product", shop.product(7, stock=0, sale="sold_out")))
    assert read.outcome is Outcome.OUT_OF_STOCK


@pytest.mark.parametrize(
    ("reader", "given", "sentence"),
    [
        (pages.read_home, answer("home", shop.home(), 404), "asked for home, got status 404"),
        (pages.read_home, answer("home", "<html><body>Apache"), "the page is not the shop's"),
        (pages.read_home, answer("home", shop.page("home")), "the front page shows no products"),
        (pages.read_home, answer("category", shop.home()), "asked for home, got another kind of page"),
        (pages.read_product(8), answer("product", shop.product(7)), "another product than was asked for"),
        (
            pages.read_product(7),
            answer("product", shop.page("product", 'data-product-id="7"')),
            "price-idr is no number",
        ),
        (pages.read_product(7), answer("product", shop.product(7, sale="soon")), "no state or no beginning"),
        (pages.read_category("tas"), answer("category", shop.category("batik", 1)), "another category"),
        (pages.read_category("batik"), answer("category", shop.category("batik")), "the category is empty"),
        (pages.read_search("tas"), answer("search", shop.search("batik", 1)), "the results of another query"),
        (
            pages.read_search("tas"),
            answer("search", shop.page("search", 'data-query="tas" data-result-count="3"')),
            "contradict each other",
        ),
        (pages.read_search_form, answer("search", shop.search("batik", 1)), "though nothing was searched for"),
    ],
)
def test_a_page_that_is_not_what_was_asked_for_is_refused(reader, given: Answer, sentence: str):
    with pytest.raises(ContentMismatch, match=sentence):
        reader(given)
