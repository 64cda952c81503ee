"""The audit: what shoppers were told (ledger) against what the shop's books say (truth); pure.

Outcomes are those of Jepsen's histories (https://github.com/jepsen-io/jepsen): an order is ok (acknowledged), fail
(refused) or unknown (the answer never came, it may have happened). Every unknown one is resolved against the books.
Only paid orders are the shop's promise: a cancelled or pending order that nobody was told about is no violation.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analysis.truth import Truth, TruthOrder
from loadgen.records import Json, LedgerLine

AuditOutcome = Literal["pass", "fail", "unknown", "none"]
# A violation's sentence names this many orders, however many there are.
_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Audit:
    """Counts of orders by what became of them; `outcome` "none" means there was nothing to audit."""

    outcome: AuditOutcome
    sentence: str
    acknowledged_count: int = 0
    unknown_count: int = 0
    resolved_placed_count: int = 0
    resolved_absent_count: int = 0
    unresolved_count: int = 0
    missing_count: int = 0
    unexplained_count: int = 0
    duplicate_charge_count: int = 0
    amount_mismatch_count: int = 0
    paid_in_truth_count: int | None = None
    violations: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """The audit as it stands in summary.json and verdict.json."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class _Attempt:
    """All ledger lines of one order, retries folded: ok when any was, else unknown when any was, else fail."""

    outcome: str
    key: str | None
    order_id: int | None
    amount_idr: int | None

    @property
    def name(self) -> str:
        return _name(self.order_id, self.key)


