"""How likely each page is to be the one that a shopper of the mix `catalogue` asks for: closed forms, no draws.

A request for a page kind falls on page i with the probability p_i, whatever was asked for before; so a cache's hit
ratio can be computed from p, from the kind's rate and from how long a page is fresh, and held against a measured one.
Probabilities are listed as the pages are drawn: products by id from 1, categories as the menu lists them, searches by
what is typed. Each list adds up to 1. `exponent` is the scenario's `zipf_exponent`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from scenarios.mixes.hot_product import HOT_RATIO
from scenarios.queries import MISSPELT_RATIO
from scenarios.search_terms import TERMS


def home_popularity() -> tuple[float, ...]:
    """There is one front page."""
    return (1.0,)


def product_popularity(count: int, exponent: float) -> tuple[float, ...]:
    """Of product ids 1..count; `count` is the catalogue's size."""
    return _zipf(count, exponent)


def category_popularity(count: int, exponent: float) -> tuple[float, ...]:
    """Of the menu's categories, in its order; it is their first page, sorted as the shop sorts by itself."""
    return _zipf(count, exponent)


def search_popularity(exponent: float) -> Mapping[str, float]:
    """Of everything that can be typed, misspelt words too."""
    typed: defaultdict[str, float] = defaultdict(float)
    for term, wanted in zip(TERMS, _zipf(len(TERMS), exponent), strict=True):
        typed[term] += wanted * (1.0 - MISSPELT_RATIO)
        for at, letter in enumerate(term):
            typed[term[:at] + letter * 3 + term[at + 1 :]] += wanted * MISSPELT_RATIO / len(term)
    return dict(typed)


def hot_product_popularity(count: int, exponent: float) -> tuple[float, ...]:
    """Of product ids 1..count in the mix `hot-product`, where most views are of product 1."""
    first, *others = _zipf(count, exponent)
    return (HOT_RATIO + (1.0 - HOT_RATIO) * first, *((1.0 - HOT_RATIO) * share for share in others))


def _zipf(count: int, exponent: float) -> tuple[float, ...]:
    weights = [rank**-exponent for rank in range(1, count + 1)]
    total = sum(weights)
    return tuple(weight / total for weight in weights)
