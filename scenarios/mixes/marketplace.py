"""`marketplace`: short visits, many lookers, few buyers, calibrated on published figures of real shops.

Which figure each probability follows. Four were solved for, so that the table's closed form (`scenarios.markov`) meets
four published figures:

    probability                              value    follows
    product -> leave                         0.1027   3.57 product pages a session (Yoochoose: 33,003,944
                                                      clicks on items, 9,249,729 sessions)
    home -> search; half of it elsewhere     0.0897   24 % of visitors search (Constructor, a vendor's claim)
    product -> add_to_cart                   0.0538   5.51 % of sessions buy (Yoochoose: 509,696 of 9,249,729)
    add_to_cart, cart -> checkout            0.3808   70.19 % of carts are abandoned (Baymard)
    search zero_results -> leave             0.30     30 % leave after an empty result (Luigi's Box 2021)
    all other probabilities                           ours: no figure was found

The published figures contradict each other. 3.57 product pages with RetailRocket's 2.6 % carts per view and 32.4 %
orders per cart would make 3.0 % of the sessions buy, and REES46 counts 4.41 views, 0.10 carts and 0.08 orders a session
(80 % orders per cart). Followed are Yoochoose for length and buying, because both are counted per session of the same
shop, and Baymard for abandonment, because it is an average over many shops (RetailRocket's 67.6 % is near it). The
price: 5.4 % of the product views put something into the cart here, twice RetailRocket's figure. The choice is the
cautious one for a load test: more orders a session, hence more of the costly pages.

Flash sales, coupons and returns happen only where a scenario has them. What shoppers do about a sale is ours: no figure
was found, and none of the four above depends on it.

Pauses: pages to read are given TPC-W's mean of 7 s, forms SPECweb2005's 10 s; both exponential, cut off at ten times
the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.mix import LEAVE, Mix, Row, State, Step
from scenarios.outcomes import Outcome
from scenarios.think_times import Exponential

READING = Exponential(mean_s=7.0, cap_s=70.0)
FORM = Exponential(mean_s=10.0, cap_s=100.0)


@dataclass(frozen=True, slots=True)
class Published:
    """A figure that was measured elsewhere, and how far (relative) the table's closed form may lie from it."""

    figure: str
    value: float
    tolerance_ratio: float
    source: str


PRODUCT_PAGES = Published("product pages per session", 3.57, 0.01, "Yoochoose (RecSys Challenge 2015)")
BUYING_SESSIONS = Published("sessions that buy", 0.0551, 0.01, "Yoochoose (RecSys Challenge 2015)")
CART_ABANDONMENT = Published("carts abandoned", 0.7019, 0.01, "Baymard Institute")
SEARCHING_SESSIONS = Published("sessions that search", 0.24, 0.01, "Constructor")

OUTCOME_RATIOS = {
    "search": {Outcome.ZERO_RESULTS: 0.13},
    "reformulate": {Outcome.ZERO_RESULTS: 0.13},
    "pay": {Outcome.PAYMENT_DECLINED: 0.02},
    "pay_again": {Outcome.PAYMENT_DECLINED: 0.02},
}
"""What the closed form reckons with: 13 % of searches find nothing (Luigi's Box 2021), 2 % of cards are declined (the
bundled payment provider's setting)."""

_PRODUCT: Row = {
    "product": 0.5486,
    "category": 0.2200,
    LEAVE: 0.1027,
    "add_to_cart": 0.0538,
    "search": 0.0449,
    "home": 0.0300,
}
_CATEGORY: Row = {"product": 0.6000, LEAVE: 0.2051, "next_page": 0.1200, "search": 0.0449, "home": 0.0300}
_RESULTS: Row = {"product": 0.7000, LEAVE: 0.1500, "search": 0.0800, "category": 0.0700}
_NOTHING_FOUND: Row = {"reformulate": 0.7000, LEAVE: 0.3000}
_SOLD_OUT: Row = {"category": 0.5000, "product": 0.2000, LEAVE: 0.3000}
_ON_SALE: Row = {"grab": 0.8000, "product": 0.1000, LEAVE: 0.1000}
_NOT_YET_ON_SALE: Row = {"deal": 0.8000, "product": 0.1000, LEAVE: 0.1000}
_LOOKING = {
    Outcome.OUT_OF_STOCK: _SOLD_OUT,
    Outcome.SALE_OPEN: _ON_SALE,
    Outcome.SALE_NOT_OPEN: _NOT_YET_ON_SALE,
}
_WANTING = {
    Outcome.OUT_OF_STOCK: _SOLD_OUT,
    Outcome.SALE_OPEN: {"grab": 1.0},  # held back, and let in at once
    Outcome.SALE_NOT_OPEN: _NOT_YET_ON_SALE,
    Outcome.SALE_LIMIT: {"grab": 0.5000, "category": 0.2000, LEAVE: 0.3000},
    Outcome.HELD_BACK: {"waiting": 0.9000, LEAVE: 0.1000},
    Outcome.OVERLOADED: {"add_to_cart": 0.7000, LEAVE: 0.3000},
}
_PAYING_AGAIN: Row = {"pay_again": 0.8000, LEAVE: 0.2000}

