"""The catalogue's popularities: what the closed forms say is what shoppers of the mix ask for, and how they ask."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from random import Random

import pytest

from scenarios.markov import expected_visits
from scenarios.mixes import MIXES, catalogue
from scenarios.outcomes import Outcome
from scenarios.popularity import (
    category_popularity,
    home_popularity,
    hot_product_popularity,
    product_popularity,
    search_popularity,
)
from scenarios.queries import misspell
from scenarios.search_terms import TERMS
from tests.scenarios.listing_shop import CATEGORIES, PRODUCTS, visit_of

VISITS = 12_000
EXPONENT = 0.9


@pytest.fixture(scope="module")
def asked() -> Mapping[str, Counter[str]]:
    """How often each key was asked for, by page kind."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in ("home", "category", "search", "product")}
    for seed in range(VISITS):
        for _, kind, key in visit_of(MIXES["catalogue"], seed, EXPONENT):
            counts[kind][key] += 1
    return counts


def assert_drawn_from(counts: Counter[str], keys: Sequence[str], popularity: Sequence[float]) -> None:
    """Pearson's test: the sum is about the number of keys, and above it by five deviations once in a million."""
    assert set(counts) <= set(keys)
    total = counts.total()
    expected = {key: total * share for key, share in zip(keys, popularity, strict=True)}
    statistic = sum((counts[key] - mean) ** 2 / mean for key, mean in expected.items())
    degrees = len(keys) - 1
    assert statistic < degrees + 5 * (2 * max(degrees, 1)) ** 0.5


def test_products_are_asked_for_by_zipfs_law_over_the_whole_catalogue(asked: Mapping[str, Counter[str]]) -> None:
    keys = [str(number) for number in range(1, PRODUCTS + 1)]
    assert_drawn_from(asked["product"], keys, product_popularity(PRODUCTS, EXPONENT))
    with pytest.raises(AssertionError):
        assert_drawn_from(asked["product"], keys, product_popularity(PRODUCTS, EXPONENT + 0.05))


def test_categories_are_asked_for_by_zipfs_law_in_the_menus_order(asked: Mapping[str, Counter[str]]) -> None:
    assert_drawn_from(asked["category"], CATEGORIES, category_popularity(len(CATEGORIES), EXPONENT))


def test_searches_are_drawn_by_zipfs_law_and_misspelt_as_often_as_said(asked: Mapping[str, Counter[str]]) -> None:
    popularity = search_popularity(EXPONENT)
    assert_drawn_from(asked["search"], list(popularity), list(popularity.values()))
    assert set(asked["home"]) == {"/"}


@pytest.mark.parametrize(
    "popularity",
    [
        home_popularity(),
        product_popularity(2000, 1.0),
        category_popularity(60, 0.0),
        tuple(search_popularity(1.2).values()),
        hot_product_popularity(2000, 1.0),
    ],
)
def test_every_popularity_adds_up_to_one_and_falls_with_the_rank(popularity: tuple[float, ...]) -> None:
    assert sum(popularity) == pytest.approx(1.0, abs=1e-12)
    assert min(popularity) > 0.0


def test_zipfs_law_by_hand() -> None:
    assert product_popularity(3, 1.0) == pytest.approx((6 / 11, 3 / 11, 2 / 11))
    assert category_popularity(4, 0.0) == (0.25, 0.25, 0.25, 0.25)
    assert hot_product_popularity(3, 1.0) == pytest.approx((0.8 + 0.2 * 6 / 11, 0.2 * 3 / 11, 0.2 * 2 / 11))


def test_the_misspellings_are_those_that_a_shopper_makes() -> None:
    typed = search_popularity(1.0)
    for term in TERMS:
        assert {misspell(term, _Always(at)) for at in range(len(term))} <= set(typed)
    # "teh" has three letters to hit: a third of 13 % each.
    shares = {query: typed[query] / typed["teh"] for query in ("ttteh", "teeeh", "tehhh")}
    assert shares == pytest.approx(dict.fromkeys(shares, 0.13 / 3 / 0.87))


class _Always(Random):
    def __init__(self, at: int) -> None:
        super().__init__()
        self._at = at

    def randrange(self, *arguments: object) -> int:  # type: ignore[override]
        return self._at


def test_terms_are_single_words_each_once() -> None:
    assert len(set(TERMS)) == len(TERMS)
    assert all(term.isalpha() and term.islower() and len(term) >= 3 for term in TERMS)


def test_a_visit_is_as_long_as_the_table_says_and_half_products() -> None:
    visits = expected_visits(catalogue.MIX.chain(), catalogue.MIX.start)
    assert sum(visits.values()) == pytest.approx(1 / 0.28)
    assert visits == pytest.approx(
        {name: catalogue.START.get(name, 0.0) + catalogue.ON[name] / 0.28 for name in catalogue.MIX.states}
    )
    assert visits["product"] / sum(visits.values()) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("outcome", [Outcome.OUT_OF_STOCK, Outcome.ZERO_RESULTS])
@pytest.mark.parametrize("state", catalogue.MIX.states)
def test_what_a_page_shows_does_not_change_what_is_asked_for_next(state: str, outcome: Outcome) -> None:
    assert catalogue.MIX.row(state, outcome) == catalogue.ON


def test_a_cache_of_lifetimes_finds_what_renewal_theory_says_of_these_popularities() -> None:
    """The stream of a mix is as good as Poisson: hits are lambda T of lambda T + 1 requests for each page (a TTL cache
    whose lifetime counts from the fetch: Jung, Berger and Balakrishnan, INFOCOM 2003)."""
    ttl_s, start_s, visits_per_s = 30.0, 300.0, 5.0
    rng = Random(11)
    arrivals = accumulate(rng.expovariate(visits_per_s) for _ in range(10_000))
    requests = sorted(
        (arrival + at_s, key)
        for seed, arrival in enumerate(arrivals)
        for at_s, kind, key in visit_of(MIXES["catalogue"], seed)
        if kind == "product"
    )
    requests = [request for request in requests if request[0] < 10_000 / visits_per_s]
    rate_per_s = len(requests) / (10_000 / visits_per_s)
    fresh_until: dict[str, float] = {}
    hits, judged = 0, 0
    for at_s, key in requests:
        is_hit = at_s < fresh_until.get(key, 0.0)
        if not is_hit:
            fresh_until[key] = at_s + ttl_s
        if at_s >= start_s:
            hits, judged = hits + is_hit, judged + 1
    wanted = [share * rate_per_s * ttl_s for share in product_popularity(PRODUCTS, 1.0)]
    theory = sum(mean * mean / (1 + mean) for mean in wanted) / sum(wanted)
    assert hits / judged == pytest.approx(theory, abs=0.01)
    assert 0.4 < theory < 0.9  # neither everything nor nothing is found
