"""What becomes of a shopper's wish to buy in a flash sale: all of them end knowing, and each end is counted. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from loadgen.records import Outcome as LedgerOutcome
from scenarios.outcomes import Outcome

_ENDS = MappingProxyType(
    {
        Outcome.OUT_OF_STOCK: "sold_out",
        Outcome.SALE_LIMIT: "sale_limit",
        Outcome.SALE_OVER: "sale_over",
        Outcome.RESERVATION_EXPIRED: "reservation_expired",
        Outcome.PAYMENT_DECLINED: "payment_declined",
        Outcome.OVERLOADED: "overloaded",
        Outcome.TOO_SLOW: "too_slow",
        Outcome.FAILED: "failed",
    }
)
"""What a shopper was told last; anything else is no answer to a wish, so that who leaves then gave up."""
_GAVE_UP = "gave_up"


@dataclass(slots=True)
class Chase:
    """One shopper after one product; `units` are what the order holds."""

    product_id: int
    won: bool = False
    paying: bool = False
    order_id: int | None = None
    units: int = 0
    _last: Outcome | None = None

    def told(self, outcome: Outcome) -> Outcome:
        """Take in what the shop said."""
        self._last = outcome
        return outcome

    def win(self, order_id: int | None, units: int) -> None:
        """The order is acknowledged."""
        self.won, self.order_id, self.units = True, order_id, units

    def end(self, *, cut: bool) -> tuple[LedgerOutcome, str | None]:
        """How it ended, and why; `cut` when the run ended first. Unknown is what hangs on an unanswered payment."""
        if self.won:
            return "ok", None
        if self.paying:
            return "unknown", "no answer"
        if cut:
            return "fail", "cut"
        return "fail", _ENDS.get(self._last, _GAVE_UP) if self._last else _GAVE_UP
