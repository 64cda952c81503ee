"""The ledger's side of a storefront: no attempt to change something at the shop goes unwritten, however it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loadgen.records import Action, LedgerLine
from loadgen.records import Outcome as LedgerOutcome
from loadgen.session import Session


@dataclass(slots=True)
class Attempt:
    """What became of it; unknown until somebody knows better, also when the shopper is killed in mid-request."""

    outcome: LedgerOutcome = "unknown"
    order_id: int | None = None
    reason: str | None = "no answer"

    def succeeded(self, order_id: int | None = None) -> None:
        """The shop acknowledged it."""
        self.outcome, self.reason = "ok", None
        self.order_id = self.order_id if order_id is None else order_id

    def refused(self, reason: str) -> None:
        """The shop said that it did not happen."""
        self.outcome, self.reason = "fail", reason

    def unclear(self, status: int) -> None:
        """The answer was none, or not what a shop should say.

        A 4xx means that nothing happened; all else, and 0 for no answer, leaves open whether it did.
        """
        if 400 <= status < 500:
            self.refused(f"status {status}")
        elif status:
            self.reason = f"status {status}"


@contextmanager
def attempt(
    session: Session,
    action: Action,
    *,
    idempotency_key: str | None = None,
    order_id: int | None = None,
    amount_idr: int | None = None,
    items: tuple[tuple[int, int], ...] = (),
) -> Iterator[Attempt]:
    """Writes one ledger line when the block ends, dated at its beginning."""
    at, made = session.at, Attempt(order_id=order_id)
    try:
        yield made
    finally:
        session.attempt(
            LedgerLine(
                at=at,
                action=action,
                outcome=made.outcome,
                session=session.number,
                idempotency_key=idempotency_key,
                order_id=made.order_id,
                amount_idr=amount_idr,
                items=items,
                reason=made.reason,
            )
        )
