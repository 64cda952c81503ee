"""What the shop itself had to do, by its own access log: fetches by who caused them, and what expiries cost; pure.

`client`: a shopper waited for it; `background`: an edge refreshed what it had given out stale; `purge`: a cache was
told to fetch anew; `probe`: a search for leaks waited for it. Offload is 1 - (client + background) / shoppers' requests
that were answered well, so that neither refreshing nor failing is a saving. The operators' doors are left out on both
sides.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.recording import Recording
from loadgen.objectives import Figures
from loadgen.records import PROBE

SHOP = "shop"  # the tier whose log is the origin's
OPERATORS = "ops"  # a page kind that no shopper asks for
CAUSES = ("client", "background", "purge")
PROBED = "probe"  # a cause as well, of our own


@dataclass(frozen=True, slots=True)
class Bursts:
    """Fetches of one kind of shared page; those of one key that overlap are one burst: what one expiry cost."""

    page_kind: str
    request_count: int
    burst_count: int
    largest_burst_count: int

    @property
    def stampede_factor(self) -> float | None:
        """Fetches a burst: 1 is best."""
        return self.request_count / self.burst_count if self.burst_count else None

    def as_json(self) -> dict[str, Figures]:
        """The bursts as they stand in summary.json."""
        return {
            "request_count": self.request_count,
            "burst_count": self.burst_count,
            "largest_burst_count": self.largest_burst_count,
            "stampede_factor": self.stampede_factor,
        }


@dataclass(frozen=True, slots=True)
class OriginLoad:
    """Fetches of the whole run by cause; `offload_ratio` is of the steady phase, None where no cache stands or nobody
    was answered well."""

    client_count: int
    background_count: int
    purge_count: int
    probe_count: int
    offload_ratio: float | None
    bursts: tuple[Bursts, ...]

    def as_json(self) -> dict[str, Figures]:
        """The load as it stands in summary.json."""
        return {
            "client_count": self.client_count,
            "background_count": self.background_count,
            "purge_count": self.purge_count,
            "probe_count": self.probe_count,
            "offload_ratio": self.offload_ratio,
            "bursts": {bursts.page_kind: bursts.as_json() for bursts in self.bursts},
        }


def origin_load(recording: Recording) -> OriginLoad | None:
    """What the shop's own log says; None when the run has none."""
    fetches = shop_fetches(recording)
    if not len(fetches):
        return None
    counts = _by_cause(fetches)
    has_caches = recording.manifest.caches or heard_of_caches(recording)
    return OriginLoad(
        client_count=counts["client"],
        background_count=counts["background"],
        purge_count=counts["purge"],
        probe_count=counts[PROBED],
        offload_ratio=_offload_ratio(recording, fetches) if has_caches else None,
        bursts=_bursts(recording.origin_keys),
    )


def shop_fetches(recording: Recording) -> pd.DataFrame:
    """The shop's own rows of origin.csv, with a column `cause`; without an edge every request is a client's."""
    origin = recording.origin
    rows = origin[(origin["tier"] == SHOP) & (origin["page_kind"] != OPERATORS)]
    return rows.assign(cause=rows["cache_status"].where(rows["cache_status"].isin((*CAUSES, PROBED)), "client"))


def client_requests(counters: pd.DataFrame) -> int:
    """The requests of shoppers and probes."""
    return int(counters.loc[counters["page_kind"] != OPERATORS, "request_count"].sum())


def heard_of_caches(recording: Recording) -> bool:
    """Whether a response told of a cache."""
    counters = recording.counters
    return bool(counters["request_count"].sum() != counters["cache_none_count"].sum())


def _offload_ratio(recording: Recording, fetches: pd.DataFrame) -> float | None:
    counters = recording.steady_rows(recording.counters)
    shoppers = counters[~counters["page_kind"].isin((OPERATORS, PROBE))]
    answered = int(shoppers["request_count"].sum() - shoppers["failed_count"].sum())
    steady = _by_cause(recording.steady_rows(fetches))
    return 1 - (steady["client"] + steady["background"]) / answered if answered else None


def _by_cause(fetches: pd.DataFrame) -> Mapping[str, int]:
    sums = fetches.groupby("cause")["request_count"].sum()
    return {cause: int(sums.get(cause, 0)) for cause in (*CAUSES, PROBED)}


def _bursts(keys: pd.DataFrame) -> tuple[Bursts, ...]:
    found: list[Bursts] = []
    for kind, rows in keys[keys["tier"] == SHOP].groupby("page_kind"):
        requests, bursts = int(rows["request_count"].sum()), int(rows["burst_count"].sum())
        found.append(Bursts(str(kind), requests, bursts, int(rows["largest_burst_count"].max())))
    return tuple(found)
