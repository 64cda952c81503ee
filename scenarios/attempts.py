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
        self.outcome, self.order_id, self.reason = "ok", order_id, None

    def refused(self, reason: str) -> None:
        """The shop said that it did not happen."""
        self.outcome, self.reason = "fail", reason

    def unclear(self, status: int) -> bool:
        """The answer was none, or not what a shop should say; True if it may have happened all the same.

        A 4xx means that nothing happened; all else, and 0 for no answer, leaves it open.
        """
        if 400 <= status < 500:
            self.refused(f"status {status}")
            return False
        if status:
            self.reason = f"status {status}"
        return True


@contextmanager
def attempt(
    session: Session,
    action: Action,
    *,
    idempotency_key: str | None = None,
    amount_idr: int | None = None,
    items: tuple[tuple[int, int], ...] = (),
) -> Iterator[Attempt]:
    """Writes one ledger line when the block ends, dated at its beginning."""
    at, made = session.at, Attempt()
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
