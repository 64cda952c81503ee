"""`flash-sale`: everybody comes for one product, gathers before the instant, and rushes at it.

All probabilities and pauses are ours: no public figure was found that tells how a crowd behaves at a flash sale. What
they are to give is written beside them.

    who                  share    until the instant
    refresh              0.45     reload the product's page every 1 to 3 s
    eager                0.15     the same, faster and faster as the instant nears
    countdown            0.30     look once, and press the button at the instant, up to 0.3 s too early or too late
    sign_in              0.10     log in first, then as `refresh`

Then all of them rush the product into the cart; who sees it open, who counts down, and who was let out of the waiting
room. Who is told that it is sold out hopes for units that come back from reservations that expired, a few times.
"""

from __future__ import annotations

from scenarios.mix import LEAVE, Mix, Row, State, Step
from scenarios.outcomes import Outcome
from scenarios.think_times import Countdown, Exponential, Nearing, Uniform

REFRESHING = Uniform(1.0, 3.0)
EAGER = Nearing(REFRESHING, least_s=0.3)
COUNTING_DOWN = Countdown(spread_s=0.3, otherwise=Uniform(0.1, 0.5))
HURRYING = Uniform(0.2, 1.0)
HOPING = Uniform(2.0, 6.0)
FORM = Exponential(mean_s=4.0, cap_s=40.0)
"""Forms are typed faster than elsewhere: most are filled in already."""
READING = Exponential(mean_s=2.0, cap_s=20.0)

_RUSH: Row = {"rush": 1.0}
_SOLD_OUT: Row = {"hope": 0.4000, LEAVE: 0.6000}
_GIVE_UP: Row = {LEAVE: 1.0}


def _gathering(state: str) -> dict[Outcome, Row]:
    return {
        Outcome.SALE_OPEN: _RUSH,
        Outcome.SALE_NOT_OPEN: {state: 1.0},
        Outcome.OUT_OF_STOCK: _SOLD_OUT,
        Outcome.OVERLOADED: {state: 0.9000, LEAVE: 0.1000},
        Outcome.FAILED: {state: 0.8000, LEAVE: 0.2000},
    }


# A page that shows no sale is one that a cache still holds, or the sale is over: look again, but not for ever.
_NO_SALE: Row = {"refresh": 0.8000, LEAVE: 0.2000}

GATHER = {
    "sign_in": State(
        Step.SIGN_IN,
        Uniform(0.5, 2.0),
        {"refresh": 1.0},
        {Outcome.FAILED: {"refresh": 1.0}, Outcome.OVERLOADED: {"refresh": 1.0}},
    ),
    "refresh": State(Step.DEAL, REFRESHING, _NO_SALE, _gathering("refresh")),
    "eager": State(Step.DEAL, EAGER, _NO_SALE, _gathering("eager")),
    "countdown": State(Step.DEAL, COUNTING_DOWN, _NO_SALE, _gathering("countdown") | {Outcome.SALE_NOT_OPEN: _RUSH}),
}
RUSH = {
    "rush": State(
        Step.RUSH,
        HURRYING,
        {"checkout": 0.9500, LEAVE: 0.0500},
        {
            Outcome.HELD_BACK: {"waiting": 0.9800, LEAVE: 0.0200},
            Outcome.SALE_OPEN: _RUSH,  # held back, and let in at once
            Outcome.OUT_OF_STOCK: _SOLD_OUT,
            Outcome.SALE_LIMIT: {"rush": 0.7000, LEAVE: 0.3000},
            Outcome.SALE_NOT_OPEN: _RUSH,
            Outcome.OVERLOADED: {"rush": 0.9000, LEAVE: 0.1000},
            Outcome.FAILED: {"rush": 0.7000, LEAVE: 0.3000},
        },
    ),
    "waiting": State(
        Step.WAIT,
        HURRYING,
        _RUSH,
        {
            Outcome.SALE_OPEN: _RUSH,
            Outcome.HELD_BACK: {"waiting": 0.9500, LEAVE: 0.0500},
            Outcome.OUT_OF_STOCK: _SOLD_OUT,
            Outcome.SALE_OVER: _GIVE_UP,
            Outcome.OVERLOADED: {"waiting": 0.9000, LEAVE: 0.1000},
            Outcome.FAILED: {"waiting": 0.8000, LEAVE: 0.2000},
        },
    ),
    "hope": State(
        Step.DEAL,
        HOPING,
        _GIVE_UP,
        _gathering("hope") | {Outcome.OUT_OF_STOCK: {"hope": 0.5000, LEAVE: 0.5000}},
    ),
}
BUY = {
    "checkout": State(Step.CHECKOUT, FORM, {"payment": 0.9500, LEAVE: 0.0500}, {Outcome.OVERLOADED: {"checkout": 1.0}}),
    "payment": State(Step.ADDRESS, FORM, {"pay": 0.9500, LEAVE: 0.0500}, {Outcome.OVERLOADED: {"payment": 1.0}}),
    "pay": State(
        Step.PAY,
        READING,
        {LEAVE: 1.0},
        {
            Outcome.PAYMENT_DECLINED: {"pay": 0.8000, LEAVE: 0.2000},
            Outcome.PRICE_CHANGED: {"pay": 0.9000, LEAVE: 0.1000},
            Outcome.VOUCHER_REFUSED: {"pay": 0.9000, LEAVE: 0.1000},
            Outcome.OVERLOADED: {"pay": 0.9000, LEAVE: 0.1000},
        },
    ),
}

MIX = Mix(
    name="flash-sale",
    description="A crowd after one product: gathers before the instant, rushes, is served or told that it is gone",
    start={"refresh": 0.4500, "countdown": 0.3000, "eager": 0.1500, "sign_in": 0.1000},
    states=GATHER | RUSH | BUY,
    otherwise={
        Outcome.OUT_OF_STOCK: _SOLD_OUT,
        Outcome.RESERVATION_EXPIRED: {"hope": 0.5000, LEAVE: 0.5000},
        Outcome.FAILED: _GIVE_UP,
        Outcome.TOO_SLOW: _GIVE_UP,
    },
    needs_sale=True,
)
