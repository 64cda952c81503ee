import math
from collections import Counter
from random import Random

import pytest

from scenarios.zipf import Zipf


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.4])
def test_ranks_follow_zipfs_law(exponent):
    # Pearson's chi-square over 50 ranks: 49 degrees of freedom, 0.1 % critical value 85.35 (table).
    draws, rng, zipf = 40_000, Random(11), Zipf(50, exponent)
    seen = Counter(zipf.draw(rng) for _ in range(draws))
    weights = [rank**-exponent for rank in range(1, 51)]
    expected = [draws * weight / math.fsum(weights) for weight in weights]
    assert sum((seen[rank] - count) ** 2 / count for rank, count in enumerate(expected, 1)) < 85.35


def test_one_rank_is_always_drawn():
    assert {Zipf(1, 1.0).draw(Random(seed)) for seed in range(50)} == {1}


def test_ranks_of_a_million_stay_in_range():
    rng, zipf = Random(5), Zipf(1_000_000, 0.7)
    drawn = [zipf.draw(rng) for _ in range(5_000)]
    assert min(drawn) >= 1
    assert max(drawn) <= 1_000_000


def test_an_empty_catalogue_is_refused():
    with pytest.raises(ValueError, match="count of at least 1"):
        Zipf(0, 1.0)
