"""Orders only move as orders may: from pending to paid or cancelled, from paid back by way of returning."""

from analysis.invariants.evidence import EDGE_S, Evidence
from analysis.invariants.finding import Finding, Notebook

LEGAL = frozenset(
    {
        (None, "pending"),
        ("pending", "paid"),
        ("pending", "cancelled"),
        ("paid", "returning"),
        ("returning", "returned"),
    }
)
_BEFORE = object()


def check(evidence: Evidence) -> Finding:
    """Every order's ledger begins where it was placed, goes on by legal moves, and ends in the order's own state.

    Each entry's `from` is what its writer saw: two that left one state are a lost update, which Jepsen finds in
    registers and ACIDRain (Warszawski and Bailis, SIGMOD 2017) in a shop's vouchers.

    It cannot see a move that was never written down and undone again, nor the beginning of an order from before.
    """
    notes = Notebook("order_states", "order")
    truth = evidence.truth
    if not truth.transitions:
        return notes.finding(0)
    last: dict[int, str] = {}
    wrong: dict[int, str] = {}
    for entry in sorted(truth.transitions, key=lambda entry: entry.entry_id):
        before = last.get(entry.order_id, _BEFORE)
        if before is _BEFORE and entry.order_id not in evidence.orders_by_id:
            if entry.before is None and entry.at > evidence.since + EDGE_S:
                wrong.setdefault(entry.order_id, "with a ledger of states, but not in the shop's books")
            before = entry.before
        legal = (entry.before, entry.after) in LEGAL
        if not legal or entry.before != (None if before is _BEFORE else before):
            wrong.setdefault(entry.order_id, "with a move that its state did not allow")
        last[entry.order_id] = entry.after
    for order in truth.orders:
        if order.order_id not in last:
            wrong.setdefault(order.order_id, "without a ledger of states")
        elif last[order.order_id] != order.state:
            wrong.setdefault(order.order_id, "in another state than its ledger ends with")
    for order_id, what in wrong.items():
        notes.violated(f"order {order_id}", what)
    return notes.finding(len(last.keys() | evidence.orders_by_id.keys()))
