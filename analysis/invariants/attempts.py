"""The ledger as the audit sees it: one attempt an order, and what the shopper had in the cart.

Outcomes are those of Jepsen's histories (https://github.com/jepsen-io/jepsen): ok (acknowledged), fail (refused) or
unknown (the answer never came, it may have happened).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analysis.facts import name_of
from loadgen.records import LedgerLine


@dataclass(frozen=True, slots=True)
class Attempt:
    """All ledger lines of one order, retries folded: ok when any was, else unknown when any was, else fail.

    `items` is units by product that the shopper knew of. `maybe_more` is what went into the cart without an answer,
    `maybe_fewer` what an earlier order without an answer may have taken out of it.
    """

    outcome: str
    key: str | None
    order_id: int | None
    amount_idr: int | None
    session: int
    items: Mapping[int, int] = field(default_factory=dict)
    maybe_more: Mapping[int, int] = field(default_factory=dict)
    maybe_fewer: Mapping[int, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The order as a finding names it."""
        return name_of(self.order_id, self.key)


def attempts(ledger: Iterable[LedgerLine]) -> tuple[Attempt, ...]:
    """One attempt an order; lines without a key are orders of their own."""
    orders: dict[object, list[LedgerLine]] = {}
    unanswered: defaultdict[int, list[LedgerLine]] = defaultdict(list)
    for number, line in enumerate(ledger):
        if line.action == "place_order":
            orders.setdefault(line.idempotency_key if line.idempotency_key is not None else number, []).append(line)
        if line.outcome == "unknown" and line.items:
            unanswered[line.session].append(line)
    return tuple(_folded(lines, unanswered) for lines in orders.values())


def _folded(lines: Sequence[LedgerLine], unanswered: Mapping[int, Sequence[LedgerLine]]) -> Attempt:
    best = min(lines, key=lambda line: ("ok", "unknown", "fail").index(line.outcome))
    attempt = Attempt(
        best.outcome, best.idempotency_key, best.order_id, best.amount_idr, best.session, units(best.items)
    )
    if best.session not in unanswered:
        return attempt
    before = [line for line in unanswered[best.session] if line.at < best.at]
    added = [line for line in before if line.action == "add_to_cart"]
    others = [line for line in before if line.action == "place_order" and line.idempotency_key != best.idempotency_key]
    return replace(attempt, maybe_more=_together(added), maybe_fewer=_together(others))


def units(items: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Units by product."""
    found: dict[int, int] = {}
    for product_id, quantity in items:
        found[product_id] = found.get(product_id, 0) + quantity
    return found


def _together(lines: Iterable[LedgerLine]) -> dict[int, int]:
    return units(item for line in lines for item in line.items)
