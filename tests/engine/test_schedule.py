import statistics
from collections import Counter
from dataclasses import replace
from itertools import takewhile

import pytest

from loadgen.addresses import NETWORK, source_address
from loadgen.config import Load
from loadgen.errors import UsageProblem
from loadgen.pacing import constant_arrivals, poisson_arrivals
from loadgen.runclock import RunClock
from loadgen.schedule import NUMBERS_PER_CHANGE, Arrival, Schedule, Share, arrivals

LOAD = Load(rate_per_s=50.0, duration_s=20.0, seed=7)
CONSTANT = replace(LOAD, arrivals="constant", profile=((0.0, 0.2), (0.5, 1.0), (1.0, 1.0)))
TRACE = replace(LOAD, arrivals="trace", trace=(0.0, 0.5, 0.5, 1.25, 7.0, 19.999))
KINDS = pytest.mark.parametrize("load", [LOAD, CONSTANT, TRACE], ids=lambda load: load.arrivals)


def rest(schedule: Schedule) -> list[Arrival]:
    found = []
    while schedule.next is not None:
        found.append(schedule.next)
        schedule.advance()
    return found


def test_one_worker_takes_every_arrival_of_the_plan() -> None:
    whole = list(poisson_arrivals(LOAD.rate, 7))
    assert rest(Schedule(LOAD, Share())) == [Arrival(number, due_s) for number, due_s in enumerate(whole)]


def test_constant_arrivals_and_a_trace_are_taken_as_they_are() -> None:
    assert [one.due_s for one in rest(Schedule(CONSTANT, Share()))] == list(constant_arrivals(CONSTANT.rate))
    assert [one.due_s for one in rest(Schedule(TRACE, Share()))] == [0.0, 0.5, 0.5, 1.25, 7.0, 19.999]


@KINDS
@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_workers_together_make_the_plan_and_each_takes_every_nth(load: Load, count: int) -> None:
    whole = list(arrivals(load, Share()))
    parts = [rest(Schedule(load, Share(index, count))) for index in range(count)]
    assert sorted((one for part in parts for one in part), key=lambda one: one.number) == whole
    assert all(one.number % count == index for index, part in enumerate(parts) for one in part)


@pytest.mark.parametrize("load", [LOAD, CONSTANT], ids=lambda load: load.arrivals)
@pytest.mark.parametrize("count", [2, 3, 7])
def test_workers_together_make_the_plan_also_when_the_rate_has_changed(load: Load, count: int) -> None:
    def changed(share: Share) -> list[Arrival]:
        schedule = Schedule(load, share)
        schedule.set_rate(200.0, from_s=5.0)
        schedule.set_rate(20.0, from_s=12.5)
        return rest(schedule)

    parts = [changed(Share(index, count)) for index in range(count)]
    assert sorted((one for part in parts for one in part), key=lambda one: one.number) == changed(Share())


def test_the_same_seed_gives_the_same_instants_and_another_seed_others() -> None:
    again = list(arrivals(LOAD, Share()))
    assert again == list(arrivals(LOAD, Share()))
    assert again != list(arrivals(Load(rate_per_s=50.0, duration_s=20.0, seed=8), Share()))


def test_another_rate_redraws_the_rest_and_keeps_what_was_due() -> None:
    schedule = Schedule(LOAD, Share())
    before = list(takewhile(lambda one: one.due_s < 10, arrivals(LOAD, Share())))
    schedule.set_rate(500.0, from_s=10.0)
    all_of_it = rest(schedule)
    assert all_of_it[: len(before)] == before
    after = all_of_it[len(before) :]
    assert 4600 <= len(after) <= 5400  # 5000 expected; 5.6 standard deviations
    assert after[0].due_s >= 10
    assert after[0].number >= NUMBERS_PER_CHANGE
    assert len({one.number for one in all_of_it}) == len(all_of_it)


def test_a_rate_of_nothing_sends_nobody_until_the_next_change() -> None:
    schedule = Schedule(LOAD, Share())
    schedule.set_rate(0.0, from_s=0.0)
    assert schedule.next is None
    schedule.set_rate(50.0, from_s=5.0)
    assert schedule.next is not None


def test_constant_arrivals_go_on_evenly_from_a_change_of_the_rate() -> None:
    schedule = Schedule(Load(rate_per_s=1.0, duration_s=6.0, arrivals="constant"), Share())
    schedule.set_rate(2.0, from_s=4.0)
    assert [one.due_s for one in rest(schedule)] == [0.5, 1.5, 2.5, 3.5, 4.25, 4.75, 5.25, 5.75]


def test_a_late_change_costs_no_draws_of_the_time_before_it() -> None:
    schedule = Schedule(Load(rate_per_s=1.0, duration_s=600_000.0), Share())
    schedule.set_rate(0.0, from_s=0.0)
    schedule.set_rate(100_000.0, from_s=599_999.0)  # 60 thousand million arrivals lie before
    assert schedule.next is not None
    assert 599_999.0 <= schedule.next.due_s < 599_999.01


@pytest.mark.parametrize(
    ("load", "why"),
    [(TRACE, "a trace brings its own instants"), (Load(model="closed", users=3), "the closed model has no arrival")],
)
def test_a_load_without_a_rate_keeps_its_schedule_and_says_why(load: Load, why: str) -> None:
    schedule = Schedule(load, Share())
    first = schedule.next
    with pytest.raises(UsageProblem, match=f"the rate cannot become 5: {why}"):
        schedule.set_rate(5.0, from_s=1.0)
    assert schedule.next == first


def test_the_closed_model_schedules_nobody() -> None:
    assert rest(Schedule(Load(model="closed", users=3), Share())) == []


def test_the_run_clock_counts_from_the_masters_start() -> None:
    monotonic = [100.0]
    clock = RunClock(1000.0, offset_s=-3.0, now=lambda: 1002.0, monotonic=lambda: monotonic[0])
    assert (clock.elapsed_s, clock.second, clock.at) == (-1.0, 0, 999.0)
    monotonic[0] += 3.5
    assert (clock.elapsed_s, clock.second, clock.at, clock.instant(2.5)) == (2.5, 2, 1002.5, 103.5)


def test_addresses_are_shared_by_as_many_shoppers_as_asked() -> None:
    shoppers = Counter(source_address(number, 1, 2.5) for number in range(20_000))
    assert abs(statistics.mean(shoppers.values()) - 2.5) < 0.1
    assert len(set(shoppers.values())) > 8  # a distribution, not a constant
    assert all(address.startswith("127.") for address in shoppers)


def test_nobody_shares_an_address_when_one_shopper_is_behind_each() -> None:
    addresses = {source_address(number, 1, 1.0) for number in range(1000)}
    assert len(addresses) == 1000
    assert source_address(NETWORK.num_addresses * 9, 1, 1.0) != str(NETWORK[0])
