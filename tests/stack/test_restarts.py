from reference_shop.stack.restarts import RestartPolicy


def test_the_first_restart_is_immediate_and_later_ones_wait_longer_up_to_five_seconds() -> None:
    policy = RestartPolicy()
    waits = [policy.wait_after(lived_s=0.1) for _ in range(9)]
    assert waits == [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, None]


def test_a_process_that_lived_long_is_restarted_at_once_again() -> None:
    policy = RestartPolicy()
    for _ in range(5):
        policy.wait_after(lived_s=0.1)
    assert policy.wait_after(lived_s=11.0) == 0.0
    assert policy.wait_after(lived_s=0.1) == 0.25
