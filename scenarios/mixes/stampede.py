"""`stampede`: everybody asks for one product page and leaves. When they come is the scenario's affair.

All of it is ours: it is no shopper's day, but the smallest crowd that shows what an expiry costs the origin.
"""

from __future__ import annotations

from scenarios.mix import LEAVE, Mix, State, Step
from scenarios.think_times import Exponential

MIX = Mix(
    name="stampede",
    description="Everybody asks for the most wanted product's page, and leaves",
    start={"hot": 1.0},
    states={"hot": State(Step.MOST_WANTED, Exponential(mean_s=7.0, cap_s=70.0), {LEAVE: 1.0})},
    otherwise={},
)
