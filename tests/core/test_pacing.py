import random
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import exp, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.load import Load
from loadgen.pacing import (
    RatePoint,
    constant_arrivals,
    expected_count,
    from_instant,
    poisson_arrivals,
    rate_at,
    users_at,
)

STEADY = (RatePoint(0, 50), RatePoint(200, 50))
RAMP = (RatePoint(0, 0), RatePoint(100, 100))


def test_the_same_seed_draws_the_same_schedule() -> None:
    assert list(poisson_arrivals(STEADY, 7)) == list(poisson_arrivals(STEADY, 7))
    assert list(poisson_arrivals(STEADY, 7)) != list(poisson_arrivals(STEADY, 8))


def test_instants_ascend_within_the_schedule() -> None:
    instants = list(poisson_arrivals(RAMP, 3))
    assert instants == sorted(instants)
    assert 0 <= instants[0] <= instants[-1] <= 100


def distance_from_exponential(gaps: Sequence[float]) -> float:
    """The statistic of Kolmogorov and Smirnov against 1 - exp(-x)."""
    ranked = [(rank, 1 - exp(-gap)) for rank, gap in enumerate(sorted(gaps))]
    return max(max((rank + 1) / len(gaps) - share, share - rank / len(gaps)) for rank, share in ranked)


def critical_distance(count: int, alpha: float = 0.001) -> float:
    """Exceeded by chance with the probability alpha (asymptotic; Smirnov, Annals of Mathematical Statistics, 1948)."""
    return sqrt(-log(alpha / 2) / 2) / sqrt(count)


@pytest.mark.parametrize("seed", range(10))
def test_gaps_of_a_steady_rate_are_exponential(seed: int) -> None:
    instants = list(poisson_arrivals(STEADY, seed))
    gaps = [50 * (after - before) for before, after in pairwise([0.0, *instants])]
    assert distance_from_exponential(gaps) < critical_distance(len(gaps))


@pytest.mark.parametrize("seed", range(10))
def test_gaps_of_a_ramp_are_exponential_in_rescaled_time(seed: int) -> None:
    steep = (RatePoint(0, 0), RatePoint(100, 200))  # of which t * t are expected within t seconds
    instants = list(poisson_arrivals(steep, seed))
    gaps = [after * after - before * before for before, after in pairwise([0.0, *instants])]
    assert distance_from_exponential(gaps) < critical_distance(len(gaps))


def test_even_gaps_are_not_taken_for_exponential_ones() -> None:
    gaps = [50 * (after - before) for before, after in pairwise([0.0, *constant_arrivals(STEADY)])]
    assert distance_from_exponential(gaps) > critical_distance(len(gaps))


def test_constant_arrivals_of_a_steady_rate_lie_in_the_middle_of_equal_parts() -> None:
    assert list(constant_arrivals((RatePoint(0, 2), RatePoint(3, 2)))) == [0.25, 0.75, 1.25, 1.75, 2.25, 2.75]


def test_constant_arrivals_of_a_ramp_follow_its_integral() -> None:
    slow = (RatePoint(0, 0), RatePoint(4, 4))  # t * t / 2 = i + 1/2
    assert list(constant_arrivals(slow)) == pytest.approx([sqrt(2 * i + 1) for i in range(8)], rel=1e-12)
    falling = (RatePoint(0, 4), RatePoint(4, 0))
    assert list(constant_arrivals(falling)) == pytest.approx([4 - sqrt(16 - (2 * i + 1)) for i in range(8)], rel=1e-12)


def test_a_level_that_falls_on_a_pause_waits_for_the_rate_to_rise_again() -> None:
    pause = (RatePoint(0, 1), RatePoint(0.5, 1), RatePoint(0.5, 0), RatePoint(9, 0), RatePoint(11, 1))
    assert list(constant_arrivals(pause)) == pytest.approx([9.0])
    assert expected_count(pause) == 1.5  # the next would be due at the end itself


profiles = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 30)), min_size=1, max_size=6
)  # (seconds, sessions per second at their end)


@given(st.integers(0, 30), profiles, st.floats(0, 1))
def test_constant_arrivals_are_never_half_a_session_from_what_is_expected(
    first_per_s: int, steps: list[tuple[int, int]], share: float
) -> None:
    times = list(accumulate((seconds for seconds, _ in steps), initial=0))
    rate = [
        RatePoint(at, per_s) for at, per_s in zip(times, [first_per_s, *(after for _, after in steps)], strict=True)
    ]
    instants = list(constant_arrivals(rate))
    until_s = times[-1] * share
    cut = [point for point in rate if point.at_s < until_s]
    expected = sum((one.per_s + two.per_s) / 2 * (two.at_s - one.at_s) for one, two in pairwise(cut))
    if cut and cut[-1] is not rate[-1]:
        last, then = cut[-1], rate[len(cut)]
        slope = (then.per_s - last.per_s) / (then.at_s - last.at_s)
        expected += (until_s - last.at_s) * (last.per_s + slope * (until_s - last.at_s) / 2)
    assert instants == sorted(instants)
    assert abs(bisect_left(instants, until_s) - expected) <= 0.5 + 1e-6


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


def test_at_a_step_the_rate_is_the_one_after_it() -> None:
    step = (RatePoint(0, 1), RatePoint(10, 1), RatePoint(10, 5), RatePoint(20, 5))
    assert [rate_at(step, at_s) for at_s in (9.9, 10, 10.1, 20)] == [1, 5, 5, 5]


def test_the_rest_of_a_rate_begins_where_it_stands() -> None:
    assert from_instant(RAMP, 25) == (RatePoint(25, 25), RatePoint(100, 100))
    assert from_instant(RAMP, -1) == RAMP
    assert from_instant(RAMP, 100) == ()
    step = (RatePoint(0, 1), RatePoint(10, 1), RatePoint(10, 5), RatePoint(20, 5))
    assert from_instant(step, 10) == (RatePoint(10, 5), RatePoint(20, 5))


@pytest.mark.parametrize(
    ("elapsed_s", "users"), [(-1, 0), (0, 0), (1.2, 0), (1.3, 1), (25, 10), (49.9, 20), (50, 20), (99.9, 20), (100, 0)]
)
def test_the_profile_shapes_the_number_of_users(elapsed_s: float, users: int) -> None:
    load = Load(model="closed", users=20, duration_s=100, profile=((0.0, 0.0), (0.5, 1.0), (1.0, 1.0)))
    assert users_at(load, elapsed_s) == users


def test_without_a_profile_all_users_are_there_from_the_start() -> None:
    load = Load(model="closed", users=7, duration_s=3)
    assert [users_at(load, at_s) for at_s in (0, 1.5, 2.999, 3)] == [7, 7, 7, 0]


def test_arrivals_follow_the_rate_for_any_seed() -> None:
    seeds = random.Random(99).sample(range(2**63 - 1), 50)
    counts = [sum(1 for _ in poisson_arrivals(STEADY, seed)) for seed in seeds]
    assert sum(counts) / len(counts) == pytest.approx(10_000, rel=0.01)
