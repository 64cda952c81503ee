"""How long shoppers went on seeing a product as it was before it changed: the shop's books against sightings; pure.

A change is an entry of the ledger of prices, or one of the ledger of stock that changes what is on hand, by whomever:
orders of shoppers too. A product's pages were stale in a second when the oldest of them was made before the change;
the second in which the change fell does not count, since pages before and after it are both right there. Seconds are
as fine as sightings are, so that a time is right to one second, and what was stale for less may go unseen.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.recording import Recording
from analysis.truth import Truth
from loadgen.records import Json

# Clocks of one machine, and a header of milliseconds: what is older by less is not older.
TOLERANCE_S = 0.05
# Units that are sold were reserved before: nothing changes on the page.
_UNSEEN = frozenset(("sell",))


@dataclass(frozen=True, slots=True)
class Staleness:
    """`changes_count`: changes of products that were sighted later; times are of those that were seen stale, from the
    change to the end of the last second with a stale page; None where none was."""

    changes_count: int
    stale_seen_count: int
    p50_s: float | None
    max_s: float | None

    def as_json(self) -> dict[str, Json]:
        """The figures as they stand in summary.json."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class _Pages:
    """One product's sightings: ascending seconds, and when the oldest page of each was made, or any after it."""

    seconds: np.ndarray[tuple[int], np.dtype[np.float64]]
    oldest_from_here: np.ndarray[tuple[int], np.dtype[np.float64]]

    def stale_until(self, changed_s: float) -> float | None:
        """The end of the last second after the change with a page from before it; None when there is no such second."""
        last = int(np.searchsorted(self.oldest_from_here, changed_s - TOLERANCE_S, side="left")) - 1
        if last < 0 or self.seconds[last] < changed_s:
            return None
        return float(self.seconds[last]) + 1

    def after(self, changed_s: float) -> bool:
        """Whether anybody saw the product in a later second."""
        return bool(self.seconds[-1] >= changed_s)


def staleness(recording: Recording) -> Staleness | None:
    """None without sightings, or without books that tell of changes."""
    truth = recording.truth
    if truth is None or not truth.whole or not len(recording.sightings):
        return None
    sighted = _sighted(recording)
    changes_count, late_s = 0, list[float]()
    for product_id, instants in _changes(truth).items():
        pages = sighted.get(product_id)
        if pages is None:
            continue
        for changed_s in sorted(recording.elapsed_s(at) for at in instants):
            changes_count += pages.after(changed_s)
            until_s = pages.stale_until(changed_s)
            if until_s is not None:
                late_s.append(until_s - changed_s)
    return Staleness(
        changes_count=changes_count,
        stale_seen_count=len(late_s),
        p50_s=float(np.median(late_s)) if late_s else None,
        max_s=max(late_s, default=None),
    )


def _sighted(recording: Recording) -> Mapping[int, _Pages]:
    """Sightings by product, on the run's own time axis; rows of the same second are one."""
    oldest = recording.sightings.groupby(["product_id", "elapsed_s"])["oldest_at"].min()
    found: dict[int, _Pages] = {}
    for product_id, rows in oldest.groupby(level="product_id"):
        made_s = rows.to_numpy(dtype=np.float64) - recording.manifest.started_at
        seconds = rows.index.get_level_values("elapsed_s").to_numpy(dtype=np.float64)
        found[int(str(product_id))] = _Pages(seconds, np.minimum.accumulate(made_s[::-1])[::-1])
    return found


def _changes(truth: Truth) -> Mapping[int, set[float]]:
    """Instants at which each product changed; entries of one instant are one change."""
    found: defaultdict[int, set[float]] = defaultdict(set)
    for price in truth.prices:
        found[price.product_id].add(price.at)
    for movement in truth.movements:
        if movement.change not in _UNSEEN:
            found[movement.product_id].add(movement.at)
    return found
