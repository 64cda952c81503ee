"""`catalogue`: nothing but pages that any cache may keep, each drawn from the whole catalogue by its popularity alone.

Made for caches: no cart, no account, and no page depends on the one before. From every page a shopper goes on with the
same probabilities, so that the table has no memory; products, categories and searches are drawn by Zipf's law, each
draw for itself. With many short visits under way at once, the requests for a page kind are as good as a Poisson stream
whose popularities are known in closed form (`scenarios.popularity`).

What it gives: 1 / 0.28 = 3.57 pages a visit (product pages a session at Yoochoose, see `marketplace`), half of them
products. All probabilities are ours; the pauses are TPC-W's.
"""

from __future__ import annotations

from scenarios.mix import LEAVE, Mix, Row, State, Step
from scenarios.outcomes import Outcome
from scenarios.think_times import Exponential

READING = Exponential(mean_s=7.0, cap_s=70.0)
START: Row = {"product": 0.4500, "home": 0.3500, "search": 0.2000}
"""No visit begins with a category: a shopper knows none before the first page."""
ON: Row = {"product": 0.4000, "category": 0.1800, "search": 0.0900, "home": 0.0500, LEAVE: 0.2800}
DISCOURAGED: Row = {"product": 0.2000, "category": 0.0900, "search": 0.0450, "home": 0.0250, LEAVE: 0.6400}
"""After a page that failed, half of those who would have gone on leave."""
OTHERWISE: dict[Outcome, Row] = {
    Outcome.FAILED: DISCOURAGED,
    Outcome.OVERLOADED: DISCOURAGED,
    Outcome.TOO_SLOW: {LEAVE: 1.0},
}

MIX = Mix(
    name="catalogue",
    description="Short visits to pages that caches may keep; every page drawn by its popularity alone",
    start=START,
    states={
        "home": State(Step.HOME, READING, ON),
        "category": State(Step.CATEGORY, READING, ON),
        "product": State(Step.LANDING, READING, ON),
        "search": State(Step.POPULAR_SEARCH, READING, ON),
    },
    otherwise=OTHERWISE,
)
