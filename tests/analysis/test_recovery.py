"""Recovery of planted outages: the seconds are exact."""

import pytest

from analysis.run import analyse
from tests.recorded_run import ordinary


def recovery(history, tmp_path):
    (fault,) = analyse(history.write(tmp_path)).recoveries
    return fault


def broken(at_s=25.25, ended_s=27.0):
    history = ordinary()
    history.event(at_s, "fault_started", fault="kill-worker", tier="shop", role="shop-1", pid=9)
    if ended_s is not None:
        history.event(ended_s, "fault_ended", fault="kill-worker", tier="shop", role="shop-1", pid=10)
    return history


def test_recovery_ends_with_the_last_bad_second(tmp_path):
    history = broken()
    history.outage(26, 31)
    fault = recovery(history, tmp_path)
    assert (fault.disturbed, fault.recovered_s) == (True, 31 - 25.25)
    assert fault.failed_count == 5 * 20
    assert fault.fault == "kill worker shop-1"
    assert fault.until_s == 31


def test_a_relapse_within_the_hold_postpones_recovery(tmp_path):
    history = broken()
    history.outage(26, 28)
    history.outage(33, 34)
    assert recovery(history, tmp_path).recovered_s == 34 - 25.25


def test_slow_answers_alone_are_a_disturbance(tmp_path):
    history = broken()
    for second in range(26, 29):
        history.ok_ms[second, "product"] = [900.0] * 20
    fault = recovery(history, tmp_path)
    assert fault.recovered_s == 29 - 25.25
    assert fault.p95_before_ms == pytest.approx(20, rel=1e-3)
    assert fault.p95_during_ms == pytest.approx(900, rel=1e-3)


def test_a_fault_that_no_shopper_noticed_takes_no_time(tmp_path):
    fault = recovery(broken(), tmp_path)
    assert (fault.disturbed, fault.recovered_s, fault.failed_count) == (False, 0.0, 0)
    assert fault.until_s == 27.0


def test_good_seconds_behind_the_end_of_a_fault_do_not_date_recovery_before_it(tmp_path):
    """The window from second 28 holds with its failures in seconds 28 and 29, and ends after the fault."""
    history = broken(at_s=25.25, ended_s=30.5)
    history.outage(26, 28)
    fault = recovery(history, tmp_path)
    assert (fault.disturbed, fault.recovered_s) == (True, 30.5 - 25.25)
    assert fault.sentence == "The objectives broke, and held again 5.2 s after it."
    assert fault.until_s == 30.5


def test_whole_windows_that_held_while_a_fault_lasted_date_recovery_before_its_end(tmp_path):
    for ended_s, recovered_s in ((33.0, 28 - 25.25), (32.75, 32.75 - 25.25)):
        history = broken(ended_s=ended_s)
        history.outage(26, 28)
        fault = recovery(history, tmp_path / str(ended_s))
        assert fault.recovered_s == recovered_s


def test_never_recovered_is_a_value(tmp_path):
    history = broken(ended_s=None)
    history.outage(26, 60)
    fault = recovery(history, tmp_path)
    assert (fault.disturbed, fault.recovered_s) == (True, None)
    assert fault.failed_count == (50 - 26) * 20


def test_what_breaks_long_after_a_fault_is_not_blamed_on_it(tmp_path):
    history = broken(at_s=15.0, ended_s=16.0)
    history.outage(40, 42)
    assert recovery(history, tmp_path).disturbed is False


def test_a_shop_that_failed_before_the_fault_cannot_recover_from_it(tmp_path):
    history = broken()
    history.outage(12, 34)
    fault = recovery(history, tmp_path)
    assert (fault.disturbed, fault.recovered_s) == (None, None)
    assert "before the fault" in fault.sentence


def test_without_objectives_recovery_cannot_be_dated(tmp_path):
    history = broken()
    history.objectives = None
    assert recovery(history, tmp_path).disturbed is None


def test_two_faults_are_judged_apart(tmp_path):
    history = broken(at_s=15.0, ended_s=16.0)
    history.event(30.0, "fault_started", fault="kill-worker", tier="shop", role="shop-2", pid=11)
    history.outage(16, 18)
    history.outage(30, 34)
    faults = analyse(history.write(tmp_path)).recoveries
    assert [fault.recovered_s for fault in faults] == [3.0, 4.0]
