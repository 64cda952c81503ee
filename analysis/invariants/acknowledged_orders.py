"""An order that a shopper was told of is paid in the books, and the books hold no paid order that nobody knows of."""

from analysis.facts import TruthOrder
from analysis.invariants.attempts import Attempt
from analysis.invariants.evidence import Evidence
from analysis.invariants.finding import Finding, Notebook

_MISSING = "acknowledged to a shopper but not paid in the shop's books"
_UNEXPLAINED = "paid in the shop's books, yet no shopper was told so or left in doubt"
_UNMATCHED = "left in doubt without key or number to look up"
_LOST = "paid in the shop's books, while the lines of a lost worker are missing"


def check(evidence: Evidence) -> Finding:
    """Every acknowledged order is paid (or was, and came back); every paid one was acknowledged or left in doubt.

    This is Jepsen's set-full checker with orders for elements: acknowledged and absent is lost; present without an
    attempt is unexpected; an unknown attempt is resolved by the books, and either way is right. A pending order counts
    as not placed. A worker that was lost took its last lines of the ledger along: a paid order that only the books know
    may then stand in those, and is open.

    It cannot see an order that the shop lost and nobody was told of, nor when an order became visible: the books are
    read once, at the end.
    """
    notes = Notebook("acknowledged_orders", "order")
    for attempt in missing(evidence):
        notes.violated(attempt.name, _MISSING)
    for order in unexplained(evidence):
        if evidence.worker_lost:
            notes.open(order.name, _LOST)
        else:
            notes.violated(order.name, _UNEXPLAINED)
    for attempt in unmatched(evidence):
        notes.open(attempt.name, _UNMATCHED)
    told = sum(attempt.outcome != "fail" for attempt in evidence.attempts)
    known = sum(order is not None and attempt.outcome != "fail" for attempt, order in evidence.found)
    return notes.finding(told + len(evidence.paid) - known)


def missing(evidence: Evidence) -> list[Attempt]:
    """Attempts that were acknowledged, and have no paid order."""
    return [attempt for attempt, order in evidence.found if attempt.outcome == "ok" and order is None]


def unexplained(evidence: Evidence) -> list[TruthOrder]:
    """Paid orders that no attempt explains."""
    candidates = [attempt for attempt in evidence.attempts if attempt.outcome != "fail"]
    keys = {attempt.key for attempt in candidates if attempt.key is not None}
    numbers = {attempt.order_id for attempt in candidates if attempt.key is None and attempt.order_id is not None}
    return [order for order in evidence.paid if order.idempotency_key not in keys and order.order_id not in numbers]


def unmatched(evidence: Evidence) -> list[Attempt]:
    """Unknown attempts that cannot be looked up."""
    return [
        attempt
        for attempt, order in evidence.found
        if attempt.outcome == "unknown" and order is None and attempt.key is None and attempt.order_id is None
    ]
