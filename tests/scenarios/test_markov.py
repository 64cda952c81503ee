import pytest

from scenarios.markov import expected_visits, reach_ratio, solve, stationary


def test_two_states_share_time_by_their_rates():
    # Textbook two-state chain: the share of a is q / (p + q).
    chain = {"a": {"a": 0.7, "b": 0.3}, "b": {"a": 0.6, "b": 0.4}}
    assert stationary(chain) == pytest.approx({"a": 2 / 3, "b": 1 / 3})


def test_gamblers_ruin_is_fair():
    # From capital 1 of 4 in a fair game the goal is reached with probability 1/4 and the game lasts 1 * 3 rounds.
    chain = {"1": {"2": 0.5}, "2": {"1": 0.5, "3": 0.5}, "3": {"2": 0.5, "goal": 0.5}}
    start = {"1": 1.0}
    assert reach_ratio(chain | {"goal": {}}, start, {"goal"}) == pytest.approx(0.25)
    assert sum(expected_visits(chain, start).values()) == pytest.approx(3.0)


def test_a_geometric_stay_lasts_its_mean():
    assert expected_visits({"page": {"page": 0.75}}, {"page": 1.0}) == {"page": pytest.approx(4.0)}


def test_a_target_among_the_first_states_is_reached_at_once():
    assert reach_ratio({"a": {"b": 0.5}, "b": {}}, {"a": 0.5, "b": 0.5}, {"b"}) == pytest.approx(0.75)


def test_solve_exchanges_rows_where_a_pivot_is_zero():
    assert solve([[0.0, 2.0], [3.0, 1.0]], [4.0, 5.0]) == pytest.approx([1.0, 2.0])


def test_a_state_that_never_leads_out_is_refused():
    with pytest.raises(ValueError, match="no unique solution"):
        expected_visits({"trap": {"trap": 1.0}}, {"trap": 1.0})
