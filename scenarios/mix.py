"""What a mix is: a table of states, each with what the shopper does there and where each outcome leads.

A mix is data: `scenarios.mixes` holds the tables, `scenarios.shopper` walks them, `scenarios.markov` computes what they
give on average.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from types import MappingProxyType

from scenarios.markov import Chain
from scenarios.outcomes import Outcome
from scenarios.think_times import Exponential, Pause

LEAVE = "leave"
"""The successor that ends a session."""

Row = Mapping[str, float]
"""Successor -> probability; adds up to 1."""


class Step(Enum):
    """What a shopper does in a state; the value is the page kind it ends on ("" where a step asks for no page)."""

    HOME = ("home", "home")
    CATEGORY = ("category", "category")
    POPULAR = ("popular", "category")
    NEWEST = ("newest", "category")
    NEXT_PAGE = ("next_page", "category")
    SEARCH_FORM = ("search_form", "search")
    SEARCH = ("search", "search")
    REFORMULATE = ("reformulate", "search")
    POPULAR_SEARCH = ("popular_search", "search")
    PRODUCT = ("product", "product")
    LANDING = ("landing", "product")
    MOST_WANTED = ("most_wanted", "product")
    DEAL = ("deal", "product")
    RUSH = ("rush", "cart")
    WAIT = ("wait", "waiting_room")
    ADD_TO_CART = ("add_to_cart", "cart")
    SHOW_CART = ("show_cart", "cart")
    SIGN_IN = ("sign_in", "account")
    ACCOUNT = ("account", "account")
    ORDERS = ("orders", "orders")
    CHECKOUT = ("checkout", "checkout")
    ADDRESS = ("address", "payment")
    PAY = ("pay", "confirmation")
    PASS = ("pass", "")

    @property
    def page_kind(self) -> str:
        """The page kind a step that went well ends on."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class State:
    """One row of the table: the step taken on entering, the pause after it, and the successors by outcome."""

    step: Step
    think: Pause
    after: Row
    otherwise: Mapping[Outcome, Row] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """A session that has lasted longer than a drawn length ends on its next arrival in `at` (TPC-W clause 6.2.1.2)."""

    length: Exponential
    at: str


@dataclass(frozen=True, slots=True)
class Mix:
    """A named table.

    `otherwise` holds the rows for outcomes that a state does not list; an outcome in neither follows `after`.
    `needs_sale`: its shoppers come for a flash sale, so that a scenario without one is no use to them.
    `tags_addresses`: every page's address carries a parameter of its own, as links of campaigns do.
    """

    name: str
    description: str
    start: Row
    states: Mapping[str, State]
    otherwise: Mapping[Outcome, Row]
    session_end: SessionEnd | None = None
    needs_sale: bool = False
    tags_addresses: bool = False

    def row(self, state: str, outcome: Outcome) -> Row:
        """Where that outcome leads from that state."""
        here = self.states[state]
        if outcome is Outcome.OK:
            return here.after
        return here.otherwise.get(outcome) or self.otherwise.get(outcome) or here.after

    def chain(self, outcome_ratios: Mapping[str, Mapping[Outcome, float]] = MappingProxyType({})) -> Chain:
        """The table as a Markov chain, each state's rows weighted by its outcomes' ratios (0..1; the rest is OK)."""
        return {state: self._blend(state, outcome_ratios.get(state, {})) for state in self.states}

    def _blend(self, state: str, ratios: Mapping[Outcome, float]) -> dict[str, float]:
        weights = {Outcome.OK: 1.0 - sum(ratios.values()), **ratios}
        blended: dict[str, float] = {}
        for outcome, weight in weights.items():
            for successor, probability in self.row(state, outcome).items():
                blended[successor] = blended.get(successor, 0.0) + weight * probability
        return blended

    def problems(self) -> list[str]:
        """One sentence for each row that does not add up or leads nowhere; empty when the table is sound."""
        rows = {"start": self.start} | {f"otherwise {outcome.value}": row for outcome, row in self.otherwise.items()}
        for name, state in self.states.items():
            rows[f"after {name}"] = state.after
            rows |= {f"{name} {outcome.value}": row for outcome, row in state.otherwise.items()}
        known = {*self.states, LEAVE}
        found = [
            f"{self.name}: row '{name}' adds up to {sum(row.values()):.6f}, not 1."
            for name, row in rows.items()
            if abs(sum(row.values()) - 1.0) > 1e-9
        ]
        strangers = [(name, state) for name, row in rows.items() for state in row if state not in known]
        return found + [
            f"{self.name}: row '{name}' leads to '{state}', which is no state." for name, state in strangers
        ]


def draw_successor(row: Row, rng: Random) -> str:
    """One successor, drawn with the row's probabilities."""
    point = rng.random()
    for successor, probability in row.items():
        point -= probability
        if point < 0.0:
            return successor
    return successor  # the row's sum is 1 less a rounding error: the point fell into that gap
