"""What a request costs: processor time of each tier by page kind, from one run's tiers.csv and counters.csv; pure.

Service demand law (P. J. Denning and J. P. Buzen, The Operational Analysis of Queueing Network Models, Computing
Surveys 10, 1978): demand = busy time / completions. By page kind it is the solution of

    busy time of a tier in a bin = sum over page kinds (requests in the bin x demand), demand >= 0

by non-negative least squares (C. L. Lawson and R. J. Hanson, Solving Least Squares Problems, 1974, chapter 23), as in
G. Pacifici et al., CPU demand for web serving, Performance Evaluation 65, 2008. Intervals are those of
analysis.bootstrap, over bins. What a tier uses without being asked is in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import nnls

from analysis import bootstrap
from analysis.bootstrap import FloatArray
from analysis.origin_load import OPERATORS
from analysis.recording import Recording
from loadgen.page_kinds import SESSION
from loadgen.records import PROBE, Json

ALL = "all"
GENERATOR = "generator"
# What works at its own pace, or for a purge, has no cost by request.
_NOT_ASKED = (GENERATOR, "backoffice", "purger")
OTHER_KINDS = "other"
# Processor time is told in steps of 10 ms, and looked at some 0.1 s off the second: two seconds make that small.
_BIN_S = 2
# Of a rarer page kind a bin has none or one, which says nothing of its cost.
_LEAST_SHARE = 0.01
_REPLICATES = 400
_BINS_PER_KIND = 3
# An interval wider than this, seen from its middle, tells no kind from another.
_VAGUE_RATIO = 0.5
_PROXY_ROLES = ("-throttle", "origin-link")


@dataclass(frozen=True, slots=True)
class Demand:
    """CPU seconds of a tier for one request of a page kind at the front door, with a 95 % interval.

    Page kind `all` is the run's own mixture; `other` are kinds too rare to be told apart.
    """

    tier: str
    page_kind: str
    seconds: float
    low_s: float
    high_s: float

    def as_json(self) -> dict[str, Json]:
        """The demand as it stands in summary.json, in milliseconds."""
        return {"value": 1000 * self.seconds, "low": 1000 * self.low_s, "high": 1000 * self.high_s}


@dataclass(frozen=True, slots=True)
class Demands:
    """Demands of all tiers that requests are for, and what a session asks for.

    `workers` are a tier's processes, each of one processor at most (a database is one here, with all its sessions);
    `doubt` is a sentence where the run cannot tell page kinds apart, or nothing at all.
    """

    of: tuple[Demand, ...]
    requests_per_session: Mapping[str, float]
    orders_per_session: float
    workers: Mapping[str, int]
    bytes_per_session: float
    doubt: str | None

    def tier(self, name: str) -> tuple[Demand, ...]:
        """The demands of one tier, `all` first."""
        return tuple(demand for demand in self.of if demand.tier == name)

    @property
    def tiers(self) -> tuple[str, ...]:
        """The tiers whose demands are known, the most demanding first."""
        whole = {demand.tier: demand.seconds for demand in self.of if demand.page_kind == ALL}
        return tuple(sorted(whole, key=lambda tier: (-whole[tier], tier)))

    def as_json(self) -> dict[str, Json]:
        """`demand` in summary.json."""
        return {
            "cpu_ms": {tier: {one.page_kind: one.as_json() for one in self.tier(tier)} for tier in self.tiers},
            "requests_per_session": dict(self.requests_per_session),
            "orders_per_session": self.orders_per_session,
            "bytes_per_session": self.bytes_per_session,
            "workers": dict(self.workers),
            "doubt": self.doubt,
        }


@dataclass(frozen=True, slots=True)
class _Bins:
    """A run in bins of equal length: `requests[bin, kind]`, `busy_s[tier][bin]`."""

    kinds: tuple[str, ...]
    requests: FloatArray
    busy_s: Mapping[str, FloatArray]


def demands(recording: Recording) -> Demands:
    """What can be told of this run; nothing measured leaves `of` empty, and `doubt` says so."""
    bins = _bins(recording)
    drawn = bootstrap.weights([len(bins.requests)], replicates=_REPLICATES) if len(bins.requests) else None
    found: list[Demand] = []
    vague: list[str] = []
    for tier, busy_s in bins.busy_s.items():
        whole = bootstrap.ratio(busy_s, bins.requests.sum(axis=1), drawn)
        if whole.value is None or whole.low is None or whole.high is None:
            continue
        found.append(Demand(tier, ALL, whole.value, whole.low, whole.high))
        if drawn is not None and len(bins.requests) >= _BINS_PER_KIND * len(bins.kinds):
            kinds = _by_kind(tier, bins, busy_s, drawn)
            found += kinds
            vague += [tier] if _cannot_tell(kinds, bins, busy_s) else []
    return Demands(
        of=tuple(found),
        requests_per_session=_per_session(recording, "request_count"),
        orders_per_session=_orders_per_session(recording),
        workers=_workers(recording.tiers),
        bytes_per_session=sum(_per_session(recording, "received_bytes").values()),
        doubt=_doubt(recording, bins, found, vague),
    )


def _by_kind(tier: str, bins: _Bins, busy_s: FloatArray, drawn: FloatArray) -> list[Demand]:
    """Non-negative least squares over the bins, and over each replicate of them."""
    solved = _solve(bins.requests, busy_s, np.ones(len(busy_s)))
    replicates = np.array([_solve(bins.requests, busy_s, weights) for weights in drawn])
    low, high = np.percentile(replicates, bootstrap.INTERVAL, axis=0)
    return [
        Demand(tier, kind, float(value), min(float(least), float(value)), max(float(most), float(value)))
        for kind, value, least, most in zip(bins.kinds, solved, low, high, strict=True)
    ]


def _solve(requests: FloatArray, busy_s: FloatArray, weights: FloatArray) -> FloatArray:
    """Demands of which none is negative; bins count by their weight.

    Columns are scaled to one length, and a triangle of the size of the kinds stands for all bins: the same answer,
    and a bootstrap's worth of them in a second.
    """
    root = np.sqrt(weights)
    columns = requests * root[:, np.newaxis]
    scale = np.linalg.norm(columns, axis=0)
    scale[scale == 0] = 1.0
    orthogonal, triangle = np.linalg.qr(columns / scale)
    solution, _ = nnls(triangle, orthogonal.T @ (busy_s * root))
    return np.asarray(solution / scale, dtype=np.float64)


def _cannot_tell(kinds: Sequence[Demand], bins: _Bins, busy_s: FloatArray) -> bool:
    """Whether most of the tier's work is of kinds whose cost is known to within a half only."""
    work = dict(zip(bins.kinds, bins.requests.sum(axis=0), strict=True))
    vague = sum(
        one.seconds * work[one.page_kind] for one in kinds if one.high_s - one.low_s > 2 * _VAGUE_RATIO * one.seconds
    )
    return bool(vague > 0.5 * busy_s.sum())


