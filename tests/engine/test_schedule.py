import statistics
from collections import Counter
from itertools import takewhile

from loadgen.addresses import NETWORK, source_address
from loadgen.config import Load
from loadgen.pacing import poisson_arrivals
from loadgen.runclock import RunClock
from loadgen.schedule import NUMBERS_PER_CHANGE, Arrival, Schedule, Share, arrivals

LOAD = Load(rate_per_s=50.0, duration_s=20.0, seed=7)


def rest(schedule: Schedule) -> list[Arrival]:
    found = []
    while schedule.next is not None:
        found.append(schedule.next)
        schedule.advance()
    return found


def test_one_worker_takes_every_arrival_of_the_plan() -> None:
    whole = list(poisson_arrivals(LOAD.rate, 7))
    assert rest(Schedule(LOAD, Share())) == [Arrival(number, due_s) for number, due_s in enumerate(whole)]


def test_three_workers_together_make_the_plan() -> None:
    parts = [list(arrivals(LOAD, Share(index, 3))) for index in range(3)]
    assert sorted((one.number, one.due_s) for part in parts for one in part) == [
        (one.number, one.due_s) for one in arrivals(LOAD, Share())
    ]


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
