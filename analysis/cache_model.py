"""What a cache of lifetimes ought to do, by renewal theory: the yardstick beside a measured hit ratio; pure.

Requests for key i are Poisson of rate lambda_i = popularity_i * rate. A copy is fresh for T (`ttl_s`), then may be
given out stale for S (`stale_s`) while somebody renews it. Nothing is evicted, a fetch takes no time, and the lifetime
counts from the fetch (nginx: a shield's Age is not taken off). Between two fetches of a key lie T, in which every
request is a hit, and X, exponential of rate lambda_i: the wait for the request that causes the next fetch.

**Steady state.** A cycle has lambda T requests within the lifetime and the one that ends it. That one is a miss, unless
the copy may still be given out: with renewal in the background it is a hit when X < S, which has the probability
1 - exp(-lambda S). So the hit ratio is (lambda T + 1 - exp(-lambda S)) / (lambda T + 1); for S = 0 this is
lambda T / (1 + lambda T) (Jung, Berger and Balakrishnan, INFOCOM 2003). Where the first request after the lifetime
waits for the renewal itself (nginx without proxy_cache_background_update), S changes nothing here: while a fetch takes
no time, nobody else comes meanwhile.

**From cold.** The n-th fetch comes at (n - 1) T + X_1 + ... + X_n, so by time t it has come with the probability
P(Gamma(n, lambda) <= t - (n - 1) T), which is that of n or more Poisson events of mean lambda (t - (n - 1) T). The sum
over n is the expected number of fetches, exactly. The first is a miss; a later one is a miss when its X_n >= S, and an
exponential that has outlasted S begins anew, so that the n-th is a miss by t with the probability
exp(-lambda S) P(Gamma(n, lambda) <= t - (n - 1) T - S).

**Two tiers.** Each point of presence sees its share of the rate and passes its fetches on to the shield. These are no
Poisson stream: one point's fetches of a key lie at least its T apart, so that a point never finds at a shield of the
same T what it had fetched itself. `two_tier` goes through a cycle of the shield, begun by one point's fetch: that
point's copy is then new, those of the others are taken for expired, and from there each goes on as from cold; who asks
first after the shield's lifetime is told by the residual wait of independent points in their steady state. Beside a
simulation the shield's hit ratio is off by up to two hundredths and the origin's offload by up to one, unless the
shield's lifetime is the shorter one (tests/analysis/test_cache_model.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Rates: TypeAlias = npt.NDArray[np.float64]

# What is less likely than this for every key adds nothing that a ratio shows.
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True)
class TtlCache:
    """A cache whose copies are fresh for `ttl_s` and may be given out stale for `stale_s` more.

    `background`: whoever finds a stale copy gets it, and it is renewed behind them (Varnish's grace; nginx's
    `updating` with background update); else the first to find it waits for the renewal.
    """

    ttl_s: float
    stale_s: float = 0.0
    background: bool = True

    @property
    def hidden_s(self) -> float:
        """How long after the lifetime a renewal makes nobody wait."""
        return self.stale_s if self.background else 0.0


@dataclass(frozen=True, slots=True)
class TwoTierRatios:
    """What points of presence before a shield come to; each ratio is of the requests which that tier got."""

    pop_hit_ratio: float
    shield_hit_ratio: float
    origin_offload_ratio: float


def steady_hit_ratio(popularity: Sequence[float], rate_per_s: float, cache: TtlCache) -> float:
    """The share of requests that are hits once the cold start is long over; `popularity` need not add up to 1."""
    rates = _rates(popularity, rate_per_s)
    return _weighted(_steady_ratios(rates, cache), rates)


def hit_ratio_between(
    popularity: Sequence[float], rate_per_s: float, cache: TtlCache, start_s: float, end_s: float
) -> float:
    """The share of requests from `start_s` to `end_s` that are hits in a cache which was empty at 0; ValueError for
    an empty stretch."""
    if not 0 <= start_s < end_s:
        raise ValueError(f"a stretch of a run is to be 0 <= start < end: {start_s:g} to {end_s:g}")
    rates = _rates(popularity, rate_per_s)
    missed = expected_misses(rates, cache, end_s) - expected_misses(rates, cache, start_s)
    return float(1 - missed.sum() / (rates.sum() * (end_s - start_s)))


def expected_fetches(rates: Rates, ttl_s: float, until_s: float) -> Rates:
    """How often each key is fetched up to an instant by a cache that was empty at 0, renewals included."""
    return _renewals(rates, ttl_s, until_s, first=1)


def expected_misses(rates: Rates, cache: TtlCache, until_s: float) -> Rates:
    """How many requests for each key had to wait for a fetch up to an instant, in a cache that was empty at 0."""
    cold = -np.expm1(-rates * until_s)
    outlasted = np.exp(-rates * cache.hidden_s)
    return cold + outlasted * _renewals(rates, cache.ttl_s, until_s - cache.hidden_s, first=2)


def two_tier(
    popularity: Sequence[float], rate_per_s: float, shares: Sequence[float], pop: TtlCache, shield: TtlCache
) -> TwoTierRatios:
    """The steady state of points of presence, each with its share of all requests, before one shield."""
    rates = _rates(popularity, rate_per_s)
    by_pop = [rates * share / sum(shares) for share in shares if share > 0]
    hits = sum(float((_steady_ratios(own, pop) * own).sum()) for own in by_pop)
    asked = sum((_fetches_per_s(own, pop) for own in by_pop), np.zeros_like(rates))
    renewed, missed = np.zeros_like(rates), np.zeros_like(rates)
    for begun_by, own in enumerate(by_pop):
        others = [other for number, other in enumerate(by_pop) if number != begun_by]
        within, waited = _shield_cycle(own, others, pop, shield)
        cycles = _fetches_per_s(own, pop) / (1 + within)
        renewed += cycles
        missed += cycles * waited
    return TwoTierRatios(
        pop_hit_ratio=hits / float(rates.sum()),
        shield_hit_ratio=float(1 - missed.sum() / asked.sum()),
        origin_offload_ratio=float(1 - renewed.sum() / rates.sum()),
    )


def _shield_cycle(own: Rates, others: Sequence[Rates], pop: TtlCache, shield: TtlCache) -> tuple[Rates, Rates]:
    """Of a cycle that the point with the rates `own` began: requests for its copy while it is fresh, and the
    probability that nobody asks while it may be given out stale."""
    within = expected_fetches(own, pop.ttl_s, shield.ttl_s - pop.ttl_s)
    waited = _nobody_asks(own, pop, shield.hidden_s)
    if shield.ttl_s <= pop.ttl_s:  # the point that began it comes back when its own copy has expired
        waited = np.exp(-own * max(0.0, shield.hidden_s - (pop.ttl_s - shield.ttl_s)))
    for other in others:
        within = within + expected_fetches(other, pop.ttl_s, shield.ttl_s)
        waited = waited * _nobody_asks(other, pop, shield.hidden_s)
    return within, waited


def _nobody_asks(rates: Rates, pop: TtlCache, for_s: float) -> Rates:
    """P(a point in its steady state fetches nothing for so long): the residual of T + X, integrated from there on."""
    remains_s: Rates = max(0.0, pop.ttl_s - for_s) + np.exp(-rates * max(0.0, for_s - pop.ttl_s)) / rates
    quiet: Rates = remains_s / (pop.ttl_s + 1 / rates)
    return quiet


def _fetches_per_s(rates: Rates, cache: TtlCache) -> Rates:
    fetches: Rates = rates / (1 + rates * cache.ttl_s)
    return fetches


def _rates(popularity: Sequence[float], rate_per_s: float) -> Rates:
    """Requests per second of each key that is asked for at all."""
    wanted = np.asarray(popularity, dtype=np.float64)
    if rate_per_s <= 0 or not np.isfinite(wanted).all() or (wanted < 0).any() or wanted.sum() <= 0:
        raise ValueError("a hit ratio needs a rate above 0, and popularities of 0 and more, one of them above 0")
    rates: Rates = wanted[wanted > 0] / wanted.sum() * rate_per_s
    return rates


def _steady_ratios(rates: Rates, cache: TtlCache) -> Rates:
    fresh = rates * cache.ttl_s
    ratios: Rates = (fresh - np.expm1(-rates * cache.hidden_s)) / (fresh + 1)
    return ratios


def _weighted(ratios: Rates, rates: Rates) -> float:
    return float((ratios * rates).sum() / rates.sum())


def _renewals(rates: Rates, ttl_s: float, until_s: float, first: int) -> Rates:
    """The expected number of fetches by an instant, from the `first`-th on: the sum of their probabilities.

    Without a lifetime every request is a fetch.
    """
    total = np.zeros_like(rates)
    if until_s <= 0:
        return total
    if ttl_s <= 0:
        total += rates * until_s + (first - 1) * np.expm1(-rates * until_s)
        return total
    number = first
    while (left_s := until_s - (number - 1) * ttl_s) > 0:
        likely = _at_least(number, rates * left_s)
        total += likely
        if likely.max() < _NEGLIGIBLE:
            break
        number += 1
    return total


def _at_least(count: int, means: Rates) -> Rates:
    """P(N >= count) for Poisson N of each mean: the tail's series, or for large means the head's, from its largest
    term on."""
    largest = np.exp(count * np.log(means) - means - math.lgamma(count + 1))
    upper = means <= count
    tail, head = np.zeros_like(means), np.zeros_like(means)
    term, k = largest.copy(), count
    while upper.any() and term[upper].max() > _NEGLIGIBLE:
        tail += term
        k += 1
        term = term * means / k
        term[~upper] = 0.0
    term, k = largest * count / means, count - 1
    while not upper.all() and k >= 0 and term[~upper].max() > _NEGLIGIBLE:
        head += term
        term = term * k / means
        term[upper] = 0.0
        k -= 1
    return np.where(upper, tail, 1 - head)
