"""`hot-product`: as `catalogue`, but most product pages are the same one. How many is ours.

A product of the day, a mention on television: one page takes most views, and one key most of a cache's work.
"""

from __future__ import annotations

from dataclasses import replace

from scenarios.mix import Mix, Row, State, Step
from scenarios.mixes import catalogue

HOT_RATIO = 0.8


def _heated(row: Row) -> Row:
    """The row with most of the products turned into the hot one."""
    product = row.get("product", 0.0)
    return {**row, "product": (1.0 - HOT_RATIO) * product, "hot": HOT_RATIO * product}


def _heat(state: State) -> State:
    return replace(state, after=_heated(state.after))


MIX = Mix(
    name="hot-product",
    description="As catalogue, with four of five product pages the same one",
    start=_heated(catalogue.START),
    states={
        **{name: _heat(state) for name, state in catalogue.MIX.states.items()},
        "hot": State(Step.MOST_WANTED, catalogue.READING, _heated(catalogue.ON)),
    },
    otherwise={outcome: _heated(row) for outcome, row in catalogue.OTHERWISE.items()},
)
