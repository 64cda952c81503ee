"""The parts that a difference is judged by, against tables and closed forms."""

import math

import numpy as np
import pytest

from analysis.bootstrap import FloatArray
from analysis.difference import resampling
from analysis.difference.block_length import optimal
from analysis.difference.change_points import change_points, least_runs
from analysis.difference.student import normal_quantile, student_quantiles
from analysis.difference.uncertainty import Spread


def autoregressive(count: int, carried: float, seed: int) -> FloatArray:
    """A process of the first order with a standard deviation of 1."""
    random = np.random.default_rng(seed)
    series = np.empty(count)
    series[0] = random.normal()
    for at in range(1, count):
        series[at] = carried * series[at - 1] + random.normal(0, math.sqrt(1 - carried**2))
    return series


# Percentage points as printed in Fisher and Yates, Statistical Tables, table III.
@pytest.mark.parametrize(
    ("tail", "freedom", "printed"),
    [(0.025, 1, 12.706), (0.005, 2, 9.925), (0.025, 10, 2.228), (0.0005, 5, 6.869), (0.0005, 30, 3.646)],
)
def test_students_quantiles_are_those_of_the_tables(tail: float, freedom: float, printed: float) -> None:
    assert student_quantiles(tail, np.array([freedom]))[0] == pytest.approx(printed, abs=5e-4)


def test_with_much_freedom_students_quantile_is_the_normal_one() -> None:
    assert student_quantiles(0.0001, np.array([1e9]))[0] == pytest.approx(normal_quantile(0.9999), rel=0.003)


def test_blocks_of_independent_seconds_are_short_and_those_of_alike_ones_long() -> None:
    independent = [optimal(autoregressive(400, 0.0, seed)) for seed in range(20)]
    alike = [optimal(autoregressive(400, 0.8, seed)) for seed in range(20)]
    # Politis and White, for an autoregressive process of the first order: (2 G**2 / D)**(1/3) n**(1/3), in closed form.
    carried = 0.8
    closed = (2 * (2 * carried / (1 - carried**2)) ** 2 / (4 / 3)) ** (1 / 3) * 400 ** (1 / 3)
    assert np.median(independent) <= 4
    assert np.median(alike) == pytest.approx(closed, rel=0.35)


def test_a_series_that_never_changes_has_blocks_of_one() -> None:
    assert optimal(np.full(50, 3.0)) == 1


def test_every_resampled_run_has_as_many_seconds_as_the_run() -> None:
    drawn = resampling.within_runs((17, 5), 4, np.random.default_rng(1))
    assert set(drawn[:, :17].sum(axis=1)) == {17.0}
    assert set(drawn[:, 17:].sum(axis=1)) == {5.0}


def test_drawing_runs_first_may_leave_one_out_and_take_another_twice() -> None:
    drawn = resampling.over_runs((6, 6), 2, np.random.default_rng(1))
    shares = drawn[:, :6].sum(axis=1)
    assert set(shares) == {0.0, 6.0, 12.0}
    assert set(drawn.sum(axis=1)) == {12.0}
    # Two draws of two: none, one or both of them with 1/4, 1/2, 1/4.
    assert (shares == 6.0).mean() == pytest.approx(0.5, abs=0.03)


def test_blocks_give_the_variance_of_a_mean_of_alike_seconds() -> None:
    count, carried = 600, 0.6
    # Var(mean) = (1 + r) / (1 - r) / n for a process of the first order.
    true = (1 + carried) / (1 - carried) / count
    found = []
    for seed in range(20):
        series = autoregressive(count, carried, seed)
        drawn = resampling.within_runs((count,), optimal(series), np.random.default_rng(seed))
        found.append(float((drawn @ series / count).var()))
    assert np.mean(found) == pytest.approx(true, rel=0.25)


def test_freedom_of_a_spread_is_satterthwaites() -> None:
    assert Spread(within=1.0, between=0.0, within_freedom=12.0, between_freedom=2.0).freedom == 12.0
    assert Spread(within=0.0, between=3.0, within_freedom=12.0, between_freedom=2.0).freedom == 2.0
    # (1 + 1)**2 / (1/12 + 1/2)
    assert Spread(1.0, 1.0, 12.0, 2.0).freedom == pytest.approx(4 / (1 / 12 + 1 / 2))


def test_a_step_in_a_series_is_found_where_it_is_and_noise_has_none() -> None:
    random = np.random.default_rng(5)
    before, after = random.normal(100, 2, 12), random.normal(110, 2, 10)
    assert change_points([*before, *after], 4) == [12]
    assert change_points(list(random.normal(100, 2, 22)), 4) == []


def test_two_steps_are_both_found() -> None:
    random = np.random.default_rng(6)
    levels = [100.0] * 14 + [120.0] * 14 + [90.0] * 14
    assert change_points([level + random.normal(0, 1) for level in levels], 1) == [14, 28]


def test_of_few_runs_no_change_is_told_however_clear() -> None:
    # Ten runs, five before and five after: 2 of 252 choices look as clear; eleven: 2 of 462; twelve: 2 of 924.
    assert least_runs(1) == 10
    assert least_runs(4) == 12
    assert change_points([1.0] * 5 + [9.0] * 6, 4) == []
    assert change_points([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 9.0, 9.1, 9.2, 9.3, 9.4, 9.5], 4) == [6]
