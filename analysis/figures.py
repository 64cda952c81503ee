"""The figures of a run, in the shape of summary.json; pure.

Percentiles and ratios are those of the steady phase, for the warm-up measures a cold cache and the drain an ebbing
load; counts are those of the whole run. Objectives are decided on this very mapping.
"""

from collections.abc import Mapping

import pandas as pd

from analysis.recording import Recording
from loadgen.objectives import Figures
from loadgen.records import FAILURE_CLASSES, Json
from loadgen.tally import Tally

_STEADY = (
    "response_time_ms", "service_time_ms", "failed_ms", "ttfb_ms", "failed_ratio", "cache",
    "request_count", "goodput_per_s",
)  # fmt: skip
# Rates and ratios inside groups whose counts are those of the whole run.
_STEADY_WITHIN = {"requests": ("per_s",), "sessions": ("abandoned_ratio",), "orders": ("per_h", "per_min")}


def figures(recording: Recording, steady: Tally) -> dict[str, Figures]:
    """Totals over everything, percentiles and ratios over the steady phase."""
    start, end = recording.steady
    whole = recording.tally(float("-inf"), float("inf")).figures(recording.end_s)
    stretch = steady.figures(float(end - start))
    merged = {**whole, **{name: stretch[name] for name in _STEADY}}
    for group, names in _STEADY_WITHIN.items():
        totals, ratios = _mapping(whole[group]), _mapping(stretch[group])
        merged[group] = {**totals, **{name: ratios[name] for name in names}}
    return merged


def errors_by_page_kind(counters: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Failed requests of the whole run by page kind and class; only what occurred."""
    columns = {f"failed_{name}_count": name for name in FAILURE_CLASSES}
    sums = counters.groupby("page_kind")[list(columns)].sum().rename(columns=columns)
    return {
        str(kind): {str(name): int(count) for name, count in row.items() if count}
        for kind, row in sums.iterrows()
        if row.sum()
    }


def tier_figures(recording: Recording) -> dict[str, Json]:
    """Cores and memory per tier in the steady phase: processes added up within each second, then mean and maximum."""
    start, end = recording.steady
    tiers = recording.tiers_by_second
    steady = tiers[(tiers["elapsed_s"] >= start) & (tiers["elapsed_s"] < end)]
    roles = recording.tiers.groupby("tier")["role"].nunique()
    found: dict[str, Json] = {}
    for tier, by_second in (steady if len(steady) else tiers).groupby("tier"):
        found[str(tier)] = {
            "process_count": int(roles[tier]),
            "mean_cpu_ratio": float(by_second["cpu_ratio"].mean()),
            "max_cpu_ratio": float(by_second["cpu_ratio"].max()),
            "max_memory_bytes": int(by_second["memory_bytes"].max()),
        }
    return found


def origin_figures(origin: pd.DataFrame) -> dict[str, Json]:
    """Requests and bytes per tier, as the tiers' own logs counted them."""
    sums = origin.groupby("tier")[["request_count", "sent_bytes"]].sum()
    return {
        str(tier): {"request_count": int(row["request_count"]), "sent_bytes": int(row["sent_bytes"])}
        for tier, row in sums.iterrows()
    }


def _mapping(value: Figures) -> Mapping[str, Figures]:
    return value if isinstance(value, Mapping) else {}
