"""Money and orders go together: every charge has its order, every order its charge, and both books agree."""

from collections import defaultdict
from collections.abc import Iterable

from analysis.facts import Charge, TruthOrder, TruthPayment, name_of
from analysis.invariants.evidence import EDGE_S, PAID, TAKEN, Evidence
from analysis.invariants.finding import Finding, Notebook

_AMOUNT = "of another amount than its order's"
_Payments = dict[int, list[TruthPayment]]


def check(evidence: Evidence) -> Finding:
    """A captured charge belongs to a paid or returning order of its amount, and every such order has one.

    A returned order's charge is refunded, and the shop's own payments say of every charge what the provider says.
    This is atomicity across two systems, the cross-check that ACIDRain (Warszawski and Bailis, SIGMOD 2017) calls a
    violated invariant of the application: the database alone is consistent either way.

    The provider is asked after the snapshot, so a charge decided later than that explains an order and needs none.
    Open are: a captured charge of an order that is still pending, and one within `EDGE_S` before the snapshot whose
    order is not there or not yet given back. Left out is the charge of an order from before the books' beginning:
    its number is below all others, or it fell into the first `EDGE_S`, and no shopper of the run knows its key.

    It cannot see a charge of an order from before, nor a second charge (`one_charge_per_key`), nor money that both
    books are silent about. If the provider was asked in vain, all paid orders are open.
    """
    notes = Notebook("paid_iff_order", "charge")
    owed = [order for order in evidence.paid if order.due_idr > 0]
    if not evidence.truth.charges_known:
        # A shop that names no charges has no such books.
        asked = [order for order in owed if order.charge_idr is not None]
        for order in asked:
            notes.open(order.name, "paid, without the provider's books to tell of its charge", "order")
        return notes.finding(len(asked))
    for charge in evidence.truth.charges:
        if charge.state in TAKEN and charge.at <= evidence.end_at:
            _judge(charge, evidence, notes)
    for order in owed:
        if not _taken(evidence, order):
            notes.violated(order.name, "paid without a charge at the provider", "order")
    if evidence.truth.payments:
        payments = _by_order(evidence)
        for order in evidence.truth.orders:
            _compare(order, payments.get(order.order_id, []), evidence, notes)
    taken_count = sum(charge.state in TAKEN for charge in evidence.truth.charges)
    return notes.finding(taken_count or len(owed))


def _judge(charge: Charge, evidence: Evidence, notes: Notebook) -> None:
    """Hold one charge against the order that it names."""
    order = evidence.order_of(charge)
    if order is None:
        if charge.state == "captured":
            _judge_without_order(charge, evidence, notes)
    elif charge.state == "captured" and order.state == "pending":
        notes.open(charge.name, "captured for an order that is still pending")
    elif what := _wrong(charge, order):
        notes.violated(charge.name, what)
    elif charge.state == "refunded" and order.state == "paid":
        given_back = "given back although its order is paid"
        if charge.at > evidence.end_at - EDGE_S:
            notes.open(charge.name, given_back)
        else:
            notes.violated(charge.name, given_back)


def _judge_without_order(charge: Charge, evidence: Evidence, notes: Notebook) -> None:
    if charge.idempotency_key not in evidence.known_keys and evidence.from_before(charge.order_id, charge.at):
        return
    if charge.at > evidence.end_at - EDGE_S:
        notes.open(charge.name, "captured just before the books were read, and without an order in them")
    else:
        notes.violated(charge.name, "captured without an order in the shop's books")


def _wrong(charge: Charge, order: TruthOrder) -> str | None:
    """What is wrong with a charge of an order for certain."""
    if charge.state == "captured" and order.state == "returned":
        return "not given back although its order was returned"
    if charge.state == "captured" and order.state not in PAID:
        return f"captured although its order is {order.state}"
    if order.state in PAID and charge.amount_idr != order.due_idr:
        return _AMOUNT
    return None


def _taken(evidence: Evidence, order: TruthOrder) -> bool:
    return any(charge.state in TAKEN for charge in evidence.charges_by_order.get(order.order_id, ()))


def _by_order(evidence: Evidence) -> _Payments:
    """The shop's own payments by order; those of no order at the provider's prices are nobody's."""
    found: defaultdict[int, list[TruthPayment]] = defaultdict(list)
    for payment in evidence.truth.payments:
        order = evidence.orders_by_key.get(payment.idempotency_key or "")
        order_id = payment.order_id if payment.order_id is not None else order.order_id if order else None
        if order_id is not None:
            found[order_id].append(payment)
    return dict(found)


def _compare(order: TruthOrder, payments: Iterable[TruthPayment], evidence: Evidence, notes: Notebook) -> None:
    """Hold the shop's own payments of an order against the provider's charges; what was told of either is not again."""
    charges = evidence.charges_by_order.get(order.order_id, [])
    if any(_wrong(charge, order) for charge in charges) or (order.state in PAID and order.due_idr and not charges):
        return
    written = [payment for payment in payments if payment.amount_idr]
    name = name_of(order.order_id, order.idempotency_key)
    if not written and order.state in PAID and _taken(evidence, order):
        notes.violated(name, "charged, without a payment in the shop's own books", "order")
    for payment in written:
        if not any(_agree(payment, charge, order) for charge in charges):
            notes.violated(name, "that differs from the provider's charge, or has none", "payment")


def _agree(payment: TruthPayment, charge: Charge, order: TruthOrder) -> bool:
    # An order on its way back is refunded at the provider first.
    states = TAKEN if payment.state == "captured" and order.state != "returned" else {payment.state}
    return charge.state in states and charge.amount_idr == payment.amount_idr
