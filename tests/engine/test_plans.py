"""What a run is to be, and how it is split over the workers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.config import Load, foreign_scenario
from loadgen.errors import UsageProblem
from loadgen.plans import Prepared, check_rate, most_sessions, split_evenly, users_of, with_users

CLOSED = Load(model="closed", users=7, rate_per_s=0.0)


def prepared(load: Load) -> Prepared:
    return Prepared(replace(foreign_scenario("x", None, 60.0, 1), load=load), ("http://127.0.0.1",), None)


@given(st.integers(0, 10**6), st.integers(1, 200))
def test_shares_add_up_and_differ_by_one_at_most(total: int, count: int) -> None:
    shares = split_evenly(total, count)
    assert (sum(shares), len(shares)) == (total, count)
    assert max(shares) - min(shares) <= 1
    assert list(shares) == sorted(shares, reverse=True)


@pytest.mark.parametrize(
    ("total", "count", "shares"), [(7, 3, (3, 2, 2)), (2, 3, (1, 1, 0)), (0, 2, (0, 0)), (5, 1, (5,))]
)
def test_shares(total: int, count: int, shares: tuple[int, ...]) -> None:
    assert split_evenly(total, count) == shares


def test_users_are_the_limit_of_shoppers_or_the_closed_models_own() -> None:
    assert (users_of(Load(session_cap=40)), users_of(CLOSED)) == (40, 7)
    assert (most_sessions(Load(session_cap=40)), most_sessions(CLOSED)) == (40, 7)
    assert most_sessions(replace(CLOSED, profile=((0.0, 0.5), (1.0, 1.5)))) == 11


def test_other_users_that_are_asked_for_stand_in_the_scenario() -> None:
    assert with_users(prepared(Load()), 9).scenario.load == Load(session_cap=9)
    assert with_users(prepared(CLOSED), 9).scenario.load == replace(CLOSED, users=9)
    assert with_users(prepared(CLOSED), 0).scenario.load == CLOSED


@pytest.mark.parametrize("users", [-1, 10**6 + 1])
def test_users_that_no_scenario_may_have_are_refused(users: int) -> None:
    with pytest.raises(UsageProblem, match=f"the number of users is {users}, but must be from 1 to 1000000"):
        with_users(prepared(Load()), users)


@pytest.mark.parametrize("rate_per_s", [-1.0, 1e9, float("inf"), float("nan")])
def test_a_running_load_is_not_given_a_rate_that_is_none(rate_per_s: float) -> None:
    with pytest.raises(UsageProblem, match="must be a number of sessions per second from 0 to 100000"):
        check_rate(Load(), rate_per_s)


@pytest.mark.parametrize("load", [CLOSED, Load(arrivals="trace", trace=(1.0,)), Load(model="locustfile")])
def test_a_load_without_a_rate_is_not_given_one(load: Load) -> None:
    with pytest.raises(UsageProblem, match=load.why_no_rate):
        check_rate(load, 5.0)
