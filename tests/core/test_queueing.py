"""The two ways to a freezing server's response times against hand-made histories, each other, and queueing theory."""

import random
from itertools import accumulate
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lonjak.bench.queueing import ConstantArrivals, Freeze, percentile, response_times_s

NEVER = Freeze(float("inf"), 0.0)


def constant(rate_per_s: float, duration_s: float) -> list[float]:
    return [number / rate_per_s for number in range(round(rate_per_s * duration_s))]


def test_who_finds_the_server_free_is_served_at_once_and_who_does_not_waits_its_turn() -> None:
    assert response_times_s([0.0, 1.0, 5.0], 2.0, NEVER) == [2.0, 3.0, 2.0]


def test_a_freeze_holds_up_what_is_being_done_who_comes_meanwhile_and_who_comes_after_them() -> None:
    # Begun at 9, half done at 10, then frozen until 15: leaves at 16. The next leave at 18, 20 and 22; the last finds
    # nobody before it.
    arrivals = [9.0, 11.0, 14.0, 17.0, 30.0]
    assert response_times_s(arrivals, 2.0, Freeze(10.0, 5.0)) == [7.0, 7.0, 6.0, 5.0, 2.0]


def test_who_leaves_as_the_freeze_begins_is_not_held_up() -> None:
    assert response_times_s([8.0, 10.0], 2.0, Freeze(10.0, 5.0)) == [2.0, 7.0]


def test_percentiles_are_those_of_the_recorded_histograms() -> None:
    values = [float(number) for number in range(1000, 0, -1)]
    assert [percentile(values, percent) for percent in (50.0, 90.0, 99.0, 99.9, 100.0)] == [500, 900, 990, 999, 1000]
    assert percentile([3.0], 0.1) == 3.0


def test_a_freeze_of_two_seconds_at_half_a_thousand_a_second_shows_in_p99() -> None:
    queue = ConstantArrivals(rate_per_s=500.0, service_s=0.0002, freeze_s=2.0, duration_s=20.0)
    assert queue.utilisation_ratio == pytest.approx(0.1)
    assert queue.drain_s == pytest.approx(2 / 9)
    assert queue.hit_ratio == pytest.approx(1 / 9)
    # One arrival in a hundred comes in the first 0.2 s of the freeze; who comes at its end has let 100 requests before.
    assert queue.percentile_s(99.0) == pytest.approx(2.0 - 0.2 + 100 * 0.0002 + 0.0002)
    assert queue.percentile_s(50.0) == 0.0002
    assert queue.percentile_s(100.0) == pytest.approx(2.0002)


@given(
    rate_per_s=st.floats(50.0, 1000.0),
    utilisation_ratio=st.floats(0.05, 0.8),
    freeze_s=st.floats(0.05, 2.0),
    phase_ratio=st.floats(0.0, 1.0, exclude_max=True),
    percent=st.sampled_from([50.0, 90.0, 99.0, 99.9]),
)
def test_recursion_and_closed_form_agree_to_the_distance_of_two_arrivals(
    rate_per_s: float, utilisation_ratio: float, freeze_s: float, phase_ratio: float, percent: float
) -> None:
    service_s, duration_s = utilisation_ratio / rate_per_s, 12 * freeze_s
    freeze = Freeze(3 * freeze_s + phase_ratio / rate_per_s, freeze_s)
    exact = percentile(response_times_s(constant(rate_per_s, duration_s), service_s, freeze), percent)
    fluid = ConstantArrivals(rate_per_s, service_s, freeze_s, duration_s).percentile_s(percent)
    assert abs(exact - fluid) <= 2 / rate_per_s + service_s


def test_the_mean_of_the_recursion_is_the_area_of_the_triangle() -> None:
    queue = ConstantArrivals(rate_per_s=1000.0, service_s=0.0002, freeze_s=0.2, duration_s=10.0)
    exact = response_times_s(constant(1000.0, 10.0), 0.0002, Freeze(3.0005, 0.2))
    assert fmean(exact) == pytest.approx(queue.mean_s, rel=0.005)


def test_without_a_freeze_random_arrivals_wait_as_pollaczek_and_khinchine_say() -> None:
    draw = random.Random(11)
    arrivals = list(accumulate(draw.expovariate(600.0) for _ in range(400_000)))
    waits = [response_s - 0.001 for response_s in response_times_s(arrivals, 0.001, NEVER)]
    # M/D/1: the mean wait is ρ / (2 (1 - ρ)) of the service time.
    assert fmean(waits) == pytest.approx(0.6 / (2 * 0.4) * 0.001, rel=0.03)


def test_users_in_a_loop_put_as_many_requests_into_a_freeze_as_there_are_users() -> None:
    # Each of 20 users asks every 20 ms, but only once its last answer is there: coordinated omission by arithmetic.
    freeze, service_s, found = Freeze(3.0, 2.0), 0.0002, []
    due = [number * 0.001 for number in range(20)]
    free_s = 0.0
    while (due_s := min(due)) < 20.0:
        free_s = freeze.done_s(max(due_s, free_s), service_s)
        found.append(free_s - due_s)
        due[due.index(due_s)] = max(due_s + 0.020, free_s)
    assert sum(response_s > 0.05 for response_s in found) == 20
    assert percentile(found, 99.0) < 0.005
    arrived = response_times_s(constant(1000.0, 20.0), service_s, freeze)
    assert percentile(arrived, 99.0) == pytest.approx(2.0 - 0.2 * 0.8, rel=0.01)
