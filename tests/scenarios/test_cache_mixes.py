"""Mixes made for caches: one page wanted by most, one wanted by all, nothing but what caches may keep."""

from collections import Counter

import pytest

from scenarios.markov import expected_visits
from scenarios.mixes import MIXES, catalogue
from scenarios.mixes.hot_product import HOT_RATIO
from scenarios.outcomes import Outcome
from scenarios.popularity import hot_product_popularity
from tests.scenarios.listing_shop import PRODUCTS, visit_of

PERSONAL = {"cart", "checkout", "payment", "confirmation", "login", "account", "orders", "waiting_room"}


@pytest.mark.parametrize("name", ["catalogue", "hot-product", "stampede", "query-string-flood"])
def test_a_mix_for_caches_asks_only_for_pages_that_caches_may_keep(name: str) -> None:
    assert {state.step.page_kind for state in MIXES[name].states.values()} <= {"home", "category", "product", "search"}
    assert not {kind for _, kind, _ in visit_of(MIXES[name], seed=3)} & PERSONAL


def test_four_of_five_product_pages_of_the_hot_mix_are_the_hot_one_and_the_rest_is_the_catalogues() -> None:
    counts: Counter[str] = Counter()
    for seed in range(4000):
        counts.update(key for _, kind, key in visit_of(MIXES["hot-product"], seed) if kind == "product")
    first, second, *_ = hot_product_popularity(PRODUCTS, 1.0)
    assert counts["1"] / counts.total() == pytest.approx(first, abs=0.015)
    assert counts["2"] / counts.total() == pytest.approx(second, abs=0.008)


def test_a_hot_product_changes_which_products_are_seen_and_nothing_else() -> None:
    hot = expected_visits(MIXES["hot-product"].chain(), MIXES["hot-product"].start)
    plain = expected_visits(catalogue.MIX.chain(), catalogue.MIX.start)
    products = hot.pop("hot") + hot.pop("product")
    assert products == pytest.approx(plain.pop("product"))
    assert hot == pytest.approx(plain)
    visits = expected_visits(MIXES["hot-product"].chain(), MIXES["hot-product"].start)
    assert visits["hot"] / products == pytest.approx(HOT_RATIO)


def test_who_comes_for_the_stampede_asks_for_one_page_and_is_gone() -> None:
    for seed in range(20):
        assert list(visit_of(MIXES["stampede"], seed)) == [(0.0, "product", "1")]


@pytest.mark.parametrize("name", ["catalogue", "hot-product", "query-string-flood"])
def test_after_a_failure_half_of_those_who_would_have_gone_on_leave(name: str) -> None:
    for state in MIXES[name].states:
        on, discouraged = (1 - MIXES[name].row(state, outcome)["leave"] for outcome in (Outcome.OK, Outcome.FAILED))
        assert discouraged == pytest.approx(on / 2)
        assert MIXES[name].row(state, Outcome.TOO_SLOW)["leave"] == 1.0


def test_the_flood_differs_from_the_catalogue_in_its_addresses_alone() -> None:
    flood = MIXES["query-string-flood"]
    assert flood.tags_addresses
    assert (flood.start, flood.states, flood.otherwise) == (
        catalogue.MIX.start,
        catalogue.MIX.states,
        catalogue.MIX.otherwise,
    )
    assert [mix.name for mix in MIXES.values() if mix.tags_addresses] == ["query-string-flood"]
