"""The model of a cache against closed forms and against caches that are simulated request by request."""

import math
from collections.abc import Iterator

import numpy as np
import pytest

from analysis.cache_model import (
    TtlCache,
    expected_fetches,
    expected_misses,
    hit_ratio_between,
    steady_hit_ratio,
    two_tier,
)

ZIPF = [1 / rank for rank in range(1, 51)]


class Simulated:
    """A cache of one key after another, told of requests in the order of time."""

    def __init__(self, cache: TtlCache) -> None:
        self.cache = cache
        self.stored_at: dict[int, float] = {}

    def ask(self, key: int, at: float) -> tuple[bool, bool]:
        """Whether the request was a hit, and whether something was fetched."""
        age_s = at - self.stored_at.get(key, -math.inf)
        if age_s < self.cache.ttl_s:
            return True, False
        self.stored_at[key] = at
        return age_s < self.cache.ttl_s + self.cache.hidden_s, True


def requests(popularity, rate_per_s, end_s, seed) -> Iterator[tuple[float, int]]:
    """Poisson arrivals: instants and keys."""
    random = np.random.default_rng(seed)
    count = random.poisson(rate_per_s * end_s)
    shares = np.array(popularity) / sum(popularity)
    keys = random.choice(len(shares), count, p=shares)
    return zip(np.sort(random.uniform(0, end_s, count)).tolist(), keys.tolist(), strict=True)


def simulated_ratio(popularity, rate_per_s, cache, start_s, end_s, *, seeds=range(1)):
    asked = hits = 0
    for seed in seeds:
        simulated = Simulated(cache)
        for at, key in requests(popularity, rate_per_s, end_s, seed):
            hit, _ = simulated.ask(key, at)
            if at >= start_s:
                asked, hits = asked + 1, hits + hit
    return hits / asked


def test_one_key_has_the_hit_ratio_of_jung_berger_and_balakrishnan():
    assert steady_hit_ratio([1.0], 0.3, TtlCache(10.0)) == pytest.approx(3 / 4)


def test_keys_count_by_how_often_they_are_asked_for():
    # 9 of 10 requests go to a key of 9 requests a lifetime, the rest to one of 1.
    assert steady_hit_ratio([9.0, 1.0], 1.0, TtlCache(10.0)) == pytest.approx(0.9 * 9 / 10 + 0.1 * 1 / 2)


def test_popularity_is_a_shape_and_what_nobody_asks_for_does_not_count():
    cache = TtlCache(5.0, 2.0)
    assert steady_hit_ratio([0.9, 0.1, 0.0], 2.0, cache) == pytest.approx(steady_hit_ratio([9, 1], 2.0, cache))


def test_stale_copies_renewed_in_the_background_are_hits():
    expected = (3 + 1 - math.exp(-0.3 * 4)) / (3 + 1)
    assert steady_hit_ratio([1.0], 0.3, TtlCache(10.0, 4.0)) == pytest.approx(expected)


def test_a_stale_window_is_worth_nothing_where_the_first_request_waits_for_the_renewal():
    waits = TtlCache(10.0, 4.0, background=False)
    assert steady_hit_ratio(ZIPF, 3.0, waits) == steady_hit_ratio(ZIPF, 3.0, TtlCache(10.0))


def test_without_a_lifetime_every_request_is_a_miss():
    assert steady_hit_ratio(ZIPF, 3.0, TtlCache(0.0)) == 0
    assert hit_ratio_between(ZIPF, 3.0, TtlCache(0.0), 0, 100) == pytest.approx(0)


@pytest.mark.parametrize("cache", [TtlCache(4.0), TtlCache(4.0, 6.0), TtlCache(0.0, 5.0)], ids=str)
def test_long_after_a_cold_start_the_steady_state_is_reached(cache):
    late = hit_ratio_between(ZIPF, 20.0, cache, 300.0, 340.0)
    assert late == pytest.approx(steady_hit_ratio(ZIPF, 20.0, cache), abs=1e-4)


