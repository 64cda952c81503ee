from random import Random

import pytest

from scenarios.think_times import Countdown, Exponential, Nearing, Pause, Uniform

REFRESHING = Uniform(1.0, 3.0)


def drawn(pause: Pause, count: int = 2000, until_s: float | None = None, scale: float = 1.0) -> list[float]:
    rng = Random(5)
    return [pause.draw_s(rng, scale, until_s) for _ in range(count)]


def test_a_uniform_pause_keeps_its_bounds_and_its_mean():
    pauses = drawn(REFRESHING)
    assert (min(pauses) >= 1.0, max(pauses) <= 3.0) == (True, True)
    assert sum(pauses) / len(pauses) == pytest.approx(2.0, rel=0.03)
    assert drawn(REFRESHING, 1, scale=0.1) == [pytest.approx(0.1 * pauses[0])]


def test_an_eager_shopper_looks_more_often_as_the_instant_nears():
    eager = Nearing(REFRESHING, least_s=0.3)
    assert drawn(eager) == drawn(REFRESHING)
    assert drawn(eager, until_s=60.0) == drawn(REFRESHING)
    assert set(drawn(eager, until_s=1.5)) == {0.75}
    assert set(drawn(eager, until_s=0.0)) == {0.3}


def test_a_countdown_ends_at_the_instant_give_or_take_a_little():
    countdown = Countdown(spread_s=0.3, otherwise=Uniform(0.1, 0.5))
    pauses = drawn(countdown, until_s=12.0)
    assert (min(pauses) >= 11.7, max(pauses) <= 12.3) == (True, True)
    assert (min(pauses) < 11.8, max(pauses) > 12.2) == (True, True)
    assert drawn(countdown, until_s=12.0, scale=0.1) == pauses  # an instant does not move
    assert min(drawn(countdown, until_s=0.1)) == 0.0
    assert max(drawn(countdown)) <= 0.5


def test_an_exponential_pause_knows_no_instant():
    assert drawn(Exponential(7.0, 70.0), until_s=1.0) == drawn(Exponential(7.0, 70.0))