class _Books:
    """The snapshot, indexed by idempotency key and by order number."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.paid = [order for order in truth.orders if order.state == "paid"]
        self._by_key = {order.idempotency_key: order for order in self.paid if order.idempotency_key is not None}
        self._by_id = {order.order_id: order for order in self.paid}

    def paid_order(self, attempt: _Attempt) -> TruthOrder | None:
        """The paid order of an attempt; a shopper's order number must agree with the key's."""
        by_key = self._by_key.get(attempt.key) if attempt.key is not None else None
        if by_key is None and attempt.key is not None and attempt.order_id is not None:
            by_id = self._by_id.get(attempt.order_id)
            return by_id if by_id is not None and by_id.idempotency_key is None else None
        if by_key is None and attempt.order_id is not None:
            return self._by_id.get(attempt.order_id)
        if by_key is not None and attempt.order_id not in (None, by_key.order_id):
            return None
        return by_key

    def charged_twice(self) -> list[str]:
        """Orders whose key was charged more than once."""
        captured = [payment for payment in self.truth.payments if payment.state == "captured"]
        charges = Counter(payment.idempotency_key or f"order {payment.order_id}" for payment in captured)
        return [_name(None, key) for key, count in charges.items() if count > 1]

    def charged_otherwise(self) -> list[str]:
        """Paid orders whose captured payment is of another amount."""
        captured = {p.idempotency_key: p.amount_idr for p in self.truth.payments if p.state == "captured"}
        return [
            _name(order.order_id, order.idempotency_key)
            for order in self.paid
            if captured.get(order.idempotency_key, order.total_idr) != order.total_idr
        ]


def audit(ledger: Iterable[LedgerLine], truth: Truth | None, *, worker_lost: bool = False) -> Audit:
    """Holds every order of the ledger against the books, and every paid order of the books against the ledger.

    A worker that was lost took its last lines of the ledger along: an order that only the books know may then stand in
    those, and is no violation but a doubt.
    """
    attempts = _attempts(ledger)
    counted = _counted(attempts)
    if truth is None or not truth.whole:
        return _without_truth(counted, cut_off=truth is not None)
    books = _Books(truth)
    found = [(attempt, books.paid_order(attempt)) for attempt in attempts]
    missing = [attempt.name for attempt, order in found if attempt.outcome == "ok" and order is None]
    unexplained = _unexplained(books, [attempt for attempt in attempts if attempt.outcome != "fail"])
    twice = books.charged_twice()
    amounts = [attempt.name for attempt, order in found if order is not None and _differ(attempt, order)]
    amounts += [name for name in books.charged_otherwise() if name not in amounts]
    unknown = [(attempt, order) for attempt, order in found if attempt.outcome == "unknown"]
    placed = sum(order is not None for _, order in unknown)
    unresolved = sum(order is None and attempt.key is None and attempt.order_id is None for attempt, order in unknown)
    return _judged(
        replace(
            counted,
            resolved_placed_count=placed,
            resolved_absent_count=len(unknown) - placed - unresolved,
            unresolved_count=unresolved + (len(unexplained) if worker_lost else 0),
            missing_count=len(missing),
            unexplained_count=len(unexplained),
            duplicate_charge_count=len(twice),
            amount_mismatch_count=len(amounts),
            paid_in_truth_count=len(books.paid),
            violations=_violations(missing, [] if worker_lost else unexplained, twice, amounts),
        )
    )


def _attempts(ledger: Iterable[LedgerLine]) -> list[_Attempt]:
    """One attempt an order; lines without a key are orders of their own."""
    lines: dict[object, list[LedgerLine]] = {}
    for number, line in enumerate(ledger):
        if line.action == "place_order":
            lines.setdefault(line.idempotency_key if line.idempotency_key is not None else number, []).append(line)
    return [_folded(group) for group in lines.values()]


def _folded(lines: Sequence[LedgerLine]) -> _Attempt:
    best = min(lines, key=lambda line: ("ok", "unknown", "fail").index(line.outcome))
    return _Attempt(best.outcome, best.idempotency_key, best.order_id, best.amount_idr)


def _counted(attempts: Sequence[_Attempt]) -> Audit:
    outcomes = Counter(attempt.outcome for attempt in attempts)
    return Audit("none", "", acknowledged_count=outcomes["ok"], unknown_count=outcomes["unknown"])


def _without_truth(counted: Audit, *, cut_off: bool) -> Audit:
    """Without books nothing can be checked: unknown when there was something to check."""
    why = "truth.jsonl is cut off" if cut_off else "the target's books (truth.jsonl) are not there"
    counted = replace(counted, unresolved_count=counted.unknown_count)
    if counted.acknowledged_count == 0 and counted.unknown_count == 0:
        return replace(counted, sentence="No order was placed, so there was nothing to audit.")
    told = f"{counted.acknowledged_count} orders were acknowledged, but {why}: whether they exist was not checked."
    return replace(counted, outcome="unknown", sentence=told)


def _unexplained(books: _Books, attempts: Sequence[_Attempt]) -> list[str]:
    keys = {attempt.key for attempt in attempts if attempt.key is not None}
    numbers = {attempt.order_id for attempt in attempts if attempt.key is None and attempt.order_id is not None}
    return [
        _name(order.order_id, order.idempotency_key)
        for order in books.paid
        if order.idempotency_key not in keys and order.order_id not in numbers
    ]


def _differ(attempt: _Attempt, order: TruthOrder) -> bool:
    return attempt.outcome == "ok" and attempt.amount_idr not in (None, order.total_idr)


def _violations(
    missing: Sequence[str], unexplained: Sequence[str], twice: Sequence[str], amounts: Sequence[str]
) -> tuple[str, ...]:
    told = (
        (missing, "acknowledged to a shopper but not paid in the shop's books"),
        (unexplained, "paid in the shop's books, yet no shopper was told so or left in doubt"),
        (twice, "charged more than once"),
        (amounts, "with an amount that differs between shopper, shop and payment provider"),
    )
    return tuple(f"{_orders(len(names))} {what}: {_examples(names)}." for names, what in told if names)


def _judged(counted: Audit) -> Audit:
    if counted.violations:
        return replace(counted, outcome="fail", sentence=counted.violations[0])
    if counted.unresolved_count:
        doubt = (
            f"{_orders(counted.unresolved_count)} could not be matched: without key or number to look up, or paid in "
            "the shop's books while the lines of a lost worker are missing."
        )
        return replace(counted, outcome="unknown", sentence=doubt)
    if not (counted.acknowledged_count or counted.unknown_count or counted.paid_in_truth_count):
        return replace(counted, sentence="No order was placed, so there was nothing to audit.")
    sentence = (
        f"All {_orders(counted.acknowledged_count)} acknowledged to shoppers are paid in the shop's books, "
        "and the books hold no other order that they were not told of."
    )
    return replace(counted, outcome="pass", sentence=sentence)


def _orders(count: int) -> str:
    return "1 order" if count == 1 else f"{count:,} orders"


def _name(order_id: int | None, key: str | None) -> str:
    return f"order {order_id}" if order_id is not None else f"key {key}" if key else "an order without number or key"


def _examples(names: Sequence[str]) -> str:
    more = len(names) - _EXAMPLES
    return ", ".join(names[:_EXAMPLES]) + (f" and {more} more" if more > 0 else "")