@pytest.mark.parametrize("cache", [TtlCache(8.0), TtlCache(8.0, 10.0), TtlCache(8.0, 10.0, background=False)], ids=str)
@pytest.mark.parametrize(("start_s", "end_s"), [(0.0, 5.0), (5.0, 30.0), (30.0, 60.0)])
def test_a_simulated_cache_agrees_from_cold_on(cache, start_s, end_s):
    simulated = simulated_ratio(ZIPF, 15.0, cache, start_s, end_s, seeds=range(60))
    # 60 runs of 75 requests and more: a standard error of at most 0.0075.
    assert hit_ratio_between(ZIPF, 15.0, cache, start_s, end_s) == pytest.approx(simulated, abs=0.02)


def test_before_the_first_lifetime_is_over_a_key_is_fetched_at_most_once():
    rates = np.array([0.2, 3.0])
    assert expected_fetches(rates, 10.0, 10.0) == pytest.approx(1 - np.exp(-10 * rates))


def test_nothing_is_fetched_before_the_start():
    assert expected_fetches(np.array([3.0]), 10.0, 0.0).tolist() == [0.0]


def test_a_hot_key_is_fetched_once_a_lifetime_and_missed_but_once():
    rates = np.array([1000.0])
    assert expected_fetches(rates, 1.0, 100.5)[0] == pytest.approx(101)
    assert expected_misses(rates, TtlCache(1.0, 10.0), 100.5)[0] == pytest.approx(1)


def test_fetches_are_requests_less_hits_where_nothing_stale_is_given_out():
    rates = np.array([0.01, 0.5, 20.0])
    assert expected_misses(rates, TtlCache(3.0), 50.0) == pytest.approx(expected_fetches(rates, 3.0, 50.0))


@pytest.mark.parametrize(("pop_s", "shield_s", "stale_s"), [(6.0, 6.0, 0.0), (3.0, 12.0, 0.0), (6.0, 6.0, 8.0)])
def test_points_of_presence_before_a_shield_agree_with_a_simulation(pop_s, shield_s, stale_s):
    pop, shield = TtlCache(pop_s, stale_s), TtlCache(shield_s, stale_s)
    pops, behind = [Simulated(pop), Simulated(pop)], Simulated(shield)
    random = np.random.default_rng(5)
    asked, pop_hits, shield_asked, shield_hits, origin = 0, 0, 0, 0, 0
    for at, key in requests(ZIPF, 15.0, 4000.0, 9):
        hit, fetched = pops[random.integers(2)].ask(key, at)
        asked, pop_hits = asked + 1, pop_hits + hit
        if fetched:
            found, renewed = behind.ask(key, at)
            shield_asked, shield_hits, origin = shield_asked + 1, shield_hits + found, origin + renewed
    expected = two_tier(ZIPF, 15.0, [1, 1], pop, shield)
    assert expected.pop_hit_ratio == pytest.approx(pop_hits / asked, abs=0.01)
    assert expected.shield_hit_ratio == pytest.approx(shield_hits / shield_asked, abs=0.02)
    assert expected.origin_offload_ratio == pytest.approx(1 - origin / asked, abs=0.01)


def test_one_point_of_presence_leaves_a_shield_of_its_own_lifetime_nothing_to_do():
    ratios = two_tier(ZIPF, 15.0, [1], TtlCache(5.0), TtlCache(5.0))
    assert ratios.shield_hit_ratio == pytest.approx(0)
    assert ratios.origin_offload_ratio == pytest.approx(ratios.pop_hit_ratio)


@pytest.mark.parametrize(("popularity", "rate"), [([], 1.0), ([0.0], 1.0), ([1.0, -1.0], 1.0), ([1.0], 0.0)])
def test_what_is_no_load_is_refused(popularity, rate):
    with pytest.raises(ValueError, match="a hit ratio needs a rate above 0"):
        steady_hit_ratio(popularity, rate, TtlCache(1.0))


def test_an_empty_stretch_is_refused():
    with pytest.raises(ValueError, match="5 to 5"):
        hit_ratio_between([1.0], 1.0, TtlCache(1.0), 5.0, 5.0)
