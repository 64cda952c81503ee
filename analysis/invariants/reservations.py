"""What is held for a shopper goes back to the shelf when the time is up."""

from analysis.invariants.evidence import Evidence
from analysis.invariants.finding import Finding, Notebook

# The sweep's period of one second, and grace for a loaded machine.
GRACE_S = 5.0


def check(evidence: Evidence) -> Finding:
    """No reservation is held more than `GRACE_S` after it expired, at the snapshot's instant.

    A liveness property, judged by a deadline as Jepsen's set-full checker judges lateness. An order cancelled just
    before the snapshot gives its reservations back as they were, expired ones too, so these are open then.

    It cannot see a reservation that was held too long and released before the books were read.
    """
    notes = Notebook("reservations", "reservation")
    truth = evidence.truth
    if truth.at is None:
        return notes.finding(0)
    soon = truth.at - GRACE_S
    note = (
        notes.open if any(one.after == "cancelled" and one.at > soon for one in truth.transitions) else notes.violated
    )
    for reservation in truth.reservations:
        if reservation.expires_at < soon:
            note(f"reservation {reservation.reservation_id}", "still held after its time was up")
    return notes.finding(len(truth.reservations), none_is_right=bool(truth.sales))
