"""What a capacity search does with shops of every kind: where it goes, when it stops, what it says."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadgen.errors import ConfigProblem
from lonjak.capacity.observation import Level, Second
from lonjak.capacity.search import Search, SearchPlan
from tests.capacity.scripted_shop import P95, bound_from, holding_until, second, walk
from tests.capacity.virtual_shop import Queue, VirtualShop

PLAN = SearchPlan((P95,), start_per_s=10.0, lowest_per_s=1.0, highest_per_s=1000.0)


@given(
    rates=st.lists(st.floats(0.5, 5000.0), min_size=3, max_size=3).map(sorted),
    limits_per_s=st.tuples(st.floats(0.1, 10_000.0), st.floats(0.1, 10_000.0)),
    settling_s=st.integers(0, 20),
    longest_s=st.integers(6, 60),
    budget_s=st.integers(26, 900),
)
def test_it_keeps_to_its_rates_and_its_budget_and_always_ends(
    rates: list[float], limits_per_s: tuple[float, float], settling_s: int, longest_s: int, budget_s: int
) -> None:
    capacity_per_s, ceiling_per_s = limits_per_s
    plan = SearchPlan(
        (P95,), rates[1], rates[0], rates[2], settling_s=settling_s, longest_s=longest_s, budget_s=budget_s
    )
    done = walk(plan, bound_from(ceiling_per_s, holding_until(capacity_per_s)))
    assert all(plan.lowest_per_s <= step.rate_per_s <= plan.highest_per_s for step in done.asked)
    assert done.told_s <= budget_s
    result = done.search.result
    assert sum(step.seconds for step in result.steps) <= done.told_s
    figures = [result.rate_per_s, result.low_per_s, result.high_per_s]
    assert all(value is None or math.isfinite(value) for value in figures)
    if result.finding == "found":
        assert result.low_per_s <= result.rate_per_s <= result.high_per_s
        assert result.low_per_s <= capacity_per_s <= result.high_per_s


def test_indices_ascend_and_every_step_but_the_draining_ones_has_a_result() -> None:
    done = walk(PLAN, holding_until(123.0))
    assert [step.index for step in done.asked] == list(range(len(done.asked)))
    assert [result.step for result in done.search.result.steps] == [step for step in done.asked if not step.drains]


def test_a_cliff_is_found_between_two_rates_that_are_the_resolution_apart_or_nearly() -> None:
    result = walk(PLAN, holding_until(123.0)).search.result
    assert result.finding == "found"
    assert result.low_per_s <= 123.0 <= result.high_per_s
    assert result.high_per_s / result.low_per_s <= 1 + 2.5 * PLAN.resolution_ratio


def test_both_sides_are_tested_again_at_the_edge() -> None:
    result = walk(PLAN, holding_until(123.0)).search.result
    edges = {step.outcome for step in result.steps if step.step.purpose == "edge"}
    assert edges == {"holds", "fails"}


def test_where_the_generator_gives_out_the_capacity_is_at_least_what_it_could_offer() -> None:
    done = walk(PLAN, bound_from(200.0, holding_until(500.0)))
    result = done.search.result
    assert (result.finding, result.high_per_s, result.beyond) == ("at least", None, "unseen")
    assert 180.0 < result.rate_per_s < 200.0
    assert result.rate_per_s == result.low_per_s
    assert "the generator was the limit in 3 of 3 s" in result.sentence


def test_after_a_step_that_the_generator_could_not_do_it_never_goes_as_high_again() -> None:
    rates = [step.rate_per_s for step in walk(PLAN, bound_from(200.0, holding_until(500.0))).asked]
    ceiling = math.inf
    for rate in rates:
        assert rate < ceiling
        ceiling = min(ceiling, rate) if rate >= 200.0 else ceiling


def test_a_backlog_is_drained_after_a_step_that_the_generator_could_not_do() -> None:
    done = walk(PLAN, bound_from(200.0, holding_until(500.0)))
    unknown = {result.step.index for result in done.search.result.steps if result.outcome == "unknown"}
    after = [step for step in done.asked if step.index - 1 in unknown]
    assert after
    assert all(step.drains for step in after)


def test_seconds_in_which_the_generator_was_the_limit_do_not_count() -> None:
    def shows(rate: float, elapsed: int) -> Second:
        spoilt = elapsed % 10 == 9
        return replace(second(rate, elapsed, 1.0 if spoilt else 0.0), generator_bound=spoilt)

    assert walk(PLAN, shows).search.result.rate_per_s == PLAN.highest_per_s


def test_fewer_sessions_than_were_meant_to_come_are_the_generators_limit_too() -> None:
    result = walk(PLAN, lambda rate, at: replace(second(rate, at), offered_per_s=min(rate, 60.0))).search.result
    assert result.finding == "at least"
    assert "the generator offered 60 of" in result.sentence


def test_a_shop_that_never_fails_holds_at_least_the_highest_rate_allowed() -> None:
    result = walk(PLAN, holding_until(math.inf)).search.result
    assert (result.finding, result.rate_per_s, result.low_per_s, result.high_per_s) == ("at least", 1000, 1000, None)
    assert result.sentence == "The shop holds at least 1000 sessions/s; no higher rate is allowed."
    assert [step.step.purpose for step in result.steps[-2:]] == ["bracket", "edge"]


def test_a_shop_that_fails_at_the_lowest_rate_is_below() -> None:
    result = walk(PLAN, holding_until(0.0)).search.result
    assert (result.finding, result.rate_per_s, result.low_per_s, result.high_per_s) == ("below", None, None, 1.0)
    assert "fails already at 1 sessions/s" in result.sentence


def test_a_shop_whose_response_times_only_ever_grow_is_unknown_and_why() -> None:
    result = walk(PLAN, lambda rate, at: replace(second(rate, at), response_time_s=0.01 * (1 + at))).search.result
    assert (result.finding, result.rate_per_s) == ("unknown", None)
    assert {step.outcome for step in result.steps} == {"unsteady"}
    assert "response times still grew" in result.sentence


def test_a_shop_that_is_bad_by_turns_whatever_the_rate_is_unknown_and_why() -> None:
    # Ten good seconds, ten of which a tenth is bad: the mean is the bound.
    result = walk(PLAN, lambda rate, at: second(rate, at, 0.1 if at // 10 % 2 else 0.0)).search.result
    assert "holds" not in {step.outcome for step in result.steps if step.step.purpose == "edge"}
    assert result.finding == "unknown"
    assert "p95 is open" in result.sentence


def test_warm_up_does_not_count() -> None:
    shows = holding_until(123.0)
    result = walk(PLAN, lambda rate, at: second(rate, at, 1.0) if at < 5 else shows(rate, at)).search.result
    assert result.low_per_s <= 123.0 <= result.high_per_s


@pytest.mark.parametrize(("goodput_ratio", "beyond"), [(0.5, "collapses"), (0.95, "holds")])
def test_beyond_the_capacity_a_shop_collapses_or_holds(goodput_ratio: float, beyond: str) -> None:
    shows = holding_until(123.0)

    def shown(rate: float, at: int) -> Second:
        goodput = 1230.0 * goodput_ratio if rate > 140.0 else min(10 * rate, 1230.0)
        return replace(shows(rate, at), goodput_per_s=goodput)

    result = walk(PLAN, shown).search.result
    assert result.beyond == beyond
    assert result.steps[-1].step.rate_per_s == pytest.approx(1.25 * result.rate_per_s)


def test_beyond_is_unseen_where_it_is_not_allowed() -> None:
    result = walk(replace(PLAN, highest_per_s=130.0), holding_until(123.0)).search.result
    assert (result.finding, result.beyond) == ("found", "unseen")


def test_an_overloaded_queue_is_drained_before_the_next_step_is_believed() -> None:
    shop, search = (
        VirtualShop(Queue(5, 0.01, exponential=False), 0.03, seed=3),
        Search(SearchPlan((P95,), start_per_s=250.0, lowest_per_s=1.0, highest_per_s=2000.0)),
    )
    elapsed_s, drained, first = 0, False, []
    while (step := search.step) is not None and not first:
        shown = shop.second(elapsed_s, step.rate_per_s)
        if drained and not step.drains:
            first.append(shown.response_time_s)
        drained = drained or step.drains
        elapsed_s = 0 if search.observe(shown) is not None else elapsed_s + 1
    # It had failed at 1000/s, twice what it can do; the next step's first second finds nobody waiting.
    assert first[0] < 0.02


def test_a_level_is_searched_like_a_share() -> None:
    level = Level("hit_ratio", ">", 0.4)
    plan = replace(PLAN, criteria=(level,))
    wobble = (0.004, -0.003, 0.001, -0.002, 0.0, 0.003, -0.003)

    def shows(rate: float, at: int) -> Second:
        return replace(second(rate, at), levels={level.name: 1 - rate / 1000 + wobble[at % 7]})

    result = walk(plan, shows).search.result
    assert result.finding == "found"
    assert result.low_per_s <= 600.0 <= result.high_per_s
    assert result.rate_per_s == pytest.approx(600.0, rel=0.03)


def test_of_two_objectives_the_first_to_give_out_is_the_capacity_and_is_named() -> None:
    strict = replace(P95, name="failed_ratio", bound=0.01)

    def shows(rate: float, at: int) -> Second:
        shares = {"p95": second(rate, at, 0.5 if rate > 300 else 0.0).shares["p95"]}
        return replace(
            second(rate, at),
            shares={**shares, "failed_ratio": second(rate, at, 0.5 if rate > 80 else 0.0).shares["p95"]},
        )

    result = walk(replace(PLAN, criteria=(P95, strict)), shows).search.result
    assert result.low_per_s <= 80.0 <= result.high_per_s
    assert {step.criterion for step in result.steps if step.outcome == "fails" and step.step.rate_per_s < 300} == {
        "failed_ratio"
    }


def test_before_the_first_step_has_ended_nothing_is_known() -> None:
    result = Search(PLAN).result
    assert (result.finding, result.steps, result.beyond) == ("unknown", (), "unseen")


def test_everything_that_is_wrong_with_a_plan_is_told_at_once() -> None:
    with pytest.raises(ConfigProblem) as told:
        SearchPlan((P95, P95), 0.0, 5.0, math.nan, resolution_ratio=0.9, confidence=1.0, shortest_s=1, budget_s=1)
    assert len(told.value.problems) == 6
