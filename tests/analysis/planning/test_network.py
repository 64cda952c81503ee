"""The queueing model beside textbooks, a recursion, an exact closed network, and a simulation."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.planning.network import Station, erlang_b, erlang_c
from tests.analysis.planning.exact_mva import exact_mva


def station(workers: int, offered: float, service_s: float = 1.0, visits: float = 1.0) -> Station:
    return Station("shop", workers, offered, service_s, visits)


def recursion(workers: int, offered: float) -> float:
    """Erlang's B formula server by server: ITU-T Recommendation E.501, B(c) = a B(c-1) / (c + a B(c-1))."""
    blocked = 1.0
    for number in range(1, workers + 1):
        blocked = offered * blocked / (number + offered * blocked)
    return blocked


def direct(workers: int, offered: float) -> float:
    """Erlang's C formula as it is written (Kleinrock, Queueing Systems I, 1975, equation 3.40)."""
    last = offered**workers / math.factorial(workers) * workers / (workers - offered)
    return last / (sum(offered**k / math.factorial(k) for k in range(workers)) + last)


@pytest.mark.parametrize("offered", [0.01, 0.5, 0.9, 0.999])
def test_with_one_worker_as_many_wait_as_it_is_busy(offered):
    """M/M/1: P(W > 0) = ρ, E(W) = ρ / (μ - λ), P(W > t) = ρ exp(-(μ - λ) t)."""
    one = station(1, offered, service_s=0.02)
    assert one.waits_ratio == pytest.approx(offered, rel=1e-12)
    assert one.mean_wait_s == pytest.approx(offered * 0.02 / (1 - offered), rel=1e-12)
    assert one.waits_longer_ratio(0.05) == pytest.approx(offered * math.exp(-(1 - offered) * 0.05 / 0.02), rel=1e-12)


def test_with_two_workers_the_closed_form_holds():
    """M/M/2: P(W > 0) = 2ρ² / (1 + ρ)."""
    for busy in (0.05, 0.5, 0.95):
        assert erlang_c(2, 2 * busy) == pytest.approx(2 * busy**2 / (1 + busy), rel=1e-12)


@pytest.mark.parametrize(("workers", "offered"), [(3, 0.2), (5, 4.0), (12, 11.5), (55, 48.0), (100, 70.0)])
def test_the_formula_as_it_is_written_gives_the_same(workers, offered):
    assert erlang_c(workers, offered) == pytest.approx(direct(workers, offered), rel=1e-9)


@pytest.mark.parametrize(("workers", "offered"), [(1000, 700.0), (1000, 999.0), (20_000, 14_000.0), (20_000, 19_990.0)])
def test_of_thousands_of_workers_the_recursion_gives_the_same(workers, offered):
    assert erlang_b(workers, offered) == pytest.approx(recursion(workers, offered), rel=1e-6, abs=1e-300)


def test_a_call_centre_of_55_agents_under_48_erlangs():
    """The usual textbook's: 360 calls in half an hour of 4 minutes each; 24 % wait, 8.2 s on average."""
    centre = station(55, 48.0, service_s=240.0)
    assert centre.waits_ratio == pytest.approx(0.239, abs=0.0005)
    assert centre.mean_wait_s == pytest.approx(8.2, abs=0.05)


def test_nobody_waits_where_nobody_comes_and_everybody_where_it_is_full():
    assert (station(3, 0.0, 0.0).waits_ratio, station(3, 0.0, 0.0).mean_wait_s) == (0.0, 0.0)
    assert station(3, 0.0, 0.0).waits_longer_ratio(0.0) == 0.0
    full = station(3, 3.0)
    assert (full.waits_ratio, full.mean_wait_s, full.waits_longer_ratio(1e9)) == (1.0, math.inf, 1.0)


@given(st.integers(1, 400), st.floats(0.01, 0.99), st.floats(1.0, 1.5))
def test_more_load_waits_more_and_more_workers_wait_less(workers, busy, times):
    offered = workers * busy
    assert erlang_c(workers, min(workers, offered * times)) >= erlang_c(workers, offered) * (1 - 1e-9)
    assert erlang_c(workers + 1, offered) <= erlang_c(workers, offered) * (1 + 1e-9)


def test_millions_of_erlangs_are_answered():
    assert erlang_c(1_000_000, 700_000.0) == 0.0
    assert 0.1 < erlang_c(1_001_000, 1_000_000.0) < 0.3  # Halfin and Whitt, 1981: 0.22 where c = a + sqrt(a)


def test_the_oracle_gives_the_textbooks_closed_network():
    """R. Jain, The Art of Computer Systems Performance Analysis, 1991, table 34.1: 2, 3 and 1 s, 4 s of thought."""
    stations = [(1, 2.0), (1, 3.0), (1, 1.0)]
    solved = {users: exact_mva(stations, 4.0, users) for users in (1, 2, 3, 5, 20)}
    assert {users: round(one.response_s, 3) for users, one in solved.items()} == {
        1: 6.0, 2: 7.4, 3: 9.088, 5: 13.256, 20: 56.016
    }  # fmt: skip
    assert {users: round(one.throughput, 3) for users, one in solved.items()} == {
        1: 0.1, 2: 0.175, 3: 0.229, 5: 0.290, 20: 0.333
    }  # fmt: skip


@pytest.mark.parametrize(("repairmen", "machines"), [(1, 6), (2, 6), (3, 10)])
def test_the_oracle_gives_the_machine_repairman(repairmen, machines):
    """M/M/c//N by its balance equations (Kleinrock, Queueing Systems I, 1975): births (N - k)λ, deaths min(k, c)μ."""
    think_s, service_s = 5.0, 2.0
    weights = [1.0]
    for down in range(machines):
        weights.append(weights[-1] * (machines - down) / think_s * service_s / min(down + 1, repairmen))
    busy = sum(min(down, repairmen) * weight for down, weight in enumerate(weights)) / sum(weights)
    assert exact_mva([(repairmen, service_s)], think_s, machines).throughput == pytest.approx(
        busy / service_s, rel=1e-9
    )


@pytest.mark.parametrize("busy", [0.3, 0.7])
def test_a_closed_network_of_very_many_users_waits_as_the_open_one(busy):
    """With N users who think N / λ the arrivals become Poisson as N grows, and every station an M/M/c of its own."""
    tiers = [(1, 0.004), (3, 0.020), (2, 0.009)]
    rate_per_s = busy * min(servers / service_s for servers, service_s in tiers)
    solved = exact_mva(tiers, 4000 / rate_per_s, 4000)
    for (servers, service_s), time_s in zip(tiers, solved.station_s, strict=True):
        open_one = station(servers, solved.throughput * service_s, service_s)
        assert open_one.mean_wait_s + service_s == pytest.approx(time_s, rel=0.003)
