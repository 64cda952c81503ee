import random
from itertools import pairwise
from math import exp, sqrt

import pytest

from loadgen.pacing import RatePoint, expected_count, poisson_arrivals, rate_at

STEADY = (RatePoint(0, 50), RatePoint(200, 50))
RAMP = (RatePoint(0, 0), RatePoint(100, 100))


def test_the_same_seed_draws_the_same_schedule() -> None:
    assert list(poisson_arrivals(STEADY, 7)) == list(poisson_arrivals(STEADY, 7))
    assert list(poisson_arrivals(STEADY, 7)) != list(poisson_arrivals(STEADY, 8))


def test_instants_ascend_within_the_schedule() -> None:
    instants = list(poisson_arrivals(RAMP, 3))
    assert instants == sorted(instants)
    assert 0 <= instants[0] <= instants[-1] <= 100


def test_gaps_of_a_steady_rate_are_exponential() -> None:
    gaps = sorted(after - before for before, after in pairwise(poisson_arrivals(STEADY, 11)))
    # Kolmogorov-Smirnov against 1 - exp(-50 x); 1.63 / sqrt(n) is the 1 % bound.
    distance = max(
        max(abs((i + 1) / len(gaps) - (1 - exp(-50 * gap))), abs(i / len(gaps) - (1 - exp(-50 * gap))))
        for i, gap in enumerate(gaps)
    )
    assert distance < 1.63 / sqrt(len(gaps))


def test_a_ramp_puts_a_quarter_of_its_arrivals_into_its_first_half() -> None:
    instants = [at for seed in range(20) for at in poisson_arrivals(RAMP, seed)]
    early = sum(at < 50 for at in instants)
    assert early / len(instants) == pytest.approx(0.25, abs=0.01)
    assert len(instants) / 20 == pytest.approx(expected_count(RAMP), rel=0.01)


def test_a_schedule_without_rate_is_empty() -> None:
    assert list(poisson_arrivals((RatePoint(0, 0), RatePoint(60, 0)), 1)) == []


def test_a_step_is_two_points_at_one_instant() -> None:
    step = (RatePoint(0, 0), RatePoint(10, 0), RatePoint(10, 100), RatePoint(20, 100))
    assert min(poisson_arrivals(step, 5)) >= 10


@pytest.mark.parametrize(("at_s", "per_s"), [(0, 0.0), (25, 25.0), (100, 100.0), (101, 0.0)])
def test_the_rate_is_a_straight_line_between_points(at_s: float, per_s: float) -> None:
    assert rate_at(RAMP, at_s) == pytest.approx(per_s)


def test_arrivals_follow_the_rate_for_any_seed() -> None:
    seeds = random.Random(99).sample(range(2**63 - 1), 50)
    counts = [sum(1 for _ in poisson_arrivals(STEADY, seed)) for seed in seeds]
    assert sum(counts) / len(counts) == pytest.approx(10_000, rel=0.01)