def _bins(recording: Recording) -> _Bins:
    """The run from the first second in which the stack was looked at to the last."""
    stack = recording.tiers_by_second
    stack = stack[~stack["tier"].isin(_NOT_ASKED)]
    counters = recording.counters
    counters = counters[~counters["page_kind"].isin((OPERATORS, SESSION))]
    if not len(stack) or not counters["request_count"].sum():
        return _Bins((), np.zeros((0, 0)), {})
    # The sample taken at the beginning of a second tells of the second before.
    looked = stack.assign(elapsed_s=stack["elapsed_s"] - 1)
    start, end = max(0, int(looked["elapsed_s"].min())), int(looked["elapsed_s"].max()) + 1
    count = (end - start) // _BIN_S
    by_tier = looked.pivot_table(index="elapsed_s", columns="tier", values="cpu_ratio", aggfunc="sum")
    by_tier = by_tier.reindex(range(start, start + count * _BIN_S)).fillna(0.0)
    by_kind = _common(
        counters.pivot_table(index="elapsed_s", columns="page_kind", values="request_count", aggfunc="sum")
    )
    by_kind = by_kind.reindex(range(start, start + count * _BIN_S)).fillna(0.0)
    return _Bins(
        kinds=tuple(map(str, by_kind.columns)),
        requests=_binned(by_kind.to_numpy(dtype=np.float64)),
        busy_s={str(tier): _binned(by_tier[[tier]].to_numpy(dtype=np.float64))[:, 0] for tier in by_tier.columns},
    )


def _common(by_kind: pd.DataFrame) -> pd.DataFrame:
    """Page kinds that are asked for often enough, the rest as one."""
    totals = by_kind.sum()
    rare = [kind for kind in by_kind.columns if totals[kind] < _LEAST_SHARE * totals.sum() or kind == OTHER_KINDS]
    kept = by_kind.drop(columns=rare)
    return kept.assign(**{OTHER_KINDS: by_kind[rare].sum(axis=1)}) if rare else kept


def _binned(seconds: FloatArray) -> FloatArray:
    return np.asarray(seconds.reshape(-1, _BIN_S, seconds.shape[1]).sum(axis=1), dtype=np.float64)


def _per_session(recording: Recording, column: str) -> dict[str, float]:
    """A column of counters.csv by page kind, for each session that arrived; probes are no session's."""
    arrived = int(recording.funnel["arrived_count"].sum())
    counters = recording.counters
    sums = counters[~counters["page_kind"].isin((OPERATORS, SESSION, PROBE))].groupby("page_kind")[column].sum()
    return {str(kind): float(total) / arrived for kind, total in sums.items() if total} if arrived else {}


def _orders_per_session(recording: Recording) -> float:
    arrived = int(recording.funnel["arrived_count"].sum())
    placed = sum(line.action == "place_order" and line.outcome == "ok" for line in recording.ledger)
    return placed / arrived if arrived else 0.0


def _workers(tiers: pd.DataFrame) -> dict[str, int]:
    own = tiers[~tiers["tier"].isin(_NOT_ASKED) & ~tiers["role"].str.contains("|".join(_PROXY_ROLES), regex=True)]
    return {str(tier): int(count) for tier, count in own.groupby("tier")["role"].nunique().items()}


def _doubt(recording: Recording, bins: _Bins, found: Sequence[Demand], vague: Sequence[str]) -> str | None:
    if not len(recording.tiers) or not bins.busy_s:
        return "Nobody looked at the target's processes, so what a request costs is not known."
    if not found:
        least_s = bootstrap.LEAST_S * _BIN_S
        return f"The run is too short to say what a request costs: {least_s} s at least are needed."
    if not any(demand.page_kind != ALL for demand in found):
        needed_s = _BINS_PER_KIND * len(bins.kinds) * _BIN_S
        return f"Page kinds cannot be told apart in so short a run: {needed_s} s at least are needed for these kinds."
    if vague:
        return (
            f"Page kinds cannot be told apart for {', '.join(vague)}: they were asked for in much the same proportions "
            "all the time. What a request costs on average is known; a longer run, or one whose mix changes, "
            "would tell more."
        )
    return None
