"""Intervals by resampling: what is known beforehand of the figures, the weights and the coverage."""

import math

import numpy as np
import pytest

from analysis import bootstrap
from analysis.bootstrap import Estimate


def test_blocks_are_as_long_as_the_cube_root_of_the_seconds() -> None:
    assert [bootstrap.block_length(seconds) for seconds in (1, 8, 27, 28, 1000)] == [1, 2, 3, 4, 10]


def test_each_replicate_draws_as_many_seconds_as_there_are() -> None:
    drawn = bootstrap.weights([40, 40])
    assert drawn is not None
    assert drawn.shape == (bootstrap.REPLICATES, 80)
    assert set(drawn.sum(axis=1)) == {80.0}


def test_of_several_parts_whole_parts_are_drawn() -> None:
    drawn = bootstrap.weights([40, 40])
    assert drawn is not None
    assert set(drawn[:, :40].sum(axis=1)) == {0.0, 40.0, 80.0}


def test_neighbouring_seconds_are_drawn_together() -> None:
    drawn = bootstrap.weights([1000])
    assert drawn is not None
    # In blocks of 10 a second's neighbour is drawn as often as itself, but at a block's edge; alone it would be chance.
    together = np.corrcoef(drawn[:, 500], drawn[:, 501])[0, 1]
    assert together == pytest.approx(0.9, abs=0.05)


def test_the_same_seconds_give_the_same_interval() -> None:
    first, second = bootstrap.weights([30]), bootstrap.weights([30])
    assert first is not None
    assert second is not None
    assert (first == second).all()


@pytest.mark.parametrize("lengths", [[], [9], [30, 0]])
def test_too_few_seconds_give_no_interval(lengths: list[int]) -> None:
    drawn = bootstrap.weights(lengths)
    assert drawn is None
    ones = np.ones(sum(lengths))
    assert bootstrap.ratio(ones, 2 * ones, drawn) == Estimate(0.5 if lengths else None)


def test_a_ratio_that_never_changes_has_an_interval_of_no_width() -> None:
    whole = np.arange(1.0, 41.0)
    assert bootstrap.ratio(whole / 4, whole, bootstrap.weights([40]), 1000.0) == Estimate(250.0, 250.0, 250.0)


def test_what_is_left_of_a_ratio_turns_its_interval_round() -> None:
    left = bootstrap.complement(Estimate(0.25, 0.125, 0.5))
    assert left == Estimate(0.75, 0.5, 0.875)
    assert bootstrap.complement(bootstrap.NOTHING) == bootstrap.NOTHING


def test_percentiles_are_those_of_the_histogram() -> None:
    counts = np.zeros((20, 3))
    counts[:, 0], counts[:10, 1], counts[0, 2] = 9.0, 1.0, 1.0  # 180, 10 and 1 of 191
    values = np.array([1.0, 5.0, 80.0])
    found = [bootstrap.percentile(counts, values, percent, None).value for percent in (50.0, 94.0, 95.0, 99.0, 99.9)]
    assert found == [1.0, 1.0, 5.0, 5.0, 80.0]


def test_the_interval_of_a_mean_holds_the_truth_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(7)
    drawn = bootstrap.weights([100], replicates=400)
    ones = np.ones(100)
    held = 0
    for _ in range(200):
        estimate = bootstrap.ratio(generator.exponential(3.0, 100), ones, drawn)
        assert estimate.low is not None
        assert estimate.high is not None
        held += estimate.low <= 3.0 <= estimate.high
    assert 0.85 <= held / 200 <= 0.99


def test_the_interval_of_a_mean_is_as_wide_as_its_standard_error_says() -> None:
    values = np.random.default_rng(3).normal(10.0, 2.0, 400)
    estimate = bootstrap.ratio(values, np.ones(400), bootstrap.weights([400]))
    assert estimate.low is not None
    assert estimate.high is not None
    expected = 2 * 1.96 * values.std() / math.sqrt(400)
    assert estimate.high - estimate.low == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize(
    ("one", "other", "overlaps"),
    [
        (Estimate(1.0, 0.5, 1.5), Estimate(2.0, 1.6, 2.5), False),
        (Estimate(1.0, 0.5, 1.6), Estimate(2.0, 1.6, 2.5), True),
        (Estimate(1.0, 0.0, 9.0), Estimate(2.0, 1.6, 2.5), True),
        (Estimate(1.0), Estimate(2.0, 1.6, 2.5), True),
        (bootstrap.NOTHING, bootstrap.NOTHING, True),
    ],
)
def test_two_figures_are_told_apart_when_their_intervals_do_not_meet(
    one: Estimate, other: Estimate, overlaps: bool
) -> None:
    assert one.overlaps(other) is overlaps
    assert other.overlaps(one) is overlaps