BROWSE = {
    "home": State(
        Step.HOME, READING, {"category": 0.4000, "product": 0.3000, LEAVE: 0.1703, "search": 0.0897, "sign_in": 0.0400}
    ),
    "category": State(Step.CATEGORY, READING, _CATEGORY),
    "next_page": State(Step.NEXT_PAGE, READING, _CATEGORY),
    "landing": State(Step.LANDING, READING, _PRODUCT, _LOOKING),
    "product": State(Step.PRODUCT, READING, _PRODUCT, _LOOKING),
    "deal": State(Step.DEAL, READING, _PRODUCT, _LOOKING),
    "sign_in": State(Step.SIGN_IN, FORM, {"account": 0.4000, "orders": 0.4000, "category": 0.2000}),
    "account": State(Step.ACCOUNT, READING, {"home": 0.4000, "orders": 0.3000, LEAVE: 0.3000}),
    "orders": State(Step.ORDERS, READING, {LEAVE: 0.5000, "home": 0.3000, "product": 0.2000}),
}
SEARCH = {
    "search": State(Step.SEARCH, READING, _RESULTS, {Outcome.ZERO_RESULTS: _NOTHING_FOUND}),
    "reformulate": State(Step.REFORMULATE, READING, _RESULTS, {Outcome.ZERO_RESULTS: _NOTHING_FOUND}),
}
BUY = {
    "add_to_cart": State(
        Step.ADD_TO_CART,
        READING,
        {"checkout": 0.3808, LEAVE: 0.3692, "category": 0.1600, "cart": 0.0500, "product": 0.0400},
        _WANTING,
    ),
    "grab": State(Step.RUSH, READING, {"checkout": 0.7000, LEAVE: 0.3000}, _WANTING),
    "waiting": State(
        Step.WAIT,
        READING,
        _PRODUCT,
        _LOOKING | {Outcome.HELD_BACK: {"waiting": 0.9000, LEAVE: 0.1000}, Outcome.SALE_OVER: _SOLD_OUT},
    ),
    "cart": State(Step.SHOW_CART, READING, {LEAVE: 0.4592, "checkout": 0.3808, "category": 0.1600}),
    "checkout": State(Step.CHECKOUT, FORM, {"payment": 0.8000, LEAVE: 0.2000}),
    "payment": State(Step.ADDRESS, FORM, {"pay": 0.9000, LEAVE: 0.1000}),
    "pay": State(
        Step.PAY,
        READING,
        {LEAVE: 1.0},
        {
            Outcome.PAYMENT_DECLINED: _PAYING_AGAIN,
            Outcome.PRICE_CHANGED: _PAYING_AGAIN,
            Outcome.VOUCHER_REFUSED: _PAYING_AGAIN,
            Outcome.OVERLOADED: _PAYING_AGAIN,
            Outcome.OUT_OF_STOCK: {"category": 0.5000, LEAVE: 0.5000},
        },
    ),
    "pay_again": State(
        Step.PAY,
        READING,
        {LEAVE: 1.0},
        {
            Outcome.PAYMENT_DECLINED: {LEAVE: 1.0},
            Outcome.OUT_OF_STOCK: {LEAVE: 1.0},
            Outcome.PRICE_CHANGED: _PAYING_AGAIN,
            Outcome.VOUCHER_REFUSED: _PAYING_AGAIN,
            Outcome.OVERLOADED: {"pay_again": 0.5000, LEAVE: 0.5000},
        },
    ),
}

MIX = Mix(
    name="marketplace",
    description="Short visits to a mass-market shop: many look, a quarter search, one in eighteen buys",
    start={"home": 0.6500, "landing": 0.3500},
    states=BROWSE | SEARCH | BUY,
    otherwise={
        Outcome.FAILED: {"home": 0.5000, LEAVE: 0.5000},
        Outcome.OVERLOADED: {"home": 0.5000, LEAVE: 0.5000},
        Outcome.OUT_OF_STOCK: {"category": 0.5000, LEAVE: 0.5000},
        Outcome.RESERVATION_EXPIRED: {"category": 0.5000, LEAVE: 0.5000},
        Outcome.TOO_SLOW: {LEAVE: 1.0},
    },
)
