"""The integral of how many are there, by hand."""

from loadgen.occupancy import Occupancy


def test_time_spent_is_the_number_there_over_time() -> None:
    now = [10.0]
    occupancy = Occupancy(lambda: now[0])
    now[0] = 12.0
    assert occupancy.spent_s == 0.0  # nobody was there yet
    occupancy.enter()
    now[0] = 13.0
    occupancy.enter()
    now[0] = 15.5
    occupancy.leave()
    now[0] = 16.0
    occupancy.leave()
    now[0] = 99.0
    assert (occupancy.count, occupancy.spent_s) == (0, 1.0 + 2 * 2.5 + 0.5)


def test_who_is_still_there_has_spent_what_has_passed() -> None:
    now = [0.0]
    occupancy = Occupancy(lambda: now[0])
    occupancy.enter()
    now[0] = 3.0
    assert occupancy.spent_s == 3.0
    now[0] = 4.0
    assert occupancy.spent_s == 4.0
