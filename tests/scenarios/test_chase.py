import pytest

from scenarios.chase import Chase
from scenarios.outcomes import Outcome


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ([Outcome.SALE_OPEN, Outcome.OUT_OF_STOCK], "sold_out"),
        ([Outcome.SALE_LIMIT], "sale_limit"),
        ([Outcome.HELD_BACK, Outcome.SALE_OVER], "sale_over"),
        ([Outcome.OK, Outcome.RESERVATION_EXPIRED], "reservation_expired"),
        ([Outcome.OK, Outcome.PAYMENT_DECLINED], "payment_declined"),
        ([Outcome.OVERLOADED], "overloaded"),
        ([Outcome.TOO_SLOW], "too_slow"),
        ([Outcome.FAILED], "failed"),
        ([Outcome.SALE_NOT_OPEN], "gave_up"),
        ([Outcome.HELD_BACK], "gave_up"),
        ([Outcome.OUT_OF_STOCK, Outcome.SALE_OPEN, Outcome.OK], "gave_up"),
        ([], "gave_up"),
    ],
)
def test_a_shopper_ends_with_what_they_were_told_last(told: list[Outcome], reason: str):
    chase = Chase(7)
    for outcome in told:
        chase.told(outcome)
    assert chase.end(cut=False) == ("fail", reason)


def test_who_has_paid_has_won_whatever_comes_after():
    chase = Chase(7)
    chase.win(41, 1)
    chase.told(Outcome.TOO_SLOW)
    assert (chase.end(cut=True), chase.order_id, chase.units) == (("ok", None), 41, 1)


def test_what_hangs_on_an_unanswered_payment_nobody_knows():
    chase = Chase(7, paying=True)
    assert chase.end(cut=True) == chase.end(cut=False) == ("unknown", "no answer")


def test_a_run_that_ends_first_is_the_reason():
    chase = Chase(7)
    chase.told(Outcome.HELD_BACK)
    assert chase.end(cut=True) == ("fail", "cut")
