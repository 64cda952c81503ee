"""Seconds of a running run, from files that grow: by when requests began, late enough, none lost and none twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadgen.objectives import parse_objectives
from loadgen.rundir import RunDirectory
from lonjak.capacity.criteria import criteria_of
from lonjak.capacity.seconds import Observed, RateChange, RunningSeconds
from tests.capacity.growing_run import STARTED_AT, GrowingRun

P95, FAILED, ABANDONED = "response_time_ms.all.p95 < 300", "failed_ratio < 0.01", "sessions.abandoned_ratio < 0.02"


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[GrowingRun]:
    run = GrowingRun(tmp_path)
    yield run
    run.close()


def follow(growing: GrowingRun, **more: str) -> RunningSeconds:
    table = {"response_time_ms.all.p95": "< 300", "failed_ratio": "< 0.01", "sessions.abandoned_ratio": "< 0.02"}
    objectives, problems = parse_objectives(table | more)
    assert not problems
    return RunningSeconds(growing.run, criteria_of(objectives))


def beats(growing: GrowingRun, until_s: int) -> None:
    for second in range(until_s):
        growing.beat(second)
    growing.flush()


def told(seconds: RunningSeconds) -> list[Observed]:
    return list(seconds.new())


def test_a_second_is_told_once_when_what_began_in_it_may_have_ended(growing: GrowingRun) -> None:
    seconds = follow(growing)
    beats(growing, 3)
    assert [each.second.elapsed_s for each in told(seconds)] == [0]  # 1 may go on into 2, which may still be written
    assert told(seconds) == []
    growing.beat(3)
    growing.flush()
    assert [each.second.elapsed_s for each in told(seconds)] == [1]


def test_a_slow_limit_is_waited_for(growing: GrowingRun) -> None:
    seconds = follow(growing, **{"response_time_ms.search.p99": "< 2500"})
    beats(growing, 5)
    assert [each.second.elapsed_s for each in told(seconds)] == [0]


def test_nothing_is_told_before_the_files_are_there(tmp_path: Path) -> None:
    objectives, _ = parse_objectives({"failed_ratio": "< 0.01"})
    assert told(RunningSeconds(RunDirectory(tmp_path), criteria_of(objectives))) == []


def test_a_torn_line_is_read_when_it_is_whole(growing: GrowingRun) -> None:
    seconds = follow(growing)
    growing.requests(0, "response_time/product/ok", [10])
    beats(growing, 4)
    whole = growing.run.hlog.read_bytes()
    growing.run.hlog.write_bytes(whole[:-7])
    first = told(seconds)
    growing.run.hlog.write_bytes(whole)
    assert [each.second.elapsed_s for each in first + told(seconds)] == [0, 1]
    assert first[0].second.goodput_per_s == 1


def test_bad_and_all_requests_are_those_of_the_objective(growing: GrowingRun) -> None:
    growing.requests(0, "response_time/product/ok", [10, 20, 400])
    growing.requests(0, "response_time/cart/failed", [5])
    growing.requests(0, "response_time/probe/ok", [900])
    growing.requests(0, "service_time/product/ok", [400, 400, 400])
    beats(growing, 3)
    [observed] = told(follow(growing))
    assert observed.second.shares == {P95: (1, 3), FAILED: (1, 4), ABANDONED: (0, 0)}
    assert observed.second.goodput_per_s == 3
    assert observed.second.response_time_s == pytest.approx((10 + 20 + 400) / 3 / 1000, rel=1e-3)
    assert observed.response_times.count == 3


def test_a_request_counts_in_the_second_in_which_it_began(growing: GrowingRun) -> None:
    growing.requests(2, "response_time/product/ok", [1000, 100])  # one began in the middle of 1
    beats(growing, 6)
    seconds = follow(growing, **{"response_time_ms.search.p99": "< 2000"})
    shares = {each.second.elapsed_s: each.second.shares[P95] for each in told(seconds)}
    assert shares == {0: (0, 0), 1: (1, 1), 2: (0, 1)}


def test_a_request_that_ends_after_its_second_was_told_is_not_lost(growing: GrowingRun) -> None:
    seconds = follow(growing)
    beats(growing, 4)
    assert [each.second.elapsed_s for each in told(seconds)] == [0, 1]
    growing.requests(4, "response_time/product/ok", [4000])
    growing.beat(4)
    growing.flush()
    [observed] = told(seconds)
    assert (observed.second.elapsed_s, observed.second.shares[P95]) == (2, (1, 1))


def test_requests_of_another_rate_are_forgotten(growing: GrowingRun) -> None:
    seconds = follow(growing)
    beats(growing, 4)
    told(seconds)
    seconds.forget_before(4)
    growing.requests(4, "response_time/product/ok", [3000, 10])
    for second in (4, 5, 6):
        growing.beat(second)
    growing.flush()
    [observed] = told(seconds)
    assert (observed.second.elapsed_s, observed.second.shares[P95]) == (4, (0, 1))


def test_sessions_that_arrived_are_what_was_offered_those_without_room_too(growing: GrowingRun) -> None:
    growing.sessions(0, arrived_count=200, dropped_count=1)
    growing.sessions(0, arrived_count=3)
    beats(growing, 3)
    [observed] = told(follow(growing))
    assert (observed.second.offered_per_s, observed.second.generator_bound) == (204, False)


def test_sessions_that_find_no_room_make_the_generator_the_limit(growing: GrowingRun) -> None:
    growing.sessions(0, arrived_count=98, dropped_count=2)
    beats(growing, 3)
    [observed] = told(follow(growing))
    assert observed.second.generator_bound


def test_sessions_count_as_abandoned_in_the_second_in_which_they_ended(growing: GrowingRun) -> None:
    seconds = follow(growing)
    beats(growing, 2)
    told(seconds)
    growing.beat(2)
    growing.sessions(0, finished_count=7, abandoned_count=1)
    for second in (3, 4):
        growing.beat(second)
    growing.flush()
    shares = {each.second.elapsed_s: each.second.shares[ABANDONED] for each in told(seconds)}
    assert shares == {0: (0, 0), 1: (0, 0), 2: (0, 0)}
    beats(growing, 1)
    for second in (5, 6):
        growing.beat(second)
    growing.flush()
    assert [each.second.shares[ABANDONED] for each in told(seconds)] == [(0, 0), (1, 8)]
    assert seconds.usual_stay_s(0.9) == 4


def test_a_level_is_a_quotient_of_the_second_and_absent_where_nothing_was_asked(growing: GrowingRun) -> None:
    growing.counted(0, "product", request_count=5, cacheable_count=4, cacheable_hit_count=3)
    growing.counted(0, "probe", request_count=5, cacheable_count=50, cacheable_hit_count=0)
    beats(growing, 4)
    first, second = told(follow(growing, **{"cache.request_hit_ratio": ">= 0.7"}))
    assert first.second.levels == {"cache.request_hit_ratio >= 0.7": 0.75}
    assert second.second.levels == {}


@pytest.mark.parametrize(("role", "bound"), [("worker-1", True), ("master", False)])
def test_a_worker_above_nine_tenths_of_a_core_is_the_limit(growing: GrowingRun, role: str, *, bound: bool) -> None:
    growing.used(0, role, 0.95)
    beats(growing, 3)
    [observed] = told(follow(growing))
    assert observed.second.generator_bound is bound


def test_a_loop_that_stood_still_spoils_the_seconds_before_too(growing: GrowingRun) -> None:
    growing.beat(0)
    growing.beat(2, lag_ms=1500)
    growing.beat(5)
    growing.flush()
    bound = {each.second.elapsed_s: each.second.generator_bound for each in told(follow(growing))}
    assert bound == {0: False, 1: True, 2: True, 3: False}


def test_a_lost_worker_spoils_every_second_until_it_is_back(growing: GrowingRun) -> None:
    seconds = follow(growing)
    growing.event(1, "worker_lost", worker="worker-1")
    beats(growing, 3)
    assert [each.second.generator_bound for each in told(seconds)] == [True]
    growing.event(3, "worker_returned", worker="worker-1")
    growing.beat(3)
    growing.flush()
    assert [each.second.generator_bound for each in told(seconds)] == [False]


def test_rates_that_the_run_obeyed_are_known(growing: GrowingRun) -> None:
    seconds = follow(growing)
    growing.event(2.25, "control", set_rate=12)
    growing.event(2.5, "control", phase="step 1")
    told(seconds)
    assert seconds.rates == [RateChange(STARTED_AT + 2.25, 12.0)]
