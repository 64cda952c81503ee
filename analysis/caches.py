"""What each cache said of the requests that reached it, in the steady phase: hit ratios, and how old its answers were.

The definition is one for all tiers and profiles. A cache *looked up* what it answered as hit, stale or collapsed, and
what it passed on as miss, expired or revalidated; hits are the first three. What it never looks for (bypass: personal
or authorised requests, and methods other than GET and HEAD) and what it answered by itself (local) is left out. A page
that turned out not to be storable is a miss: the cache looked for it. A shield is asked only for what the points of
presence did not have, so that its ratio is of those.
"""

import pandas as pd

from analysis.recording import Recording
from loadgen.histogram import Histogram
from loadgen.objectives import PERCENTILES, Figures
from loadgen.records import CACHE_HITS, CACHE_WORDS, GATEWAY, PARSER, PROBE
from loadgen.tally import Tally

LOOKED_UP = (*CACHE_HITS, "miss", "expired", "revalidated")


def by_cache(recording: Recording) -> dict[str, Figures]:
    """By cache, and by page kind within it: `all` are those of shoppers, without probes."""
    caches = recording.steady_rows(recording.caches)
    caches = caches[~caches["cache"].isin((PARSER, GATEWAY))]  # which are none
    found: dict[str, Figures] = {}
    for cache, rows in caches.groupby("cache"):
        kinds = {str(kind): _figures(of) for kind, of in rows.groupby("page_kind")}
        found[str(cache)] = {"all": _figures(rows[rows["page_kind"] != PROBE]), **kinds}
    return found


def ages(steady: Tally) -> dict[str, Figures]:
    """How old what a cache answered was when it came, in milliseconds, by how it was answered."""
    histograms = {status: steady.age(status) for status in CACHE_HITS}
    return {status: _age(histogram) for status, histogram in histograms.items() if histogram.counts}


def _figures(rows: pd.DataFrame) -> dict[str, Figures]:
    sums = rows.groupby("status")[["request_count", "received_bytes"]].sum()
    counts = {str(status): int(count) for status, count in sums["request_count"].items()}
    sizes = {str(status): int(size) for status, size in sums["received_bytes"].items()}
    return {
        "request_count": sum(counts.values()),
        "lookup_count": sum(counts.get(status, 0) for status in LOOKED_UP),
        "request_hit_ratio": _hit_ratio(counts),
        "byte_hit_ratio": _hit_ratio(sizes),
        **{f"{status}_count": counts.get(status, 0) for status in CACHE_WORDS},
    }


def _hit_ratio(amounts: dict[str, int]) -> float | None:
    """The hits' share of all that was looked up; None where nothing was."""
    hits, looked_up = (sum(amounts.get(status, 0) for status in among) for among in (CACHE_HITS, LOOKED_UP))
    return hits / looked_up if looked_up else None


def _age(histogram: Histogram) -> dict[str, Figures]:
    values_us = histogram.percentiles_us(tuple(PERCENTILES.values()))
    return {
        "count": histogram.count,
        **{name: value_us / 1000 for name, value_us in zip(PERCENTILES, values_us, strict=True)},
        "max": histogram.max_us / 1000,
    }
