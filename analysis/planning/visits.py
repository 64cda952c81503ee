"""Which share of the requests at the front door comes by a tier, from the tiers' own logs; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import pandas as pd

from analysis.origin_load import OPERATORS, PROBED
from analysis.recording import Recording
from loadgen.records import PROBE

SHOP, DATABASE, PAYMENT = "shop", "database", "payment"
_NOBODY_WAITS = ("background", "purge", PROBED)  # causes in the shop's own log
# The provider's log names charges, not pages: these are the pages that wait for one.
_PAYING = ("checkout", "payment", "confirmation")


@dataclass(frozen=True, slots=True)
class Visits:
    """Shares, 0..1, by tier, and by tier and page kind; a tier without a log is missing.

    The database has none: it is taken to be asked whenever the shop is.
    """

    all_kinds: Mapping[str, float]
    by_kind: Mapping[str, Mapping[str, float]]

    @classmethod
    def of(cls, recording: Recording) -> Self:
        """The visits of the steady phase."""
        counters = recording.steady_rows(recording.counters)
        asked = counters[counters["page_kind"] != PROBE].groupby("page_kind")["request_count"].sum()
        logged = _waited_for(recording.steady_rows(recording.origin))
        totals = logged.groupby(level="tier").sum()
        all_kinds = {str(tier): min(1.0, float(count / asked.sum())) for tier, count in totals.items() if count > 0}
        by_kind = {
            tier: {
                str(kind): min(1.0, float(logged.get((tier, kind), 0) / count))
                for kind, count in asked.items()
                if count > 0
            }
            for tier in all_kinds
        }
        if PAYMENT in by_kind:
            by_kind[PAYMENT] = dict.fromkeys(_PAYING, 1.0)
        if SHOP in all_kinds:
            all_kinds.setdefault(DATABASE, all_kinds[SHOP])
            by_kind.setdefault(DATABASE, by_kind[SHOP])
        return cls(all_kinds, by_kind)


def _waited_for(origin: pd.DataFrame) -> "pd.Series[int]":
    """Requests by tier and page kind as logged, those that no shopper waited for left out."""
    shown = origin[origin["page_kind"] != OPERATORS]
    shown = shown[(shown["tier"] != SHOP) | ~shown["cache_status"].isin(_NOBODY_WAITS)]
    return shown.groupby(["tier", "page_kind"])["request_count"].sum()
