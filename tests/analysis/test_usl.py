"""The Universal Scalability Law, against measurements made from known parameters."""

import numpy as np
import pytest

from analysis.usl import NotIdentifiable, Usl, fit

LOADS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
LAMBDA, SIGMA, KAPPA = 25.0, 0.04, 0.0004


def throughput(loads, of_one=LAMBDA, sigma=SIGMA, kappa=KAPPA):
    n = np.asarray(loads, dtype=float)
    return of_one * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))


def noisy(loads, *, ratio, seed, repeats=3, **parameters):
    """Each load measured several times, each with an error of its own."""
    n = np.repeat(np.asarray(loads, dtype=float), repeats)
    return n, throughput(n, **parameters) * (1 + ratio * np.random.default_rng(seed).standard_normal(len(n)))


def test_what_was_planted_without_noise_is_what_is_found():
    found = fit(LOADS, throughput(LOADS))
    assert isinstance(found, Usl)
    parameters = (found.throughput_of_one, found.contention, found.coherence)
    assert [one.value for one in parameters] == pytest.approx([LAMBDA, SIGMA, KAPPA], rel=1e-6)
    assert found.peak_load == pytest.approx(((1 - SIGMA) / KAPPA) ** 0.5, rel=1e-6)  # Gunther, eq. for N*
    assert found.held_out_ratio == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_planted_parameters_are_recovered_within_a_twentieth_from_noisy_measurements(seed):
    found = fit(*noisy(LOADS, ratio=0.02, seed=seed, repeats=10))
    assert isinstance(found, Usl)
    assert found.throughput_of_one.value == pytest.approx(LAMBDA, rel=0.05)
    assert found.contention.value == pytest.approx(SIGMA, rel=0.05)
    assert found.coherence.value == pytest.approx(KAPPA, rel=0.05)


def test_intervals_hold_what_was_planted_in_most_of_forty_fits():
    held = [0, 0, 0]
    for seed in range(40):
        found = fit(*noisy(LOADS, ratio=0.03, seed=100 + seed, repeats=2))
        assert isinstance(found, Usl)
        parameters = (found.throughput_of_one, found.contention, found.coherence)
        for position, (one, planted) in enumerate(zip(parameters, (LAMBDA, SIGMA, KAPPA), strict=True)):
            held[position] += one.low <= planted <= one.high
    assert min(held) >= 33  # of 40; nineteen in twenty would be 38, and the intervals are asymptotic


@pytest.mark.parametrize("ratio", [0.0, 0.03])
def test_purely_linear_measurements_are_refused(ratio):
    found = fit(*noisy(range(1, 30), ratio=ratio, seed=3, sigma=0.0, kappa=0.0))
    assert isinstance(found, NotIdentifiable)
    assert "all loads lie below saturation" in found.sentence


def test_loads_that_end_before_the_bend_are_refused():
    found = fit(*noisy(range(1, 9), ratio=0.01, seed=1, sigma=0.005, kappa=0.00001))
    assert isinstance(found, NotIdentifiable)


def test_few_loads_are_refused_however_often_each_was_measured():
    found = fit(*noisy((1, 8, 64), ratio=0.01, seed=1, repeats=20))
    assert isinstance(found, NotIdentifiable)
    assert found.sentence.startswith("Scalability cannot be told from 3 different loads")


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_throughput_that_is_none_is_refused(bad):
    measured = throughput(LOADS)
    measured[3] = bad
    assert isinstance(fit(LOADS, measured), NotIdentifiable)


def test_lists_of_different_lengths_are_the_callers_mistake():
    with pytest.raises(ValueError, match="3 loads and 2 throughputs"):
        fit((1, 2, 3), (1, 2))


def test_without_a_cost_of_coherence_throughput_levels_off_at_lambda_by_sigma():
    found = fit(LOADS, throughput(LOADS, kappa=0.0))
    assert isinstance(found, Usl)
    assert found.coherence.value == pytest.approx(0.0, abs=1e-9)
    assert found.peak_throughput == pytest.approx(LAMBDA / SIGMA, rel=0.01)


def test_top_loads_that_follow_another_law_show_in_the_error_of_what_was_held_out():
    measured = throughput(LOADS)
    measured[-3:] *= 0.5  # a cliff that the lower loads know nothing of
    found = fit(LOADS, measured)
    assert isinstance(found, Usl)
    assert found.held_out_ratio == pytest.approx(1.0, rel=0.01)
