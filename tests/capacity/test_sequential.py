"""How often the decisions of a step are wrong, with seconds that know nothing of each other and with ones that do."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from lonjak.capacity.crossing import Point, crossing
from lonjak.capacity.sequential import Sample, sample, side_of_zero
from lonjak.capacity.steadiness import grows
from lonjak.capacity.student import t_quantile

ERROR = 0.05


def decided(series: Sequence[float], least_s: int = 6) -> str | None:
    """The first decision in a series that is looked at after every second."""
    for count in range(least_s, len(series) + 1):
        found = sample(series[:count])
        if found is not None and (side := side_of_zero(found, ERROR)) is not None:
            return side
    return None


def autoregression(length: int, memory: float, random: np.random.Generator) -> list[float]:
    """A series of mean 0 and variance 1, each value of which remembers that share of the one before."""
    value, found = random.normal(), []
    for _ in range(length):
        found.append(float(value))
        value = memory * value + math.sqrt(1 - memory**2) * random.normal()
    return found


@pytest.mark.parametrize(("memory", "most"), [(0.0, ERROR), (0.3, ERROR), (0.6, 0.15)])
def test_at_the_limit_it_decides_as_rarely_as_it_says_however_often_it_is_asked(memory: float, most: float) -> None:
    # The last is what the docstring owns up to: a step of this length cannot know how much a queue remembers.
    random = np.random.default_rng(1)
    wrong = sum(decided(autoregression(35, memory, random)) is not None for _ in range(200))
    assert wrong / 200 <= most + 2 * math.sqrt(most * (1 - most) / 200)


@pytest.mark.parametrize(("mean", "side"), [(-1.5, "below"), (1.5, "above")])
def test_away_from_the_limit_it_decides_rightly_and_nearly_always(mean: float, side: str) -> None:
    random = np.random.default_rng(2)
    found = [decided([value + mean for value in autoregression(40, 0.3, random)]) for _ in range(100)]
    assert found.count(side) >= 95


def test_a_series_that_remembers_counts_for_fewer() -> None:
    random = np.random.default_rng(3)
    counts = [
        np.mean([found.count for _ in range(200) if (found := sample(autoregression(16, memory, random)))])
        for memory in (0.0, 0.5, 0.8)
    ]
    assert counts[0] > counts[1] > counts[2]


def test_quiet_seconds_are_not_taken_for_certainty() -> None:
    assert sample([-1.0] * 8, least_variance=9.0) == Sample(mean=-1.0, variance=9.0, count=8.0)


def test_fewer_than_four_seconds_say_nothing() -> None:
    assert sample([1.0, 1.0, 1.0]) is None


@pytest.mark.parametrize(
    ("probability", "degrees", "exact"),
    [(0.975, 5, 2.5706), (0.975, 10, 2.2281), (0.975, 30, 2.0423), (0.99, 5, 3.3649), (0.975, 3, 3.1824)],
)
def test_quantiles_of_student_are_those_of_the_tables(probability: float, degrees: float, exact: float) -> None:
    assert t_quantile(probability, degrees) == pytest.approx(exact, rel=0.01)


def test_a_rising_line_grows_and_a_level_one_or_a_short_one_does_not() -> None:
    random = np.random.default_rng(4)
    noise = [0.1 * value for value in autoregression(30, 0.3, random)]
    assert grows([1 + place / 10 + value for place, value in enumerate(noise)])
    assert not grows([1 + value for value in noise])
    assert not grows([1.0, 2.0, 3.0, 4.0, 5.0])


def test_a_steady_queue_is_rarely_thought_to_grow() -> None:
    random = np.random.default_rng(5)
    wrong = sum(grows([math.exp(value) for value in autoregression(30, 0.6, random)]) for _ in range(300))
    assert wrong / 300 <= 0.05


def logistic(level: float, slope: float) -> Callable[[float], float]:
    return lambda place: 1 / (1 + math.exp(-level - slope * place))


def test_points_on_a_logistic_curve_give_where_it_meets_its_target() -> None:
    share = logistic(-3.0, 20.0)
    points = [Point(place, share(place), 10_000, 5.0, 5) for place in (-0.1, -0.02, 0.03, 0.06)]
    found = crossing(points, share(0.01), 0.95, logistic=True)
    assert found is not None
    assert found.place == pytest.approx(0.01)
    assert found.low < 0.01 < found.high


def test_fiellers_interval_covers_as_often_as_it_says() -> None:
    random, share, covered = np.random.default_rng(6), logistic(-3.0, 20.0), 0
    for _ in range(400):
        points = []
        for place in (-0.05, -0.02, 0.02, 0.05):
            bad = random.binomial(500, share(place), size=6)
            mean = bad.sum() / 3000
            scatter = float((((bad - 500 * mean) ** 2) / (500 * mean * (1 - mean))).sum())
            points.append(Point(place, float(mean), 3000, scatter, 5))
        found = crossing(points, share(0.0), 0.95, logistic=True)
        covered += found is not None and found.low <= 0.0 <= found.high
    assert 0.92 <= covered / 400 <= 0.99


def test_points_that_fall_have_no_crossing() -> None:
    assert crossing([Point(0.0, 2.0, 5, 1.0, 4), Point(1.0, 1.0, 5, 1.0, 4)], 1.5, 0.95, logistic=False) is None
