"""The oracle of the capacity search against closed forms for one server, published values, and long simulations."""

import math
from statistics import fmean, stdev

import numpy as np
import pytest

from tests.capacity.queue_theory import capacity_per_s, constant_tail, customers, erlang_c, exponential_tail
from tests.capacity.virtual_shop import Queue, VirtualShop


def test_with_one_server_an_arrival_waits_as_often_as_the_server_is_busy() -> None:
    assert erlang_c(1, 0.7) == pytest.approx(0.7)


def test_with_two_servers_it_waits_as_the_closed_form_says() -> None:
    # a² / (2 + a) for two servers: from the stationary distribution by hand.
    assert erlang_c(2, 1.0) == pytest.approx(1 / 3)


def test_response_times_of_one_exponential_server_are_exponential_with_the_spare_rate() -> None:
    assert exponential_tail(1, 0.01, 80.0, 0.1) == pytest.approx(math.exp(-(100 - 80) * 0.1))


def test_the_capacity_of_one_exponential_server_is_its_rate_less_the_logarithm_of_twenty_over_the_limit() -> None:
    found = capacity_per_s(lambda rate: exponential_tail(1, 0.001, rate, 0.02), 1000.0)
    assert found == pytest.approx(1000 - math.log(20) / 0.02, rel=1e-5)


@pytest.mark.parametrize("wait_in_services", [0.0, 0.4, 0.99])
def test_short_waits_before_one_constant_server_are_those_of_erlang(wait_in_services: float) -> None:
    # P(W <= x) = (1 - ρ) exp(λx) for x up to one service (A. K. Erlang, 1909).
    rate, service_s = 80.0, 0.01
    at_most = 1 - constant_tail(1, service_s, rate, service_s * (1 + wait_in_services))
    assert at_most == pytest.approx(0.2 * math.exp(rate * service_s * wait_in_services), abs=1e-9)


def test_the_customers_of_one_constant_server_are_those_of_the_closed_form() -> None:
    # p0 = 1 - ρ, p1 = (1 - ρ)(e^ρ - 1); the mean is Pollaczek's and Khinchine's.
    found = customers(1, 0.7, 10)
    assert found[:2] == pytest.approx([0.3, 0.3 * (math.exp(0.7) - 1)])
    assert float(np.dot(np.arange(len(found)), found)) == pytest.approx(0.7 + 0.49 / (2 * 0.3))


@pytest.mark.parametrize("exponential", [True, False])
def test_theory_and_a_long_simulation_of_every_arrival_agree(exponential: bool) -> None:
    queue, rate, limit_s = Queue(6, 0.008, exponential), 560.0, 0.032 if exponential else 0.016
    shop, blocks = VirtualShop(queue, limit_s, seed=5), []
    for _ in range(40):
        responses = [response for _ in range(15) for response in shop.responses(rate)]
        blocks.append(sum(response > limit_s for response in responses) / len(responses))
    mean, error = fmean(blocks), stdev(blocks) / math.sqrt(len(blocks))
    assert error < 0.05 * mean
    tail = exponential_tail if exponential else constant_tail
    assert abs(mean - tail(queue.servers, queue.service_s, rate, limit_s)) < 3 * error
