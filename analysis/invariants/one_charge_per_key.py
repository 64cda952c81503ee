"""Nobody pays twice: one charge per idempotency key, and one per order."""

from collections import Counter
from collections.abc import Sequence

from analysis.facts import Charge, TruthPayment, name_of
from analysis.invariants.evidence import TAKEN, Evidence
from analysis.invariants.finding import Finding, Notebook

_TWICE = "charged more than once"
_Taken = Sequence[Charge] | Sequence[TruthPayment]


def check(evidence: Evidence) -> Finding:
    """At most one charge at the provider was captured per idempotency key, and per order; refunded ones were captured.

    This is Jepsen's unique-ids checker, with keys for identifiers and money for what is handed out. Without the
    provider's books the shop's own payments are looked at; if the shop asked the provider in vain, it stays open.

    It cannot see a second charge without key or order, nor one that the provider itself forgot, and without the
    provider's books none that the shop did not write down.
    """
    notes = Notebook("one_charge_per_key", "order")
    taken: _Taken
    if evidence.truth.charges_known:
        taken = [charge for charge in evidence.truth.charges if charge.state in TAKEN]
    else:
        taken = [payment for payment in evidence.truth.payments if payment.state in TAKEN]
        for order in evidence.paid:
            if order.charge_idr:
                notes.open(order.name, "paid, without the provider's books to tell how often")
    for name in _twice_by_key(taken):
        notes.violated(name, _TWICE)
    for name in _twice_by_order(taken):
        notes.violated(name, _TWICE)
    return notes.finding(len(taken), "" if evidence.truth.charges_known else "by the shop's own payments only")


def _twice_by_key(taken: _Taken) -> list[str]:
    """Keys that were charged more than once, by their order where it is known."""
    keys = Counter(charge.idempotency_key for charge in taken if charge.idempotency_key is not None)
    twice: dict[str | None, int | None] = {key: None for key, count in keys.items() if count > 1}
    for charge in taken if twice else ():
        if charge.idempotency_key in twice:
            twice[charge.idempotency_key] = charge.order_id
    return [name_of(order_id, key) for key, order_id in twice.items()]


def _twice_by_order(taken: _Taken) -> list[str]:
    """Orders that were charged more than once, under several keys or none; one key only is told by key."""
    orders = Counter(charge.order_id for charge in taken if charge.order_id is not None)
    keys: dict[int | None, set[str | None]] = {order_id: set() for order_id, count in orders.items() if count > 1}
    for charge in taken if keys else ():
        if charge.order_id in keys:
            keys[charge.order_id].add(charge.idempotency_key)
    return [name_of(order_id, None) for order_id, used in keys.items() if None in used or len(used) > 1]
