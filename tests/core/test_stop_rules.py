"""Rules that end a hopeless run, and what can no longer be met."""

import pytest

from loadgen.load import Load
from loadgen.objectives import Objective
from loadgen.out_of_reach import done_ratio, is_out_of_reach, most_requests
from loadgen.stop_rules import NEVER, StopJudge, StopRule, StopWhen, parse_stop_when
from loadgen.tally import Tally
from tests.core.seconds import second_of

HALF_FAILED = StopRule(Objective(("failed_ratio",), ">", 0.5), 6)


def test_a_rule_is_a_figure_a_limit_and_a_time() -> None:
    table = {"failed_ratio": "> 0.5 for 15s", "response_time_ms": {"all": {"p95": ">= 5000 for 1m"}}}
    found, problems = parse_stop_when({**table, "objective_out_of_reach": True})
    assert problems == []
    assert found == StopWhen(
        (
            StopRule(Objective(("failed_ratio",), ">", 0.5), 15),
            StopRule(Objective(("response_time_ms", "all", "p95"), ">=", 5000.0), 60),
        ),
        out_of_reach=True,
    )
    assert [str(rule) for rule in found.rules] == [
        "failed_ratio > 0.5 for 15s",
        "response_time_ms.all.p95 >= 5000 for 1m",
    ]


def test_without_rules_nothing_is_stopped() -> None:
    assert parse_stop_when({"objective_out_of_reach": False}) == (NEVER, [])
    assert not NEVER


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"failed_ratio": "> 0.5"}, "[stop_when] failed_ratio: '> 0.5' is not a rule; write \"> 0.5 for 15s\""),
        ({"failed_ratio": "much for 15s"}, "objective failed_ratio: 'much' is not a limit"),
        ({"failed_ratio": "> 0.5 for ever"}, "'ever' is not a time; write whole seconds from 1s to 1h"),
        ({"failed_ratio": "> 0.5 for 0s"}, "'0s' is not a time"),
        ({"tps": "> 0.5 for 15s"}, "objective tps is unknown"),
        ({"safety.alarm_count": "> 0 for 15s"}, "it is known of a whole run only, not in every 15s, so no rule can"),
        ({"sessions.abandoned_ratio": "> 0.9 for 15s"}, "how a session ends is known long after it began"),
        ({"objective_out_of_reach": 1}, "[stop_when] objective_out_of_reach is 1, but must be true or false"),
    ],
)
def test_what_is_no_rule_is_a_sentence(table: dict[str, object], problem: str) -> None:
    found, [told] = parse_stop_when(table)
    assert found == NEVER
    assert problem in told


def stopped_at(failed_of_10: list[int]) -> float | None:
    judge = StopJudge(HALF_FAILED)
    for second, failed in enumerate(failed_of_10):
        if stop := judge.see(second, second_of([5.0] * (10 - failed), failed)):
            assert stop.rule == "failed_ratio > 0.5 for 6s"
            return stop.after_s
    return None


@pytest.mark.parametrize(
    ("failed_of_10", "after_s"),
    [
        ([10] * 9, 6.0),  # not before the whole time has passed
        ([0, 10, 10, 10, 10, 10, 10], 6.0),  # 50 of 60
        ([10, 10, 10, 10, 0, 0, 0], None),  # it had recovered when the time was over
        ([10, 0] * 6, None),
        ([5] * 12, None),  # at the limit, not beyond it
    ],
)
def test_a_rule_holds_over_its_time_and_still_at_its_end(failed_of_10: list[int], after_s: float | None) -> None:
    assert stopped_at(failed_of_10) == after_s


def test_seconds_without_requests_stop_nothing() -> None:
    judge = StopJudge(HALF_FAILED)
    assert [judge.see(second, Tally()) for second in range(20)] == [None] * 20


def test_a_stop_says_why() -> None:
    judge = StopJudge(HALF_FAILED)
    stops = [judge.see(second, second_of([5.0], 9)) for second in range(6)]
    assert stops[:5] == [None] * 5
    assert stops[5] is not None
    assert stops[5].sentence == ("The run was stopped early, after 6 s: failed_ratio was 0.9 over 6 s, > 0.5.")


LOAD = Load(rate_per_s=10, duration_s=100, warmup_s=20)


@pytest.mark.parametrize(
    ("load", "now_s", "done"),
    [
        (LOAD, 10, 0.0),
        (LOAD, 60, 0.5),
        (LOAD, 120, 1.0),
        (Load(duration_s=100, profile=((0.0, 0.0), (1.0, 1.0))), 50, 0.25),  # a triangle's first half
        (Load(duration_s=100, profile=((0.0, 1.0), (0.5, 1.0), (0.5, 3.0), (1.0, 3.0))), 50, 0.25),
        (Load(arrivals="trace", trace=(1.0, 2.0, 3.0, 50.0), duration_s=100), 10, 0.75),
    ],
)
def test_how_much_of_a_load_had_come_follows_from_its_course(load: Load, now_s: float, done: float) -> None:
    assert done_ratio(load, now_s) == pytest.approx(done)


def test_as_many_requests_may_come_as_twice_the_course_lets_expect() -> None:
    assert most_requests(1000, 0.5) == 3000  # 1000 were, 1000 more are expected
    assert most_requests(1000, 1.0) == 1000
    assert most_requests(99, 0.5) == most_requests(1000, 0.09) == float("inf")


@pytest.mark.parametrize(
    ("failed", "lost"),
    [(29, False), (30, True)],  # of 3000 that can be, 1 % is 30
)
def test_a_ratio_is_lost_when_too_many_failed_for_all_that_can_come(failed: int, lost: bool) -> None:
    tally = second_of([5.0] * (1000 - failed), failed)
    assert is_out_of_reach(Objective(("failed_ratio",), "<", 0.01), tally, 0.5) is lost


@pytest.mark.parametrize(("slow", "lost"), [(150, False), (151, True)])
def test_a_percentile_is_lost_when_its_rank_lies_among_the_slow(slow: int, lost: bool) -> None:
    # p95 of 3000 is the 2850th; with 151 slow ones it is slow even if all others are quick.
    tally = second_of([5.0] * (1000 - slow) + [900.0] * slow)
    assert is_out_of_reach(Objective(("response_time_ms", "all", "p95"), "<", 500.0), tally, 0.5) is lost
    everything = second_of([5.0] * (3000 - slow) + [900.0] * slow)
    p95 = everything.latency("response_time_ms", "all").percentile_us(95)
    assert (p95 >= 500_000) is lost  # the same, once all of them have come


def test_a_highest_value_is_lost_with_the_first_beyond_it() -> None:
    objective = Objective(("response_time_ms", "all", "max"), "<", 500.0)
    assert is_out_of_reach(objective, second_of([5.0, 600.0]), 0.01)
    assert not is_out_of_reach(objective, second_of([5.0, 400.0]), 0.99)


def test_a_count_is_lost_when_it_is_exceeded_and_a_lower_limit_never() -> None:
    tally = Tally()
    tally.add_funnel({"dropped_count": 10})
    assert is_out_of_reach(Objective(("sessions", "dropped_count"), "<", 10), tally, 0.01)
    assert not is_out_of_reach(Objective(("sessions", "dropped_count"), "<=", 10), tally, 0.01)
    assert not is_out_of_reach(Objective(("goodput_per_s",), ">", 1e9), second_of([5.0] * 1000), 0.9)
