"""The audit: what shoppers were told (ledger) against what the shop's and its provider's books say (truth); pure.

Every invariant of `analysis.invariants` is held against them. Only paid orders are the shop's promise: a cancelled or
pending order that nobody was told about is no violation.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace

from analysis.invariants import (
    acknowledged_orders,
    coupons,
    customer_limits,
    no_oversell,
    one_charge_per_key,
    order_states,
    order_totals,
    own_orders,
    paid_iff_order,
    reservations,
    shown_stock,
    stock_balance,
)
from analysis.invariants.evidence import Evidence
from analysis.invariants.finding import AuditOutcome, Finding, counted
from analysis.truth import Truth
from loadgen.objectives import Figures
from loadgen.records import Json, LedgerLine

# In the order in which they are told.
CHECKS: tuple[Callable[[Evidence], Finding], ...] = (
    acknowledged_orders.check,
    one_charge_per_key.check,
    paid_iff_order.check,
    order_totals.check,
    own_orders.check,
    order_states.check,
    no_oversell.check,
    stock_balance.check,
    coupons.check,
    customer_limits.check,
    reservations.check,
    shown_stock.check,
)


@dataclass(frozen=True, slots=True)
class Audit:
    """What every invariant came to, and counts of orders by what became of them.

    `outcome` "none" means that there was nothing to audit; `violations` and `doubts` have a sentence for every
    invariant that is broken or open. `unresolved_count` is that of `acknowledged_orders`.
    """

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
    doubts: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def violation_count(self) -> int | None:
        """How often an invariant was broken; None where nothing was checked, or an invariant is open."""
        if self.outcome in ("none", "unknown"):
            return None
        return sum(found.violations_count for found in self.findings)

    @property
    def figures(self) -> Figures:
        """What objectives may name."""
        return {"violation_count": self.violation_count}

    def as_json(self) -> dict[str, Json]:
        """The audit as it stands in summary.json and verdict.json; an invariant that was not checked is left out."""
        checked = {found.invariant: found.as_json() for found in self.findings if found.outcome != "none"}
        told = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "findings"}
        return told | {"violation_count": self.violation_count} | checked


def audit(ledger: Iterable[LedgerLine], truth: Truth | None, *, since: float = 0.0, worker_lost: bool = False) -> Audit:
    """Holds ledger and books against each other; `since` is the instant (epoch) from which the books were asked for.

    Books that are missing or cut off prove nothing: what would have been checked by them is open.
    """
    evidence = Evidence.of(ledger, truth or Truth(), since, worker_lost=worker_lost)
    findings = tuple(check(evidence) for check in CHECKS)
    outcomes = Counter(attempt.outcome for attempt in evidence.attempts)
    told = Audit("none", "", acknowledged_count=outcomes["ok"], unknown_count=outcomes["unknown"])
    if truth is None or not truth.whole:
        return _without_truth(told, findings, cut_off=truth is not None)
    return _judged(_counted(told, evidence), findings)


def _without_truth(told: Audit, findings: tuple[Finding, ...], *, cut_off: bool) -> Audit:
    """Unknown when there was something to check."""
    why = "truth.jsonl is cut off" if cut_off else "the target's books (truth.jsonl) are not there"
    left_open = tuple(found.doubted(f"not checked, as {why}") for found in findings)
    told = replace(told, findings=left_open, unresolved_count=left_open[0].unresolved_count)
    if told.acknowledged_count or told.unknown_count:
        orders = "1 order was" if told.acknowledged_count == 1 else f"{told.acknowledged_count:,} orders were"
        sentence = f"{orders} acknowledged, but {why}: whether they exist was not checked."
    elif any(found.unresolved for found in left_open):
        sentence = f"No order was acknowledged, and {why}: what else must hold was not checked."
    else:
        return replace(told, sentence="No order was placed, so there was nothing to audit.")
    return replace(told, outcome="unknown", sentence=sentence, doubts=(sentence,))


def _counted(told: Audit, evidence: Evidence) -> Audit:
    """The counts of orders by what became of them."""
    unknown = [order for attempt, order in evidence.found if attempt.outcome == "unknown"]
    placed = sum(order is not None for order in unknown)
    amounts = {*order_totals.amounts_that_differ(evidence), *order_totals.payments_that_differ(evidence)}
    return replace(
        told,
        resolved_placed_count=placed,
        resolved_absent_count=len(unknown) - placed - len(acknowledged_orders.unmatched(evidence)),
        missing_count=len(acknowledged_orders.missing(evidence)),
        unexplained_count=len(acknowledged_orders.unexplained(evidence)),
        amount_mismatch_count=len(amounts),
        paid_in_truth_count=len(evidence.paid),
    )


def _judged(told: Audit, findings: tuple[Finding, ...]) -> Audit:
    """The audit with what its findings come to."""
    by_name = {found.invariant: found for found in findings}
    told = replace(
        told,
        findings=findings,
        unresolved_count=by_name["acknowledged_orders"].unresolved_count,
        duplicate_charge_count=by_name["one_charge_per_key"].violations_count,
        violations=tuple(found.violated for found in findings if found.violations),
        doubts=tuple(found.doubt for found in findings if found.unresolved),
    )
    if told.violations:
        return replace(told, outcome="fail", sentence=told.violations[0])
    if told.doubts:
        return replace(told, outcome="unknown", sentence=told.doubts[0])
    passed = [found for found in findings if found.outcome == "pass"]
    if not passed:
        return replace(told, sentence="No order was placed, so there was nothing to audit.")
    return replace(told, outcome="pass", sentence=_passed(told, len(passed), by_name["acknowledged_orders"]))


def _passed(told: Audit, passed_count: int, orders: Finding) -> str:
    if orders.checked_count is None:
        return f"No order was placed; {counted(passed_count, 'other invariant')} of the shop's books held."
    others = f" {counted(passed_count - 1, 'other invariant')} held too." if passed_count > 1 else ""
    return (
        f"All {counted(told.acknowledged_count, 'order')} acknowledged to shoppers are paid in the shop's books, "
        f"and the books hold no other order that they were not told of.{others}"
    )
