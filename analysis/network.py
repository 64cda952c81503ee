"""What stood between shoppers and shop, and what it did: the part of summary.json under `cache`; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.caches import ages, by_cache
from analysis.origin_load import OriginLoad, origin_load
from analysis.reconciliation import Reconciliation, reconcile
from analysis.recording import Recording
from analysis.staleness import Staleness, staleness
from loadgen.objectives import Figures
from loadgen.records import Json
from loadgen.tally import Tally


@dataclass(frozen=True, slots=True)
class Network:
    """Each part is empty or None where the run recorded nothing of it."""

    by_cache: Mapping[str, Figures]
    age_ms: Mapping[str, Figures]
    origin: OriginLoad | None
    reconciliation: Reconciliation | None
    staleness: Staleness | None

    @property
    def figures(self) -> dict[str, Figures]:
        """What objectives may name."""
        return {
            "by_cache": self.by_cache,
            "age_ms": self.age_ms,
            "origin": self.origin.as_json() if self.origin else None,
        }

    def as_json(self) -> dict[str, Json]:
        """The figures as they stand in summary.json, beside those that the shoppers' side gives."""
        return {
            **self.figures,
            "reconciliation": self.reconciliation.as_json() if self.reconciliation else None,
            "staleness": self.staleness.as_json() if self.staleness else None,
        }


def network(recording: Recording, steady: Tally) -> Network:
    """Everything of a recording that is about caches and the way to the shop; `steady` holds its steady phase."""
    return Network(
        by_cache=by_cache(recording),
        age_ms=ages(steady),
        origin=origin_load(recording),
        reconciliation=reconcile(recording),
        staleness=staleness(recording),
    )
