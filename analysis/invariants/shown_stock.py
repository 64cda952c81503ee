"""The catalogue shows what is there."""

from analysis.invariants.evidence import Evidence
from analysis.invariants.finding import Finding, Notebook

# The shop's own memory of a product's page lasts one second; the rest is grace for a loaded machine.
FRESH_S = 5.0


def check(evidence: Evidence) -> Finding:
    """A product is shown with the stock that it has, unless that moved less than `FRESH_S` before it was shown.

    A bounded-staleness check: Jepsen's set-full calls an element stale that was there and is not read; here the bound
    is the cache's. Which products are looked at is the shop's choice, 200 at most.

    It cannot see what an edge or a browser showed, nor a page that was stale during the run and right afterwards.
    """
    notes = Notebook("shown_stock", "product")
    settled = [shown for shown in evidence.truth.shown if shown.shown_at - shown.moved_at >= FRESH_S]
    for shown in settled:
        if shown.shown != shown.on_hand:
            notes.violated(f"product {shown.product_id}", "shown with a stock that it no longer had")
    return notes.finding(len(settled))
