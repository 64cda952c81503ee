"""All that the invariants look at, indexed once: what shoppers were told, and the books."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from analysis.facts import Charge, TruthOrder
from analysis.invariants.attempts import Attempt, attempts
from analysis.truth import Truth
from loadgen.records import LedgerLine

PAID = frozenset({"paid", "returning", "returned"})
TAKEN = frozenset({"captured", "refunded"})
# Two clocks of one machine, and a question that follows the snapshot: so near to an edge it cannot be told on which
# side of it something happened.
EDGE_S = 5.0


@dataclass(frozen=True)  # no slots: cached_property
class Evidence:
    """Attempts of the ledger and the snapshot that followed; `since` is the instant (epoch) from which it tells."""

    attempts: tuple[Attempt, ...]
    truth: Truth
    since: float = 0.0
    worker_lost: bool = False

    @classmethod
    def of(
        cls, ledger: Iterable[LedgerLine], truth: Truth, since: float = 0.0, *, worker_lost: bool = False
    ) -> "Evidence":
        """The evidence of a run's ledger and books."""
        return cls(attempts(ledger), truth, since, worker_lost)

    @cached_property
    def end_at(self) -> float:
        """The snapshot's instant; infinite when the books do not name it."""
        return float("inf") if self.truth.at is None else self.truth.at

    @cached_property
    def orders_by_id(self) -> dict[int, TruthOrder]:
        """Every order of the books by number."""
        return {order.order_id: order for order in self.truth.orders}

    @cached_property
    def orders_by_key(self) -> dict[str, TruthOrder]:
        """Every order of the books by key, a paid one first."""
        found: dict[str, TruthOrder] = {}
        for order in self.truth.orders:
            key = order.idempotency_key
            if key is not None and (key not in found or order.state in PAID):
                found[key] = order
        return found

    @cached_property
    def paid(self) -> list[TruthOrder]:
        """The orders that were paid, whether or not they came back."""
        return [order for order in self.truth.orders if order.state in PAID]

    @cached_property
    def found(self) -> list[tuple[Attempt, TruthOrder | None]]:
        """Each attempt with its paid order."""
        return [(attempt, self._paid_order(attempt)) for attempt in self.attempts]

    @cached_property
    def known_keys(self) -> frozenset[str]:
        """Keys under which shoppers tried to order, whatever became of it."""
        return frozenset(attempt.key for attempt in self.attempts if attempt.key is not None)

    @cached_property
    def charges_by_order(self) -> dict[int, list[Charge]]:
        """The provider's charges by the order of the books that they belong to."""
        found: defaultdict[int, list[Charge]] = defaultdict(list)
        for charge in self.truth.charges:
            order = self.order_of(charge)
            if order is not None:
                found[order.order_id].append(charge)
        return dict(found)

    def order_of(self, charge: Charge) -> TruthOrder | None:
        """The order that a charge belongs to, by number, else by key."""
        by_id = self.orders_by_id.get(charge.order_id) if charge.order_id is not None else None
        if by_id is None and charge.idempotency_key is not None:
            return self.orders_by_key.get(charge.idempotency_key)
        return by_id

    def order_for(self, attempt: Attempt) -> TruthOrder | None:
        """The order that the books hold for an attempt, whatever its state: by number and key, else by key."""
        by_id = self.orders_by_id.get(attempt.order_id) if attempt.order_id is not None else None
        # A number whose order has a key of its own belongs to somebody else.
        if by_id is not None and (attempt.key is None or by_id.idempotency_key in (None, attempt.key)):
            return by_id
        return self.orders_by_key.get(attempt.key) if attempt.key is not None else None

    def from_before(self, order_id: int | None, at: float) -> bool:
        """Whether an order that the books do not hold was placed before they begin, as far as can be told.

        Numbers rise, so it is one below all others; so may be whatever happened in the first seconds.
        """
        return at <= self.since + EDGE_S or (order_id is not None and order_id < self._first_number)

    @cached_property
    def _first_number(self) -> int:
        return min(self.orders_by_id, default=0)

    def _paid_order(self, attempt: Attempt) -> TruthOrder | None:
        """The paid order of an attempt; a shopper's order number must agree with the key's."""
        order = self.order_for(attempt)
        if order is None or order.state not in PAID or attempt.order_id not in (None, order.order_id):
            return None
        return order
